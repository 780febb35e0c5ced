"""Work items against bytes made by hand, and what is left out for Microsoft's dialect."""

from perdure.wire.generated import work_pb2 as pb
from perdure.wire.work_items import (
    activity_item,
    activity_request,
    for_microsoft,
    past_field,
    turn_item,
)
from tests.kit.raw import data, moment, number, wrapped

HEAD = number(1, 5) + moment(2, 7)
ROUTE = data(30, data(1, "a"), data(2, "b"))
TRACE = data(4, data(1, "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"), data(2, "cd" * 8))


def test_a_turn() -> None:
    head = pb.TurnRequest(instance_id="i")
    head.execution_id.value = "e"
    past, new = [data(17, data(1, "p" * 300))], [data(14), data(17)]
    item = turn_item(head, b"".join(map(past_field, past)), new, "token")
    expected = data(
        1,
        data(1, "i"),
        wrapped(2, "e"),
        data(3, past[0]),
        data(4, new[0]),
        data(4, new[1]),
    )
    assert item == expected + data(10, "token")


def test_a_turn_with_what_the_worker_keeps_already() -> None:
    head = pb.TurnRequest(instance_id="i", propagated=b"\x08\x01")
    head.cached.event_count = 4
    item = pb.WorkItem.FromString(turn_item(head, b"", [data(14)], "t"))
    assert item.turn == data(1, "i") + data(8, b"\x08\x01") + data(9, number(1, 4)) + data(
        4, data(14)
    )


def test_an_activity() -> None:
    scheduled = HEAD + data(
        6, data(1, "act"), wrapped(2, "v"), wrapped(3, ""), TRACE, data(5, "e"), number(7, 1)
    )
    request = activity_request(scheduled, "i", b"\x08\x01", microsoft=False)
    trace = data(6, TRACE[2:])
    body = (
        data(1, "act")
        + wrapped(2, "v")
        + wrapped(3, "")
        + data(4, data(1, "i"))
        + number(5, 5)
        + trace
        + data(7, "e")
        + data(8, b"\x08\x01")
    )
    assert activity_item(request, "t") == data(2, body) + data(10, "t")
    microsoft = activity_request(scheduled, "i", b"\x08\x01", microsoft=True)
    assert activity_item(microsoft, "") == data(2, body[: body.index(data(7, "e"))])


def test_an_absent_input_stays_absent() -> None:
    request = activity_request(HEAD + data(6, data(1, "act")), "i", None, microsoft=False)
    assert not request.HasField("input")
    assert not request.HasField("propagated")


def test_microsofts_dialect_gets_no_field_that_means_something_else() -> None:
    rerun, scope = data(6, data(1, "r")), number(7, 1)
    task = (data(1, "act"), wrapped(3, "1"))
    child = (data(1, "c"), data(2, "w"))
    cases = [
        (data(6, *task, data(5, "e"), rerun, scope) + ROUTE, data(6, *task)),
        (data(9, *child, rerun, scope, data(8, data(1, "t"))) + ROUTE, data(9, *child)),
        (data(17, data(1, "e")) + ROUTE, data(17, data(1, "e"))),
        (data(14), data(14)),
    ]
    for event, expected in cases:
        assert list(for_microsoft([HEAD + event])) == [HEAD + expected]
    stall = HEAD + data(31, number(1, 1), data(2, "no such version"))
    assert list(for_microsoft([stall])) == []
