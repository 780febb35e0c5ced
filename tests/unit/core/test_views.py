"""What an instance waits for, and when it will wake."""

import pytest

from perdure.base.time import LATEST_US, NEVER_US
from perdure.core.events import (
    ChildCreated,
    Event,
    ExecutionCompleted,
    TaskScheduled,
    TimerCreated,
)
from perdure.core.state import blank
from perdure.core.status import Status
from perdure.core.views import Wait, next_wake_us, waits_for
from tests.kit.histories import after

TASK = TaskScheduled(at_us=1, event_id=1, name="act")
CHILD = ChildCreated(at_us=1, event_id=2, instance_id="c", name="inner")


def timer(at_us: int, awaited: str | None = None) -> TimerCreated:
    return TimerCreated(at_us=1, event_id=3, fire_at_us=at_us, awaited_event=awaited)


@pytest.mark.parametrize(
    ("events", "wait", "wake_us"),
    [
        ([], Wait.EVENT, None),
        ([TASK], Wait.ACTIVITY, None),
        ([CHILD], Wait.CHILD, None),
        ([TASK, CHILD, timer(9)], Wait.ACTIVITY, 9),
        ([CHILD, timer(9)], Wait.CHILD, 9),
        ([timer(9)], Wait.TIMER, 9),
        ([timer(9, "go")], Wait.EVENT, 9),
        ([timer(NEVER_US)], Wait.EVENT, None),
        ([timer(LATEST_US, "go")], Wait.EVENT, None),
        ([TASK, ExecutionCompleted(at_us=1, status=Status.FAILED)], Wait.NOTHING, None),
    ],
)
def test_what_is_waited_for(events: list[Event], wait: Wait, wake_us: int | None) -> None:
    state = after(*events)
    assert waits_for(state) is wait
    assert next_wake_us(state) == wake_us


def test_before_the_start_a_turn_is_waited_for() -> None:
    assert waits_for(blank()) is Wait.TURN
