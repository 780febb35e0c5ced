"""How a turn is opened and closed, stalled and continued, and how an instance is ended."""

import pytest

from perdure.base.errors import WorkerFault
from perdure.core import actions as act
from perdure.core.effects import Birth, CancelTimer, EndChildren, TellParent
from perdure.core.events import (
    ChildCompleted,
    ChildCreated,
    ChildFailed,
    Event,
    EventRaised,
    ExecutionCompleted,
    ExecutionResumed,
    ExecutionStalled,
    ExecutionStarted,
    ExecutionSuspended,
    ExecutionTerminated,
    Failure,
    StallReason,
    TaskCompleted,
    TaskFailed,
    TaskScheduled,
    TimerCreated,
    TimerFired,
    WorkflowStarted,
)
from perdure.core.state import State, blank, fold
from perdure.core.status import Status
from perdure.core.tracing import TraceContext
from perdure.core.turn import ContinuedAsNew, Stalled, stall, takable, terminate
from tests.kit.histories import ME, NOW_US, PARENT, after, closed, decided, started

TASK = TaskScheduled(at_us=2, event_id=1, name="act")
TIMER = TimerCreated(at_us=2, event_id=2, fire_at_us=9)
CHILD = ChildCreated(at_us=2, event_id=3, instance_id="c", name="inner")
OPEN = after(TASK, TIMER, CHILD)
CONTINUE = act.Complete(id=9, status=Status.CONTINUED_AS_NEW, result="2")


def done(task_id: int) -> TaskCompleted:
    return TaskCompleted(at_us=3, task_id=task_id)


def raised(name: str, at_us: int = 3) -> EventRaised:
    return EventRaised(at_us=at_us, name=name)


def wait(timer_id: int, name: str) -> TimerCreated:
    return TimerCreated(at_us=2, event_id=timer_id, fire_at_us=9, awaited_event=name)


@pytest.mark.parametrize(
    ("state", "inbox", "verdicts"),
    [
        (blank(), [started(), raised("e"), started()], [True, True, False]),
        (OPEN, [started()], [False]),
        (OPEN, [done(1), done(1), TaskFailed(at_us=3, task_id=1)], [True, False, False]),
        (OPEN, [TaskFailed(at_us=3, task_id=1), done(1)], [True, False]),
        (OPEN, [done(2), done(7)], [False, False]),
        (OPEN, [TimerFired(at_us=3, timer_id=2, fire_at_us=3)] * 2, [True, False]),
        (OPEN, [TimerFired(at_us=3, timer_id=1, fire_at_us=3)], [False]),
        (
            OPEN,
            [ChildCompleted(at_us=3, task_id=3), ChildFailed(at_us=3, task_id=3)],
            [True, False],
        ),
        (OPEN, [ChildCompleted(at_us=3, task_id=1)], [False]),
        (OPEN, [raised("e"), raised("e")], [True, True]),
        (OPEN, [ExecutionSuspended(at_us=3), ExecutionResumed(at_us=3)], [True, True]),
        (OPEN, [], []),
    ],
)
def test_what_a_turn_takes(state: State, inbox: list[Event], verdicts: list[bool]) -> None:
    assert takable(state, inbox) == verdicts


def test_a_closed_turn_is_the_fold_of_its_history() -> None:
    batch = (done(1), raised("e"))
    result = closed(OPEN, [act.ScheduleTask(id=5, name="act")], batch)
    assert result.state == fold(OPEN, (result.turn, *batch, *result.recorded))
    assert OPEN.open_tasks == {1: TASK}, "what was handed in is as it was"


def test_results_for_the_parent() -> None:
    state = after(parent=PARENT)
    cases: list[tuple[act.Complete, Event]] = [
        (
            act.Complete(id=9, status=Status.COMPLETED, result="x"),
            ChildCompleted(at_us=NOW_US, task_id=7, result="x"),
        ),
        (
            act.Complete(id=9, status=Status.FAILED, failure=b"f"),
            ChildFailed(at_us=NOW_US, task_id=7, failure=b"f"),
        ),
        (
            act.Complete(id=9, status=Status.CANCELED),
            ChildFailed(
                at_us=NOW_US,
                task_id=7,
                failure=Failure("WorkflowTerminated", "child workflow 'me' ended CANCELED"),
            ),
        ),
    ]
    for action, told in cases:
        assert closed(state, [action]).effects == (TellParent(told),)
    assert closed(after(), [cases[0][0]]).effects == ()


def test_an_answered_wait_loses_its_timer_first_in_first_out_whatever_the_case() -> None:
    state = after(wait(1, "Go"), wait(2, "other"), wait(3, "gO"), wait(4, "go"))
    result = closed(state, [], (raised("GO"), raised("go"), raised("nobody waits")))
    assert result.effects == (CancelTimer(1), CancelTimer(3))
    assert set(result.state.open_timers) == {2, 4}


