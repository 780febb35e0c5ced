"""Answers of workers, from bytes made by hand, in both dialects."""

import pytest

from perdure.base.errors import CallerFault, WorkerFault
from perdure.base.time import SECOND_US
from perdure.core import actions as act
from perdure.core.events import EventRaised, PropagationScope, Router
from perdure.core.status import Status
from perdure.core.tracing import TraceContext
from perdure.wire.actions import decision_of, parse_activity_answer, parse_turn_answer
from tests.kit.raw import data, moment, number, wrapped

FAILURE = data(1, "ValueError") + data(2, "nope")
ROUTE = (data(1, "here"), data(2, "there"), data(3, "ns"))
ROUTER = Router("here", "there", "ns")


def decision(*fields: bytes, microsoft: bool = False) -> act.Decision:
    return decision_of(parse_turn_answer(data(1, "i") + b"".join(fields)), microsoft=microsoft)


def action(*fields: bytes, microsoft: bool = False) -> act.Action:
    [only] = decision(data(2, *fields), microsoft=microsoft).actions
    return only


CASES: list[tuple[bytes, act.Action]] = [
    (
        data(
            2,
            data(1, "act"),
            wrapped(2, "v"),
            wrapped(3, "1"),
            data(5, "e"),
            number(6, 2),
        ),
        act.ScheduleTask(
            id=5,
            name="act",
            version="v",
            input="1",
            execution_id="e",
            scope=PropagationScope.LINEAGE,
        ),
    ),
    (
        data(
            3,
            data(1, "c"),
            data(2, "inner"),
            wrapped(3, "v"),
            wrapped(4, "1"),
            number(6, 1),
            data(7, data(1, "r")),
        ),
        act.CreateChild(
            id=5,
            instance_id="c",
            name="inner",
            version="v",
            input="1",
            scope=PropagationScope.OWN_HISTORY,
            retry_of="r",
        ),
    ),
    (
        data(4, moment(1, 9, 5_999), data(2, "n"), data(3)),
        act.CreateTimer(id=5, fire_at_us=9 * SECOND_US + 5, name="n", origin=4),
    ),
    (
        data(4, moment(1, 9), data(4, data(1, "go"))),
        act.CreateTimer(
            id=5,
            fire_at_us=9 * SECOND_US,
            origin=5,
            origin_bytes=data(1, "go"),
            awaited_event="go",
        ),
    ),
    (
        data(4, moment(1, 9), data(5, data(1, "x"))),
        act.CreateTimer(id=5, fire_at_us=9 * SECOND_US, origin=6, origin_bytes=data(1, "x")),
    ),
    (
        data(4, moment(1, 9), data(6, data(1, "x"))),
        act.CreateTimer(id=5, fire_at_us=9 * SECOND_US, origin=7, origin_bytes=data(1, "x")),
    ),
    (
        data(5, data(1, data(1, "o")), data(2, "E"), wrapped(3, "1")),
        act.SendEvent(id=5, instance_id="o", name="E", input="1"),
    ),
    (
        data(6, number(1, 3), wrapped(2, "x"), wrapped(3, "details"), data(6, FAILURE)),
        act.Complete(id=5, status=Status.FAILED, result="x", failure=FAILURE),
    ),
    (
        data(6, number(1, 2), data(5, number(1, -1), moment(2, 0), data(17, data(1, "a")))),
        act.Complete(
            id=5, status=Status.CONTINUED_AS_NEW, carryover=(EventRaised(at_us=0, name="a"),)
        ),
    ),
    (
        data(7, data(1, "o"), wrapped(2, "why"), number(3, 1)),
        act.Terminate(id=5, instance_id="o", reason="why", recurse=True),
    ),
    (data(10), act.VersionNotAvailable(id=5)),
    (
        data(
            11,
            data(1, "d"),
            data(2, "other"),
            wrapped(3, "v"),
            wrapped(4, "1"),
            moment(5, 9),
            wrapped(6, "ignored"),
            data(7, data(1, "k"), data(2, "v")),
            data(8, data(1, "ab" * 16), data(2, "cd" * 8)),
        ),
        act.CreateDetached(
            id=5,
            instance_id="d",
            name="other",
            version="v",
            input="1",
            scheduled_start_us=9 * SECOND_US,
            tags=(("k", "v"),),
            trace=TraceContext("ab" * 16, "cd" * 8),
        ),
    ),
]


