"""Actions applied in list order: each becomes the event of its id and the effect behind it.

The rules are the table of behaviour.md 4.4. The event of an action has the action's id, since
SDKs match by it when they replay; the first completion of a list wins; activities and children
beside a completion still run, timers beside it are recorded but not set. What the policies of
another app do not allow is recorded and fails at once, without being begun.
"""

from collections.abc import Iterable
from typing import assert_never

from perdure.base.errors import WorkerFault
from perdure.base.ids import child_instance_id, derived_id
from perdure.base.records import dataclass
from perdure.core import actions as act
from perdure.core.access import DENIED, DENIED_TYPE, OPEN, Access, Operation
from perdure.core.effects import Birth, Effect, Forbidden, RunTask, SetTimer, Tell, TellSelf
from perdure.core.events import (
    ChildCreated,
    ChildFailed,
    DetachedCreated,
    Event,
    EventRaised,
    EventSent,
    ExecutionCompleted,
    ExecutionStarted,
    ExecutionTerminated,
    Failure,
    ParentLink,
    Router,
    TaskFailed,
    TaskScheduled,
    TimerCreated,
)
from perdure.core.state import State
from perdure.core.status import TERMINAL
from perdure.core.tracing import TraceContext, below, workflow_span

_DENIED = Failure(DENIED_TYPE, DENIED)


@dataclass(frozen=True, slots=True)
class Caller:
    """The instance whose turn it is, the time, and what may be done in other apps."""

    instance_id: str
    app_id: str
    now_us: int
    access: Access = OPEN


@dataclass(frozen=True, slots=True)
class Applied:
    """What a list of actions came to."""

    recorded: tuple[Event, ...]
    effects: tuple[Effect, ...]


def apply_actions(state: State, actions: Iterable[act.Action], caller: Caller) -> Applied:
    """Return the events and effects of `actions` on a turn that is opened on `state`.

    Raises WorkerFault for an id that is negative, used twice in the list or still awaited, a
    completion that is not terminal, or an instance id that is missing where one is needed. An id
    whose result has come may be used again: Microsoft's SDK tries a failed task again under it.
    """
    recorded: list[Event] = []
    effects: list[Effect] = []
    used = state.open_ids
    completed = False
    for action in actions:
        if isinstance(action, act.Complete):
            if completed:
                continue
            completed = True
        elif action.id < 0 or action.id in used:
            msg = f"action id {action.id} is negative or in use already"
            raise WorkerFault(msg)
        used.add(action.id)
        event, effect = _apply(state, action, caller)
        if event is not None:
            recorded.append(event)
        if effect is not None:
            effects.append(effect)
    if completed:
        # An outcome is looked for at the end of a history, wherever it stood among the actions.
        recorded.sort(key=lambda event: isinstance(event, ExecutionCompleted))
        effects = [effect for effect in effects if not isinstance(effect, SetTimer)]
    return Applied(tuple(recorded), tuple(effects))


def _apply(  # noqa: C901, PLR0911 - one case a kind of action
    state: State, action: act.Action, caller: Caller
) -> tuple[Event | None, Effect | None]:
    match action:
        case act.ScheduleTask():
            return _schedule_task(state, action, caller)
        case act.CreateTimer():
            created = TimerCreated(
                at_us=caller.now_us,
                event_id=action.id,
                fire_at_us=action.fire_at_us,
                name=action.name,
                origin=action.origin,
                origin_bytes=action.origin_bytes,
                awaited_event=action.awaited_event,
            )
            return created, SetTimer(created)
        case act.CreateChild():
            return _create_child(state, action, caller)
        case act.CreateDetached():
            return _create_detached(state, action, caller)
        case act.SendEvent():
            return _send_event(action, caller)
        case act.Complete():
            return _complete(action, caller), None
        case act.Terminate():
            order = ExecutionTerminated(
                at_us=caller.now_us, input=action.reason, recurse=action.recurse
            )
            return None, Tell(_named(action.instance_id, "terminateWorkflow"), order)
        case act.VersionNotAvailable():
            msg = "workflowVersionNotAvailable closes a turn by itself"
            raise AssertionError(msg)
        case _:
            assert_never(action)


def _named(instance_id: str, what: str) -> str:
    if not instance_id:
        msg = f"{what} needs an instance id"
        raise WorkerFault(msg)
    return instance_id


def _span(state: State, *cause: str | int) -> TraceContext | None:
    started = state.started
    assert started is not None, "actions come from a started instance"
    return below(started.trace, started.execution_id, *cause)


def _target(router: Router | None, caller: Caller) -> tuple[Router | None, str]:
    """Return the router to record and the app that is meant; none is recorded for our own."""
    if router is None or not router.target_app or router.target_app == caller.app_id:
        return None, caller.app_id
    recorded = Router(caller.app_id, router.target_app, router.target_namespace)
    return recorded, router.target_app


