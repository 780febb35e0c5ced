"""Events against bytes made by hand from the field numbers of the protocol."""

from typing import get_args

import pytest

from perdure.base.errors import CallerFault
from perdure.base.time import LATEST_US, SECOND_US
from perdure.core import events as ev
from perdure.core.status import Status
from perdure.core.tracing import TraceContext
from perdure.wire.events import decode, encode
from tests.kit.raw import data, moment, number, wrapped

AT_US = 7 * SECOND_US + 5
HEAD = number(1, -1) + moment(2, 7, 5_000)
TRACE = TraceContext("ab" * 16, "cd" * 8, "01", "vendor=1")
TRACE_BYTES = (
    data(1, f"00-{'ab' * 16}-{'cd' * 8}-01"),
    data(2, "cd" * 8),
    wrapped(3, "vendor=1"),
)
FAILURE = data(1, "ValueError") + data(2, "nope") + wrapped(3, "stack") + number(5, 1)

CASES: list[tuple[ev.Event, bytes]] = [
    (ev.WorkflowStarted(at_us=AT_US), data(14)),
    (
        ev.WorkflowStarted(at_us=AT_US, patches=("a", "b"), version_name="v"),
        data(14, data(1, data(1, "a"), data(1, "b"), data(2, "v"))),
    ),
    (
        ev.ExecutionStarted(
            at_us=AT_US,
            name="wf",
            instance_id="i",
            execution_id="e",
            version="v",
            input="1",
            parent=ev.ParentLink("p", "pe", "outer", "pv", 3, "papp", "pns"),
            scheduled_start_us=9 * SECOND_US,
            trace=TRACE,
            span_id="span",
            tags=(("k", "v"),),
        ),
        data(
            3,
            data(1, "wf"),
            wrapped(2, "v"),
            wrapped(3, "1"),
            data(4, data(1, "i"), wrapped(2, "e")),
            data(
                5,
                number(1, 3),
                wrapped(2, "outer"),
                wrapped(3, "pv"),
                data(4, data(1, "p"), wrapped(2, "pe")),
                data(5, "papp"),
                data(6, "pns"),
            ),
            moment(6, 9),
            data(7, *TRACE_BYTES),
            wrapped(8, "span"),
            data(9, data(1, "k"), data(2, "v")),
        ),
    ),
    (
        ev.ExecutionCompleted(at_us=AT_US, status=Status.FAILED, result="x", failure=FAILURE),
        data(4, number(1, 3), wrapped(2, "x"), data(3, FAILURE)),
    ),
    (
        ev.ExecutionTerminated(at_us=AT_US, input="out", recurse=True),
        data(5, wrapped(1, "out"), number(2, 1)),
    ),
    (ev.ExecutionSuspended(at_us=AT_US, reason="why"), data(21, wrapped(1, "why"))),
    (ev.ExecutionResumed(at_us=AT_US, reason="why"), data(22, wrapped(1, "why"))),
    (
        ev.ExecutionStalled(
            at_us=AT_US, reason=ev.StallReason.VERSION_NOT_AVAILABLE, description="d"
        ),
        data(31, number(1, 1), data(2, "d")),
    ),
    (
        ev.TaskScheduled(
            at_us=AT_US,
            name="act",
            version="v",
            input="1",
            execution_id="x",
            trace=TRACE,
            rerun_of="r",
            scope=ev.PropagationScope.LINEAGE,
        ),
        data(
            6,
            data(1, "act"),
            wrapped(2, "v"),
            wrapped(3, "1"),
            data(4, *TRACE_BYTES),
            data(5, "x"),
            data(6, data(1, "r")),
            number(7, 2),
        ),
    ),
    (
        ev.TaskCompleted(at_us=AT_US, task_id=4, result="x", execution_id="e"),
        data(7, number(1, 4), wrapped(2, "x"), data(3, "e")),
    ),
    (
        ev.TaskFailed(at_us=AT_US, task_id=4, failure=FAILURE, execution_id="e"),
        data(8, number(1, 4), data(2, FAILURE), data(3, "e")),
    ),
    (
        ev.ChildCreated(
            at_us=AT_US,
            instance_id="c",
            name="inner",
            version="v",
            input="1",
            trace=TRACE,
            rerun_of="r",
            retry_of="t",
            scope=ev.PropagationScope.OWN_HISTORY,
        ),
        data(
            9,
            data(1, "c"),
            data(2, "inner"),
            wrapped(3, "v"),
            wrapped(4, "1"),
            data(5, *TRACE_BYTES),
            data(6, data(1, "r")),
            number(7, 1),
            data(8, data(1, "t")),
        ),
    ),
    (
        ev.ChildCompleted(at_us=AT_US, task_id=4, result="x"),
        data(10, number(1, 4), wrapped(2, "x")),
    ),
    (
        ev.ChildFailed(at_us=AT_US, task_id=4, failure=FAILURE),
        data(11, number(1, 4), data(2, FAILURE)),
    ),
    (
        ev.TimerCreated(
            at_us=AT_US,
            fire_at_us=9 * SECOND_US,
            name="n",
            origin=5,
            origin_bytes=data(1, "go"),
            awaited_event="go",
            rerun_of="r",
        ),
        data(12, moment(1, 9), data(2, "n"), data(3, data(1, "r")), data(5, data(1, "go"))),
    ),
    (
        ev.TimerCreated(at_us=AT_US, fire_at_us=LATEST_US, origin=4),
        data(12, moment(1, 253_402_300_799, 999_999_999), data(4)),
    ),
    (
        ev.TimerCreated(at_us=AT_US, fire_at_us=0, origin=6, origin_bytes=data(1, "x")),
        data(12, moment(1, 0), data(6, data(1, "x"))),
    ),
    (
        ev.TimerCreated(at_us=AT_US, fire_at_us=0, origin=7, origin_bytes=data(1, "c")),
        data(12, moment(1, 0), data(7, data(1, "c"))),
    ),
    (
        ev.TimerFired(at_us=AT_US, timer_id=4, fire_at_us=9 * SECOND_US),
        data(13, moment(1, 9), number(2, 4)),
    ),
    (
        ev.EventSent(at_us=AT_US, instance_id="o", name="E", input="1"),
        data(16, data(1, "o"), data(2, "E"), wrapped(3, "1")),
    ),
    (ev.EventRaised(at_us=AT_US, name="gO", input="1"), data(17, data(1, "gO"), wrapped(2, "1"))),
    (ev.DetachedCreated(at_us=AT_US, instance_id="d"), data(32, data(1, "d"))),
]