@pytest.mark.parametrize(("body", "expected"), CASES, ids=[type(a).__name__ for _, a in CASES])
def test_each_kind_of_action(body: bytes, expected: act.Action) -> None:
    assert action(number(1, 5), body) == expected


def test_routes_of_every_generation_of_sdks() -> None:
    """Field 9 of the action; up to 1.18 also in the body of a task, a child, a detached one."""
    task, child = data(1, "act"), data(2, "inner")
    routed = [
        action(data(2, task), data(9, *ROUTE)),
        action(data(2, task, data(4, *ROUTE))),
        action(data(2, task, data(4, data(2, "old"))), data(9, *ROUTE)),
        action(data(3, child), data(9, *ROUTE)),
        action(data(3, child, data(5, *ROUTE))),
        action(data(11, data(1, "d")), data(9, *ROUTE)),
        action(data(11, data(1, "d"), data(9, *ROUTE))),
    ]
    assert [each.router for each in routed] == [ROUTER] * len(routed)
    assert action(data(2, task, data(4))).router in {None, Router()}


def test_the_answer_around_the_actions() -> None:
    plain = decision()
    assert (plain.custom_status, plain.patches, plain.version_name) == (None, (), None)
    full = decision(
        wrapped(3, ""), data(4, "token"), data(6, data(1, "a"), data(1, "b"), data(2, "v"))
    )
    assert (full.custom_status, full.patches, full.version_name) == ("", ("a", "b"), "v")
    assert parse_turn_answer(data(1, "i") + data(4, "token")).token == "token"


def test_microsofts_fields_mean_something_else() -> None:
    """behaviour.md 3.5: numbers that the two families use for different things."""
    tags = data(4, data(1, "k"), data(2, "v"))
    trace = data(1, "00-ab-cd-01"), data(2, "span")
    task = action(number(1, 5), data(2, data(1, "act"), tags, data(5, *trace)), microsoft=True)
    assert task == act.ScheduleTask(id=5, name="act")
    child = action(
        number(1, 5),
        data(3, data(1, "c"), data(2, "w"), data(5, *trace), data(6, data(1, "k"))),
        data(9, data(1, "rewind")),
        microsoft=True,
    )
    assert child == act.CreateChild(id=5, instance_id="c", name="w")
    context = data(6, data(1, "not a patch"))
    assert decision(context, microsoft=True).patches == ()
    assert decision(context).patches == ("not a patch",)


@pytest.mark.parametrize(
    "fields",
    [
        data(2, number(1, 1)),
        data(2, data(8, b"entity message")),
        data(2, data(6, number(1, 77))),
        data(2, data(6, number(1, 2), data(5, data(14)))),
        data(2, data(6, number(1, 2), data(5, b"\xff"))),
        data(2, data(6, number(1, 3), data(6, b"\xff"))),
        data(2, data(2, data(1, "act"), data(5, b"\xff"))),
        data(2, data(2, data(1, "act"), number(6, 9))),
        data(2, data(2, data(1, "act"), data(4, b"\xff"))),
        data(2, data(4, moment(1, 9), data(3, b"\xff"))),
        data(2, data(2, data(1, "act")), data(9, b"\xff")),
        data(6, b"\xff"),
        number(7, 1),
        number(8, 1),
    ],
)
def test_what_breaks_the_protocol_is_the_workers_fault(fields: bytes) -> None:
    with pytest.raises(WorkerFault):
        decision(fields)


@pytest.mark.parametrize("garbage", [b"\xff", data(1, b"\xff"), data(2, b"\xff"), b"\x0a\x05abc"])
def test_what_is_no_answer_is_the_callers_fault(garbage: bytes) -> None:
    with pytest.raises(CallerFault):
        parse_turn_answer(garbage)
    with pytest.raises(CallerFault):
        parse_activity_answer(garbage + data(4, b"\xff"))


def test_an_answer_to_an_activity() -> None:
    body = data(1, "i") + number(2, 4) + wrapped(3, "") + data(5, "token")
    answer = parse_activity_answer(body)
    assert (answer.instance_id, answer.task_id, answer.token) == ("i", 4, "token")
    assert answer.HasField("result")
    assert not answer.HasField("failure")
    failed = parse_activity_answer(body + data(4, FAILURE))
    assert failed.failure == FAILURE
    with pytest.raises(CallerFault):
        parse_activity_answer(body + data(4, b"\xff"))