def test_a_fired_timer_is_not_cancelled_and_does_not_take_the_answer() -> None:
    state = after(wait(1, "go"), wait(2, "go"))
    fired = TimerFired(at_us=3, timer_id=1, fire_at_us=3)
    result = closed(state, [], (fired, raised("go")))
    assert result.effects == (CancelTimer(2),)
    reverse = closed(state, [], (raised("go"), fired))
    assert reverse.effects == ()
    assert set(reverse.state.open_timers) == {2}


def test_a_timer_without_a_wait_is_nobodys_answer() -> None:
    assert closed(after(TIMER), [], (raised("go"),)).effects == ()


# ---- patches and versions


@pytest.mark.parametrize(
    ("known", "told", "stored"),
    [
        ((), (), ()),
        ((), ("a", "b"), ("a", "b")),
        (("a",), ("a",), ()),
        (("a",), ("a", "b"), ("b",)),
        (("a", "a"), ("a", "a", "a"), ("a",)),
        (("a",), (), None),
        (("a", "b"), ("a",), None),
        (("a", "b"), ("b", "a"), None),
        (("a",), ("b", "a"), None),
    ],
)
def test_patches_of_the_history_are_a_prefix_of_those_told(
    known: tuple[str, ...], told: tuple[str, ...], stored: tuple[str, ...] | None
) -> None:
    state = fold(after(), [WorkflowStarted(at_us=2, patches=known)])
    result = decided(state, [], patches=told)
    if stored is None:
        assert isinstance(result, Stalled)
        assert result.event.reason is StallReason.PATCH_MISMATCH
        assert result.event.description == (
            f"Patch mismatch. History patches: [{', '.join(known)}], "
            f"current patches: [{', '.join(told)}]. "
        )
        return
    kept = closed(state, [], patches=told)
    assert kept.turn.patches == stored
    assert kept.state.patches == told


def test_the_first_named_version_is_the_instances() -> None:
    state = closed(after(), [], version_name="v1").state
    assert state.version_name == "v1"
    later = closed(state, [], version_name="v2").state
    assert later.version_name == "v1"
    result = decided(later, [act.VersionNotAvailable(id=0), CONTINUE])
    assert isinstance(result, Stalled)
    assert result.event.reason is StallReason.VERSION_NOT_AVAILABLE
    assert result.event.description == "Version not available: v1"


def test_a_stall_is_written_once_for_each_description() -> None:
    first = stall(after(), StallReason.VERSION_NOT_AVAILABLE, "one", 5)
    assert len(first.recorded) == 1
    again = stall(first.state, StallReason.VERSION_NOT_AVAILABLE, "one", 6)
    assert (again.recorded, again.state) == ((), first.state)
    other = stall(first.state, StallReason.PATCH_MISMATCH, "two", 7)
    assert len(other.recorded) == 1
    gone_on = fold(other.state, [WorkflowStarted(at_us=8)])
    assert stall(gone_on, StallReason.PATCH_MISMATCH, "two", 9).recorded == ()
    assert gone_on.stalled is None
    assert other.state.stalled == ExecutionStalled(
        at_us=7, reason=StallReason.PATCH_MISMATCH, description="two"
    )


# ---- continue-as-new


def test_continue_as_new_begins_with_a_start_and_what_was_carried_over() -> None:
    carried = (raised("a", 0), raised("b", 0), raised("a", 7))
    action = act.Complete(id=9, status=Status.CONTINUED_AS_NEW, result="2", carryover=carried)
    other = act.ScheduleTask(id=1, name="act")
    state = after(TIMER, parent=PARENT)
    result = decided(state, [other, action], (raised("x"),), custom_status="cs")
    assert isinstance(result, ContinuedAsNew)
    start, *events = result.begin
    assert isinstance(start, ExecutionStarted)
    assert (start.name, start.instance_id, start.parent, start.input) == ("wf", "me", PARENT, "2")
    assert start.execution_id != "execution"
    assert (start.version, start.tags, start.scheduled_start_us) == (None, (), None)
    assert events == [raised("a", NOW_US), raised("b", NOW_US), raised("a", 7)]
    assert result.state == blank(2)
    assert result.custom_status == "cs"
    assert result.ended.open_timers