@pytest.mark.parametrize(("event", "body"), CASES, ids=[type(event).__name__ for event, _ in CASES])
def test_bytes_of_each_kind(event: ev.Event, body: bytes) -> None:
    assert encode(event) == HEAD + body
    assert decode(HEAD + body) == event


def test_every_kind_has_a_case() -> None:
    assert {type(event) for event, _ in CASES} == set(get_args(ev.Event))


def test_routes_and_ids_stand_in_every_event() -> None:
    event = ev.EventRaised(at_us=0, event_id=3, router=ev.Router("a", "b", "ns"), name="e")
    route = data(30, data(1, "a"), data(2, "b"), data(3, "ns"))
    assert encode(event) == number(1, 3) + moment(2, 0) + data(17, data(1, "e")) + route
    assert decode(encode(event)) == event


@pytest.mark.parametrize(
    ("absent", "empty"),
    [
        (ev.EventRaised(at_us=0, name="e"), ev.EventRaised(at_us=0, name="e", input="")),
        (ev.TaskCompleted(at_us=0, task_id=0), ev.TaskCompleted(at_us=0, task_id=0, result="")),
        (ev.ChildCompleted(at_us=0, task_id=0), ev.ChildCompleted(at_us=0, task_id=0, result="")),
        (ev.TaskFailed(at_us=0, task_id=0), ev.TaskFailed(at_us=0, task_id=0, failure=b"")),
        (ev.ExecutionSuspended(at_us=0), ev.ExecutionSuspended(at_us=0, reason="")),
        (ev.ExecutionTerminated(at_us=0), ev.ExecutionTerminated(at_us=0, input="")),
        (ev.TaskScheduled(at_us=0, name="a"), ev.TaskScheduled(at_us=0, name="a", input="")),
        (
            ev.ChildCreated(at_us=0, instance_id="c", name="a"),
            ev.ChildCreated(at_us=0, instance_id="c", name="a", input=""),
        ),
        (
            ev.ExecutionCompleted(at_us=0, status=Status.COMPLETED),
            ev.ExecutionCompleted(at_us=0, status=Status.COMPLETED, result=""),
        ),
        (ev.WorkflowStarted(at_us=0), ev.WorkflowStarted(at_us=0, version_name="")),
        (ev.TimerCreated(at_us=0, fire_at_us=0), ev.TimerCreated(at_us=0, fire_at_us=0, name="")),
    ],
)
def test_absent_is_not_empty(absent: ev.Event, empty: ev.Event) -> None:
    assert decode(encode(absent)) == absent
    assert decode(encode(empty)) == empty
    assert encode(absent) != encode(empty)


def test_a_failure_of_our_own() -> None:
    event = ev.ChildFailed(at_us=0, task_id=1, failure=ev.Failure("Type", "text"))
    body = data(11, number(1, 1), data(2, data(1, "Type"), data(2, "text"), number(5, 1)))
    assert encode(event) == number(1, -1) + moment(2, 0) + body


def test_carried_over_events_as_python_sends_them() -> None:
    """behaviour.md B.9: event id -1 and a zero time, present or absent."""
    body = data(17, data(1, "a"), wrapped(2, "1"))
    for stamp in (moment(2, 0), b""):
        assert decode(number(1, -1) + stamp + body) == ev.EventRaised(at_us=0, name="a", input="1")


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\xff",
        number(1, -1),
        data(15),
        data(18, b"x"),
        data(20, wrapped(1, "continue as new")),
        data(17, b"\xff"),
        data(17, data(1, b"\xff")),
        data(4, number(1, 99)),
        data(31, number(1, 99)),
        data(6, number(7, 99)),
        data(9, number(7, -1)),
        HEAD[:-1],
    ],
)
def test_garbage_is_the_callers_fault(garbage: bytes) -> None:
    with pytest.raises(CallerFault):
        decode(garbage)


@pytest.mark.parametrize(
    ("seconds", "nanos", "at_us"),
    [
        (253_402_300_799, 999_999_999, LATEST_US),
        (253_402_300_800, 0, LATEST_US),
        (2**63 - 1, 0, LATEST_US),
        (-(2**63), 0, -62_135_596_800 * SECOND_US),
        (0, 999, 0),
        (0, -1, -1),
        (-(2**63), -(2**31), -62_135_596_800 * SECOND_US),
    ],
)
def test_times_beyond_what_is_legal_are_held_within(seconds: int, nanos: int, at_us: int) -> None:
    event = decode(moment(2, seconds, nanos) + data(17, data(1, "e")))
    assert event.at_us == at_us
    assert decode(encode(event)) == event
