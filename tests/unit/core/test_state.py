"""The fold: what each event does to what is known."""

from typing import get_args

import pytest

from perdure.core.events import (
    ChildCompleted,
    ChildCreated,
    ChildFailed,
    Event,
    EventRaised,
    ExecutionCompleted,
    ExecutionStalled,
    ExecutionSuspended,
    StallReason,
    TaskCompleted,
    TaskFailed,
    TaskScheduled,
    TimerCreated,
    TimerFired,
    WorkflowStarted,
)
from perdure.core.kinds import KIND_OF
from perdure.core.state import answered_timer, blank, fold
from perdure.core.status import Status
from tests.kit.histories import after, started

TASK = TaskScheduled(at_us=2, event_id=1, name="act")
TIMER = TimerCreated(at_us=2, event_id=2, fire_at_us=9, awaited_event="Stra\u00dfe")
CHILD = ChildCreated(at_us=2, event_id=3, instance_id="c", name="inner")
END = ExecutionCompleted(at_us=5, status=Status.FAILED)
STALL = ExecutionStalled(at_us=4, reason=StallReason.PATCH_MISMATCH, description="d")


def test_every_kind_of_event_has_a_number() -> None:
    assert set(KIND_OF) == set(get_args(Event))
    assert len(set(KIND_OF.values())) == len(KIND_OF)


def test_phases() -> None:
    assert blank().phase is Status.PENDING
    assert after().phase is Status.RUNNING
    assert after(END).phase is Status.FAILED
    assert after(END).finished


@pytest.mark.parametrize(
    ("event", "open_ids"),
    [
        (TaskCompleted(at_us=3, task_id=1), {2, 3}),
        (TaskFailed(at_us=3, task_id=1), {2, 3}),
        (TimerFired(at_us=3, timer_id=2, fire_at_us=3), {1, 3}),
        (EventRaised(at_us=3, name="STRASSE"), {1, 3}),
        (EventRaised(at_us=3, name="other"), {1, 2, 3}),
        (ChildCompleted(at_us=3, task_id=3), {1, 2}),
        (ChildFailed(at_us=3, task_id=3), {1, 2}),
        (TaskCompleted(at_us=3, task_id=9), {1, 2, 3}),
        (ExecutionSuspended(at_us=3), {1, 2, 3}),
    ],
)
def test_what_is_still_awaited(event: Event, open_ids: set[int]) -> None:
    assert after(TASK, TIMER, CHILD, event).open_ids == open_ids


def test_a_state_that_was_handed_out_does_not_change() -> None:
    before = after(TASK, TIMER, CHILD)
    kept = (dict(before.open_tasks), dict(before.open_timers), dict(before.open_children))
    fold(before, [TaskCompleted(at_us=3, task_id=1), EventRaised(at_us=3, name="strasse"), END])
    assert (before.open_tasks, before.open_timers, before.open_children) == kept
    assert before.completed is None


def test_any_other_event_clears_a_stall() -> None:
    assert after(STALL).stalled == STALL
    later = after(STALL, WorkflowStarted(at_us=5))
    assert later.stalled is None
    assert later.stall_descriptions == {"d"}


def test_a_generation_starts_and_ends_once() -> None:
    with pytest.raises(AssertionError):
        after(started())
    with pytest.raises(AssertionError):
        after(END, END)


def test_the_clock_of_the_last_turn_and_the_first_version() -> None:
    state = after(
        WorkflowStarted(at_us=9, patches=("a",), version_name="v1"),
        WorkflowStarted(at_us=7, patches=("b",), version_name="v2"),
    )
    assert (state.last_turn_us, state.patches, state.version_name) == (9, ("a", "b"), "v1")
    assert state.history_length == 4


def test_the_oldest_wait_is_answered_first() -> None:
    timers = {
        5: TimerCreated(at_us=1, event_id=5, fire_at_us=9, awaited_event="go"),
        2: TimerCreated(at_us=2, event_id=2, fire_at_us=9, awaited_event="GO"),
    }
    assert answered_timer(timers, "Go") == 5
    assert answered_timer(timers, "no") is None