def test_what_stands_after_it_is_the_new_generations_and_what_stands_before_it_is_not() -> None:
    """behaviour.md 4.5."""
    before: list[act.Action] = [
        act.ScheduleTask(id=1, name="old"),
        act.CreateChild(id=2, instance_id="c", name="x"),
    ]
    after_it: list[act.Action] = [
        act.ScheduleTask(id=1, name="new"),
        act.CreateTimer(id=2, fire_at_us=77),
        act.CreateChild(id=3, instance_id="", name="wf"),
        act.SendEvent(id=4, instance_id="other", name="e"),
        act.Complete(id=5, status=Status.COMPLETED),
    ]
    carried = act.Complete(id=9, status=Status.CONTINUED_AS_NEW, carryover=(raised("a"),))
    result = decided(after(), [*before, carried, *after_it])
    assert isinstance(result, ContinuedAsNew)
    names = [type(event).__name__ for event in result.begin]
    assert names == [
        "ExecutionStarted",
        "EventRaised",
        "TaskScheduled",
        "TimerCreated",
        "ChildCreated",
        "EventSent",
    ]
    assert [type(effect).__name__ for effect in result.effects] == [
        "RunTask",
        "SetTimer",
        "Birth",
        "Tell",
    ]
    birth = result.effects[2]
    assert isinstance(birth, Birth)
    start = result.begin[0]
    assert isinstance(start, ExecutionStarted)
    assert birth.started.parent is not None
    assert birth.started.parent.execution_id == start.execution_id
    assert result.state == blank(2)
    opened = fold(result.state, result.begin)
    assert opened.open_ids == {1, 2, 3}


def test_the_first_batch_of_a_generation_shows_what_it_was_born_with_and_its_results() -> None:
    assert takable(blank(2), [started(), TASK, done(1), done(1)]) == [True, True, True, False]
    assert takable(blank(2), [started(), done(1), TASK]) == [True, False, True]


def test_an_answered_timer_that_a_generation_was_born_with_is_cancelled() -> None:
    result = closed(blank(2), [], (started(), wait(2, "go"), raised("GO")))
    assert result.effects == (CancelTimer(2),)


@pytest.mark.parametrize("ids", [(1, 1), (-1,)])
def test_ids_after_it_are_those_of_a_new_generation(ids: tuple[int, ...]) -> None:
    tasks = [act.ScheduleTask(id=number, name="act") for number in ids]
    with pytest.raises(WorkerFault):
        decided(after(), [CONTINUE, *tasks])


def test_every_generation_is_an_execution_of_its_own_with_a_trace_of_its_own() -> None:
    traced = started(trace=TraceContext("ab" * 16, "cd" * 8))
    seen = set()
    traces = set()
    for generation in range(1, 5):
        result = decided(fold(blank(generation), [traced]), [CONTINUE])
        assert isinstance(result, ContinuedAsNew)
        begin = result.begin[0]
        assert isinstance(begin, ExecutionStarted)
        assert begin.trace is not None
        traced = begin
        seen.add(begin.execution_id)
        traces.add(begin.trace.trace_id)
    assert len(seen) == len(traces) == 4


def test_an_absent_result_is_an_absent_input() -> None:
    action = act.Complete(id=9, status=Status.CONTINUED_AS_NEW)
    result = decided(after(), [action])
    assert isinstance(result, ContinuedAsNew)
    begin = result.begin[0]
    assert isinstance(begin, ExecutionStarted)
    assert begin.input is None


# ---- terminate


def order(text: str | None, *, recurse: bool = False) -> ExecutionTerminated:
    return ExecutionTerminated(at_us=4, input=text, recurse=recurse)


def test_terminate_before_the_first_turn_keeps_the_start() -> None:
    start = started(parent=PARENT)
    result = terminate(blank(), (start, raised("e"), order("out"), order("second")), ME)
    assert [type(event).__name__ for event in result.recorded] == [
        "ExecutionStarted",
        "ExecutionTerminated",
        "ExecutionCompleted",
    ]
    completed = result.state.completed
    assert completed is not None
    assert (completed.status, completed.result, completed.event_id) == (
        Status.TERMINATED,
        "out",
        -1,
    )
    assert result.state == fold(blank(), result.recorded)
    [told] = result.effects
    assert isinstance(told, TellParent)
    assert isinstance(told.event, ChildFailed)


def test_terminate_of_one_that_runs_drops_the_rest_of_the_inbox() -> None:
    result = terminate(OPEN, (done(1), raised("e"), order(None, recurse=True)), ME)
    assert result.recorded == (
        order(None, recurse=True),
        ExecutionCompleted(at_us=NOW_US, status=Status.TERMINATED),
    )
    assert result.effects == (EndChildren(None),)


def test_terminate_beats_a_generation_that_has_not_begun() -> None:
    """Its start lies in the inbox, before the terminate that came during the turn."""
    result = terminate(blank(2), (started(text="2"), raised("carried"), order("out")), ME)
    assert result.state.generation == 2
    assert result.state.phase is Status.TERMINATED
    assert result.state.started is not None
    assert result.state.started.input == "2"
