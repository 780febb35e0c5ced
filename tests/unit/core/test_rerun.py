"""Beginning anew from an event of a finished instance (behaviour.md 4.11, row by row)."""

from dataclasses import replace
from typing import Any

import pytest

from perdure.core.effects import Birth, RunTask, SetTimer
from perdure.core.events import (
    ChildCompleted,
    ChildCreated,
    ChildFailed,
    Event,
    EventRaised,
    ExecutionCompleted,
    ExecutionStarted,
    Router,
    TaskCompleted,
    TaskScheduled,
    TimerCreated,
    TimerFired,
    WorkflowStarted,
)
from perdure.core.requests import Reason, Refusal, Rerun
from perdure.core.rerun import Rerunnable, check_request, rerun
from perdure.core.state import blank, fold
from perdure.core.status import Status
from tests.kit.histories import PARENT, started

NOW_US = 1_000
TURN = WorkflowStarted(at_us=1)
TASK = TaskScheduled(at_us=2, event_id=1, name="act", input="1", execution_id="e")
FAR_TASK = TaskScheduled(at_us=2, event_id=2, name="far", router=Router("app", "other"))
TIMER = TimerCreated(at_us=2, event_id=3, fire_at_us=52)
CHILD = ChildCreated(at_us=2, event_id=4, instance_id="me:0004", name="inner", input="1")
DONE = TaskCompleted(at_us=3, task_id=1, result="x", execution_id="e")
FIRED = TimerFired(at_us=52, timer_id=3, fire_at_us=52)
CHILD_DONE = ChildCompleted(at_us=60, task_id=4)
END = ExecutionCompleted(at_us=70, event_id=9, status=Status.COMPLETED, result="out")
HISTORY: list[Event] = [
    TURN,
    started(text="in"),
    TASK,
    FAR_TASK,
    TURN,
    DONE,
    TIMER,
    TURN,
    FIRED,
    CHILD,
    TURN,
    CHILD_DONE,
    END,
]


def request(event_id: int, **fields: Any) -> Rerun:
    return Rerun(source_id="me", event_id=event_id, new_id="new", **fields)


def begun(event_id: int, history: list[Event] | None = None, **fields: Any) -> Rerunnable:
    found = rerun(request(event_id, **fields), history or HISTORY, "app", NOW_US)
    assert isinstance(found, Rerunnable), found
    return found


def refused(event_id: int, history: list[Event] | None = None, **fields: Any) -> Refusal:
    found = rerun(request(event_id, **fields), history or HISTORY, "app", NOW_US)
    assert isinstance(found, Refusal), found
    return found


@pytest.mark.parametrize(
    ("source", "new", "text"),
    [
        ("", "new", "rerun workflow source instance ID is required"),
        (
            "me",
            "me",
            "rerun workflow instance ID must be different from the original instance ID",
        ),
    ],
)
def test_what_can_be_refused_at_once(source: str, new: str, text: str) -> None:
    asked = Rerun(source_id=source, event_id=1, new_id=new)
    assert check_request(asked) == Refusal(Reason.INVALID, text)
    assert check_request(request(1)) is None


def test_refusals_in_their_order() -> None:
    running = HISTORY[:-1]
    assert refused(1, running) == Refusal(Reason.INVALID, "'me' is not in a terminal state")
    child: list[Event] = [TURN, started(parent=PARENT), TASK, END]
    text = "'me': cannot rerun from child-workflows"
    assert refused(77, child) == Refusal(Reason.INVALID, text)
    text = "does not have history event with ID '77'"
    assert refused(77) == Refusal(Reason.NOT_FOUND, text)
    text = "does not have history event with ID '-1'"
    assert refused(-1) == Refusal(Reason.NOT_FOUND, text)
    text = (
        "target event '*protos.HistoryEvent_ExecutionCompleted' with ID '9' "
        "is not an event that can be rerun"
    )
    assert refused(9) == Refusal(Reason.NOT_FOUND, text)