def _schedule_task(state: State, action: act.ScheduleTask, caller: Caller) -> tuple[Event, Effect]:
    router, app_id = _target(action.router, caller)
    scheduled = TaskScheduled(
        at_us=caller.now_us,
        event_id=action.id,
        router=router,
        name=action.name,
        version=action.version,
        input=action.input,
        execution_id=action.execution_id,
        trace=_span(state, "task", action.id),
        scope=action.scope,
    )
    if caller.access.denies_activity(caller.app_id, app_id, action.name) is not None:
        failed = TaskFailed(
            at_us=caller.now_us,
            task_id=action.id,
            failure=_DENIED,
            execution_id=action.execution_id,
        )
        return scheduled, TellSelf(failed)
    return scheduled, RunTask(scheduled, app_id)


def _create_child(state: State, action: act.CreateChild, caller: Caller) -> tuple[Event, Effect]:
    parent = state.started
    assert parent is not None, "actions come from a started instance"
    router, app_id = _target(action.router, caller)
    child_id = action.instance_id or child_instance_id(caller.instance_id, action.id)
    trace = _span(state, "child", action.id)
    created = ChildCreated(
        at_us=caller.now_us,
        event_id=action.id,
        router=router,
        instance_id=child_id,
        name=action.name,
        version=action.version,
        input=action.input,
        trace=trace,
        retry_of=action.retry_of,
        scope=action.scope,
    )
    if caller.access.denies(caller.app_id, app_id, Operation.SCHEDULE, action.name) is not None:
        return created, TellSelf(
            ChildFailed(at_us=caller.now_us, task_id=action.id, failure=_DENIED)
        )
    link = ParentLink(
        instance_id=caller.instance_id,
        execution_id=parent.execution_id,
        name=parent.name,
        version=parent.version,
        task_id=action.id,
        app_id=caller.app_id,
    )
    execution_id = derived_id(parent.execution_id, state.generation, "child", action.id)
    started = birth_of_child(created, link, execution_id, Router(app_id))
    return created, Birth(started, app_id, taken(created), action.scope)


def birth_of_child(
    created: ChildCreated, link: ParentLink, execution_id: str, router: Router
) -> ExecutionStarted:
    """Return the start of the child that `created` announces: no version, no tags of its own."""
    return ExecutionStarted(
        at_us=created.at_us,
        router=router,
        name=created.name,
        instance_id=created.instance_id,
        execution_id=execution_id,
        input=created.input,
        parent=link,
        trace=created.trace,
        span_id=workflow_span(created.trace, execution_id),
    )


def taken(created: ChildCreated) -> ChildFailed:
    """Return what the parent is told when the child's id belongs to an active instance."""
    return ChildFailed(
        at_us=created.at_us,
        task_id=created.event_id,
        failure=Failure(
            "WorkflowInstanceAlreadyExists",
            f"an active workflow with ID '{created.instance_id}' already exists",
        ),
    )


def _create_detached(
    state: State, action: act.CreateDetached, caller: Caller
) -> tuple[Event, Effect]:
    parent = state.started
    assert parent is not None, "actions come from a started instance"
    _, app_id = _target(action.router, caller)
    instance_id = _named(action.instance_id, "createDetachedWorkflow")
    trace = action.trace or _span(state, "detached", action.id)
    execution_id = derived_id(parent.execution_id, state.generation, "detached", action.id)
    started = ExecutionStarted(
        at_us=caller.now_us,
        router=Router(app_id),
        name=action.name,
        instance_id=instance_id,
        execution_id=execution_id,
        version=action.version,
        input=action.input,
        scheduled_start_us=action.scheduled_start_us,
        trace=trace,
        span_id=workflow_span(trace, execution_id),
        tags=action.tags,
    )
    created = DetachedCreated(at_us=caller.now_us, event_id=action.id, instance_id=instance_id)
    denied = caller.access.denies(caller.app_id, app_id, Operation.SCHEDULE, action.name)
    if denied is not None:
        return created, Forbidden(denied)
    return created, Birth(started, app_id, None)


def _send_event(action: act.SendEvent, caller: Caller) -> tuple[Event, Effect]:
    target = _named(action.instance_id, "sendEvent")
    sent = EventSent(
        at_us=caller.now_us,
        event_id=action.id,
        instance_id=target,
        name=action.name,
        input=action.input,
    )
    return sent, Tell(
        target, EventRaised(at_us=caller.now_us, name=action.name, input=action.input)
    )


def _complete(action: act.Complete, caller: Caller) -> Event:
    if action.status not in TERMINAL:
        msg = f"a workflow cannot complete with status {action.status.name}"
        raise WorkerFault(msg)
    return ExecutionCompleted(
        at_us=caller.now_us,
        event_id=action.id,
        status=action.status,
        result=action.result,
        failure=action.failure,
    )
