"""What each kind of action comes to (the table of behaviour.md 4.4)."""

import pytest

from perdure.base.errors import WorkerFault
from perdure.core import actions as act
from perdure.core.effects import Birth, RunTask, SetTimer, Tell
from perdure.core.events import (
    ChildCreated,
    ChildFailed,
    DetachedCreated,
    EventRaised,
    EventSent,
    ExecutionCompleted,
    ExecutionTerminated,
    Failure,
    PropagationScope,
    Router,
    TaskCompleted,
    TaskScheduled,
    TimerCreated,
)
from perdure.core.state import blank, fold
from perdure.core.status import TERMINAL, Status
from perdure.core.tracing import TraceContext
from tests.kit.histories import NOW_US, after, closed, decided, started

TRACE = TraceContext("ab" * 16, "cd" * 8, "01", "vendor=1")


def test_an_activity() -> None:
    action = act.ScheduleTask(
        id=3,
        name="act",
        version="v",
        input="1",
        execution_id="e",
        scope=PropagationScope.LINEAGE,
    )
    result = closed(after(), [action])
    [scheduled] = result.recorded
    assert scheduled == TaskScheduled(
        at_us=NOW_US,
        event_id=3,
        name="act",
        version="v",
        input="1",
        execution_id="e",
        scope=PropagationScope.LINEAGE,
    )
    assert result.effects == (RunTask(scheduled, "app"),)
    assert result.state.open_tasks == {3: scheduled}


def test_a_timer_keeps_its_name_and_origin() -> None:
    action = act.CreateTimer(
        id=4, fire_at_us=9, name="n", origin=5, origin_bytes=b"\n\x01e", awaited_event="e"
    )
    result = closed(after(), [action])
    [created] = result.recorded
    assert created == TimerCreated(
        at_us=NOW_US,
        event_id=4,
        fire_at_us=9,
        name="n",
        origin=5,
        origin_bytes=b"\n\x01e",
        awaited_event="e",
    )
    assert result.effects == (SetTimer(created),)


@pytest.mark.parametrize(
    ("given", "action_id", "expected"),
    [("own", 5, "own"), ("", 0, "me:0000"), ("", 5, "me:0005"), ("", 70_000, "me:11170")],
)
def test_a_child_and_its_id(given: str, action_id: int, expected: str) -> None:
    action = act.CreateChild(id=action_id, instance_id=given, name="inner", version="v", input="1")
    result = closed(after(), [action])
    [created] = result.recorded
    assert isinstance(created, ChildCreated)
    assert (created.event_id, created.instance_id) == (action_id, expected)
    [birth] = result.effects
    assert isinstance(birth, Birth)
    born = birth.started
    assert (born.instance_id, born.name, born.input) == (expected, "inner", "1")
    assert (born.version, born.tags) == (None, ()), "neither travels to a child"
    assert born.execution_id not in {"", "execution"}
    assert born.parent is not None
    link = born.parent
    assert (link.instance_id, link.execution_id, link.name, link.task_id, link.app_id) == (
        "me",
        "execution",
        "wf",
        action_id,
        "app",
    )
    assert birth.if_taken == ChildFailed(
        at_us=NOW_US,
        task_id=action_id,
        failure=Failure(
            "WorkflowInstanceAlreadyExists",
            f"an active workflow with ID '{expected}' already exists",
        ),
    )


def test_children_of_two_generations_are_two_executions() -> None:
    action = act.CreateChild(id=1, instance_id="c", name="inner")
    births = [closed(after(generation=n), [action]).effects[0] for n in (1, 2)]
    assert all(isinstance(birth, Birth) for birth in births)
    ids = {birth.started.execution_id for birth in births if isinstance(birth, Birth)}
    assert len(ids) == 2


def test_a_detached_workflow_has_no_parent() -> None:
    action = act.CreateDetached(
        id=6, instance_id="d", name="other", version="v", input="1", tags=(("k", "v"),)
    )
    result = closed(after(), [action])
    assert result.recorded == (DetachedCreated(at_us=NOW_US, event_id=6, instance_id="d"),)
    [birth] = result.effects
    assert isinstance(birth, Birth)
    assert birth.if_taken is None
    assert birth.started.parent is None
    assert (birth.started.version, birth.started.tags) == ("v", (("k", "v"),))
    assert not result.state.open_ids, "nobody waits for it"


def test_an_event_sent() -> None:
    result = closed(after(), [act.SendEvent(id=7, instance_id="o", name="E", input="1")])
    assert result.recorded == (
        EventSent(at_us=NOW_US, event_id=7, instance_id="o", name="E", input="1"),
    )
    assert result.effects == (Tell("o", EventRaised(at_us=NOW_US, name="E", input="1")),)


def test_a_terminate_of_another() -> None:
    result = closed(after(), [act.Terminate(id=8, instance_id="o", reason="r", recurse=True)])
    assert result.recorded == ()
    order = ExecutionTerminated(at_us=NOW_US, input="r", recurse=True)
    assert result.effects == (Tell("o", order),)


@pytest.mark.parametrize("status", sorted(TERMINAL))
def test_a_completion(status: Status) -> None:
    action = act.Complete(id=9, status=status, result="x", failure=b"f")
    result = closed(after(), [action])
    [completed] = result.recorded
    assert completed == ExecutionCompleted(
        at_us=NOW_US, event_id=9, status=status, result="x", failure=b"f"
    )
    assert result.state.phase is status


@pytest.mark.parametrize(
    "status", [Status.RUNNING, Status.PENDING, Status.SUSPENDED, Status.STALLED]
)
def test_a_completion_that_is_none(status: Status) -> None:
    with pytest.raises(WorkerFault, match=status.name):
        decided(after(), [act.Complete(id=9, status=status)])