@pytest.mark.parametrize(
    ("event_id", "fields", "text"),
    [
        (3, {"overwrite_input": True}, "cannot write input to timer event '3'"),
        (
            1,
            {"new_child_id": "c"},
            "cannot set new child workflow instance ID on activity event '1'",
        ),
        (3, {"new_child_id": "c"}, "cannot set new child workflow instance ID on timer event '3'"),
    ],
)
def test_what_does_not_fit_the_event(event_id: int, fields: dict[str, Any], text: str) -> None:
    assert refused(event_id, **fields) == Refusal(Reason.INVALID, text)


def test_an_activity_and_what_was_unresolved_beside_it_are_done_again() -> None:
    found = begun(2)
    start = found.history[1]
    assert isinstance(start, ExecutionStarted)
    assert start == replace(started(text="in"), instance_id="new", execution_id=start.execution_id)
    assert start.execution_id != "execution"
    tasks = found.history[2:]
    assert tasks == (
        replace(TASK, at_us=NOW_US, rerun_of="me"),
        replace(FAR_TASK, at_us=NOW_US, rerun_of="me"),
    )
    assert found.effects == (RunTask(tasks[0], "app"), RunTask(tasks[1], "other"))


def test_what_was_resolved_before_is_copied_with_its_resolution() -> None:
    found = begun(3)
    assert DONE in found.history
    assert TASK in found.history
    assert FIRED not in found.history
    assert found.history[-2:] == (
        replace(FAR_TASK, at_us=NOW_US, rerun_of="me"),
        replace(TIMER, at_us=NOW_US, fire_at_us=NOW_US + 50, rerun_of="me"),
    )
    assert isinstance(found.effects[-1], SetTimer)


def test_a_child_gets_an_id_of_its_own() -> None:
    for new_child, expected in ((None, "new:0004"), ("c", "c")):
        found = begun(4, new_child_id=new_child)
        child = found.history[-1]
        assert isinstance(child, ChildCreated)
        assert (child.instance_id, child.rerun_of, child.input) == (expected, "me", "1")
        birth = found.effects[-1]
        assert isinstance(birth, Birth)
        assert birth.started.instance_id == expected
        link = birth.started.parent
        assert link is not None
        assert (link.instance_id, link.task_id) == ("new", 4)
        assert isinstance(birth.if_taken, ChildFailed)


@pytest.mark.parametrize("event_id", [1, 4])
@pytest.mark.parametrize("text", [None, "", "2"])
def test_the_input_of_the_target_alone_is_written_over(event_id: int, text: str | None) -> None:
    found = begun(event_id, input=text, overwrite_input=True)
    target = next(event for event in found.history if event.event_id == event_id)
    assert isinstance(target, TaskScheduled | ChildCreated)
    assert target.input == text
    kept = begun(event_id, input=text)
    target = next(event for event in kept.history if event.event_id == event_id)
    assert isinstance(target, TaskScheduled | ChildCreated)
    assert target.input == "1", "without the flag the input is as it was"
    others = [event for event in found.history if event.event_id == 2]
    assert all(isinstance(other, TaskScheduled) and other.input is None for other in others)


@pytest.mark.parametrize("event_id", [1, 2, 3, 4])
def test_what_begins_is_running_and_awaits_exactly_what_is_done_again(event_id: int) -> None:
    found = begun(event_id)
    state = fold(blank(), found.history)
    assert not state.finished
    again = {
        event.event_id for event in found.history if getattr(event, "rerun_of", None) is not None
    }
    assert state.open_ids == again
    assert len(found.effects) == len(again)


def test_an_answered_wait_is_resolved() -> None:
    wait = TimerCreated(at_us=2, event_id=1, fire_at_us=52, awaited_event="go")
    history: list[Event] = [
        TURN,
        started(),
        wait,
        TURN,
        EventRaised(at_us=3, name="GO"),
        FAR_TASK,
        END,
    ]
    found = begun(2, history)
    assert wait in found.history
    assert len(found.effects) == 1


def test_a_rerun_can_be_rerun() -> None:
    first = begun(4)
    history = [*first.history, TURN, CHILD_DONE, END]
    again = rerun(Rerun(source_id="new", event_id=4, new_id="newer"), history, "app", NOW_US + 1)
    assert isinstance(again, Rerunnable)
    child = again.history[-1]
    assert isinstance(child, ChildCreated)
    assert (child.instance_id, child.rerun_of) == ("newer:0004", "new")
