"""Programs run from histories alone, as an SDK runs workflow code."""

import pytest

from perdure.core import events as ev
from perdure.proving.flow import Strayed
from perdure.proving.programs import Program, Step
from perdure.proving.steps import decide

TURN = ev.WorkflowStarted(at_us=1_000_000)


def started(*steps: Step, rounds: int = 0, needs: str = "") -> ev.ExecutionStarted:
    text = Program(steps, rounds, needs).text()
    return ev.ExecutionStarted(at_us=1, name="flow", instance_id="i", execution_id="e", input=text)


def kinds(decided: object) -> list[str]:
    return [action.WhichOneof("kind") for action in decided.actions]  # type: ignore[attr-defined]  # decided at once, so it is a decision


def test_a_call_is_scheduled_once_and_its_result_ends_the_program() -> None:
    start = started(["call", "fetch"])
    first = decide((), (TURN, start))
    assert kinds(first) == ["schedule_task"]
    assert first.actions[0].schedule_task.input.value == "e#1"
    scheduled = ev.TaskScheduled(at_us=2, event_id=1, name="fetch", input="e#1")
    past = (TURN, start, scheduled)
    assert kinds(decide(past, (TURN,))) == []
    done = decide(past, (TURN, ev.TaskCompleted(at_us=3, task_id=1, result="r")))
    assert kinds(done) == ["complete"]
    other = decide(past, (TURN, ev.TaskCompleted(at_us=3, task_id=1, result="s")))
    assert done.actions[0] != other.actions[0], "the output tells what the program was told"


def test_a_failed_call_is_tried_again_after_a_pause() -> None:
    start = started(["retry", "fetch", 2, 3])
    past: list[ev.Event] = [TURN, start, ev.TaskScheduled(at_us=2, event_id=1, name="fetch")]
    paused = decide(past, (TURN, ev.TaskFailed(at_us=3, task_id=1)))
    assert kinds(paused) == ["create_timer"]
    past += [TURN, ev.TaskFailed(at_us=3, task_id=1)]
    past += [ev.TimerCreated(at_us=3, event_id=2, fire_at_us=9)]
    again = decide(past, (TURN, ev.TimerFired(at_us=9, timer_id=2, fire_at_us=9)))
    assert kinds(again) == ["schedule_task"]


def test_events_wait_for_the_program_and_are_carried_over() -> None:
    start = started(["wait", "Go", None], rounds=1)
    batch = [ev.EventRaised(at_us=2, name=name, input=name) for name in ("ping", "GO", "go")]
    ended = decide((), (TURN, start, *batch))
    assert ended.consumed == ("GO",)
    assert ended.unread == (("ping", "ping"), ("go", "go"))
    (end,) = ended.actions
    assert len(end.complete.carryover) == 2
    assert '"rounds":0' in end.complete.result.value


def test_a_history_of_another_program_is_seen() -> None:
    start = started(["sleep", 1])
    scheduled = ev.TaskScheduled(at_us=2, event_id=1, name="fetch")
    with pytest.raises(Strayed, match="schedule_task"):
        decide((TURN, start, scheduled), (TURN,))
    timer = ev.TimerCreated(at_us=2, event_id=1, fire_at_us=9)
    fired = ev.TimerFired(at_us=9, timer_id=1, fire_at_us=9)
    with pytest.raises(Strayed, match="second"):
        decide((TURN, start, timer), (TURN, fired, fired))


def test_what_was_decided_without_a_patch_stays_so() -> None:
    start = started(["sleep", 0], ["patch", "first"])
    new = decide((), (TURN, started(["patch", "first"])))
    assert (new.patches, new.actions[0].schedule_task.name) == (("first",), "mail")
    past: list[ev.Event] = [TURN, start, ev.TimerCreated(at_us=2, event_id=1, fire_at_us=2)]
    past += [TURN, ev.TimerFired(at_us=3, timer_id=1, fire_at_us=2)]
    past += [ev.TaskScheduled(at_us=3, event_id=2, name="fetch")]
    old = decide(past, (TURN, ev.TaskCompleted(at_us=4, task_id=2)))
    assert old.patches == ()
    assert kinds(old) == ["complete"]
    assert decide((), (TURN, started(["patch", "first"])), 1).patches == ()