def test_the_first_completion_wins() -> None:
    ends = [
        act.Complete(id=1, status=Status.COMPLETED, result="first"),
        act.Complete(id=2, status=Status.FAILED, result="second"),
        act.Complete(id=3, status=Status.CONTINUED_AS_NEW),
    ]
    result = closed(after(), ends)
    assert result.state.completed is not None
    assert result.state.completed.result == "first"
    assert len(result.recorded) == 1


def test_beside_a_completion_activities_and_children_run_and_timers_do_not() -> None:
    task = act.ScheduleTask(id=1, name="act")
    child = act.CreateChild(id=2, instance_id="c", name="inner")
    clock = act.CreateTimer(id=3, fire_at_us=9)
    end = act.Complete(id=4, status=Status.COMPLETED)
    actions: list[act.Action] = [task, child, clock, end]
    for order in (actions, actions[::-1]):
        result = closed(after(), order)
        assert {type(effect) for effect in result.effects} == {RunTask, Birth}
        assert len(result.recorded) == 4, "all of them are in the history"


def test_the_completion_is_the_last_event_wherever_it_stood() -> None:
    """The store and a rerun find the outcome at the end of a history."""
    end = act.Complete(id=4, status=Status.COMPLETED)
    result = closed(after(), [end, act.ScheduleTask(id=1, name="act")])
    assert isinstance(result.recorded[-1], ExecutionCompleted)


def test_events_stand_in_the_order_of_the_actions() -> None:
    ids = [5, 2, 9, 0]
    result = closed(after(), [act.ScheduleTask(id=n, name="act") for n in ids])
    assert [event.event_id for event in result.recorded] == ids


@pytest.mark.parametrize(
    "second",
    [
        act.ScheduleTask(id=1, name="act"),
        act.CreateTimer(id=1, fire_at_us=9),
        act.CreateChild(id=1, instance_id="c", name="inner"),
        act.CreateDetached(id=1, instance_id="d", name="other"),
        act.SendEvent(id=1, instance_id="o", name="e"),
    ],
)
def test_an_id_used_twice_is_the_workers_fault(second: act.Action) -> None:
    first = act.ScheduleTask(id=1, name="act")
    with pytest.raises(WorkerFault, match="action id 1"):
        decided(after(), [first, second])
    open_task = after(TaskScheduled(at_us=2, event_id=1, name="act"))
    with pytest.raises(WorkerFault, match="action id 1"):
        decided(open_task, [second])
    ended = fold(open_task, [TaskCompleted(at_us=3, task_id=1)])
    assert closed(ended, [second]).recorded[0].event_id == 1


@pytest.mark.parametrize("action_id", [-1, -(2**31)])
def test_a_negative_id_is_the_workers_fault_save_for_a_completion(action_id: int) -> None:
    with pytest.raises(WorkerFault):
        decided(after(), [act.ScheduleTask(id=action_id, name="act")])
    end = act.Complete(id=action_id, status=Status.FAILED)
    assert closed(after(), [end]).state.phase is Status.FAILED


@pytest.mark.parametrize(
    "action",
    [
        act.CreateDetached(id=1, instance_id="", name="other"),
        act.SendEvent(id=1, instance_id="", name="e"),
        act.Terminate(id=1, instance_id=""),
    ],
)
def test_a_missing_instance_id_is_the_workers_fault(action: act.Action) -> None:
    with pytest.raises(WorkerFault, match="needs an instance id"):
        decided(after(), [action])


@pytest.mark.parametrize(
    ("router", "recorded", "app_id"),
    [
        (None, None, "app"),
        (Router(), None, "app"),
        (Router("", "app"), None, "app"),
        (Router("", "other", "ns"), Router("app", "other", "ns"), "other"),
        (Router("forged", "other"), Router("app", "other"), "other"),
    ],
)
def test_where_work_is_sent(router: Router | None, recorded: Router | None, app_id: str) -> None:
    task = act.ScheduleTask(id=1, name="act", router=router)
    child = act.CreateChild(id=2, instance_id="c", name="inner", router=router)
    result = closed(after(), [task, child])
    assert [event.router for event in result.recorded] == [recorded, recorded]
    assert [e.app_id for e in result.effects if isinstance(e, RunTask | Birth)] == [app_id] * 2
    [birth] = [effect for effect in result.effects if isinstance(effect, Birth)]
    assert birth.started.router == Router(app_id), "a worker reads its own app there"


def test_traces_go_on_and_are_the_same_when_computed_again() -> None:
    state = fold(blank(), [started(trace=TRACE)])
    actions: list[act.Action] = [
        act.ScheduleTask(id=1, name="act"),
        act.CreateChild(id=2, instance_id="c", name="inner"),
        act.CreateDetached(id=3, instance_id="d", name="other"),
        act.CreateDetached(id=4, instance_id="d2", name="other", trace=TRACE),
    ]
    result = closed(state, actions)
    task, child = result.recorded[:2]
    assert isinstance(task, TaskScheduled)
    assert isinstance(child, ChildCreated)
    births = [effect.started for effect in result.effects if isinstance(effect, Birth)]
    contexts = [task.trace, child.trace, births[1].trace]
    assert all(
        c and (c.trace_id, c.flags, c.state) == ("ab" * 16, "01", "vendor=1") for c in contexts
    )
    assert len({context.span_id for context in contexts if context}) == 3
    assert births[0].trace == child.trace
    assert births[2].trace == TRACE, "a trace of its own stays"
    assert all(birth.span_id for birth in births)
    assert closed(state, actions) == result
    untraced = closed(after(), actions[:2])
    assert all(getattr(event, "trace", None) is None for event in untraced.recorded)
