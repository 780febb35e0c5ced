"""A new instance made from the history of a finished one (behaviour.md 4.11).

Everything before the target event is copied; what was scheduled before it and not resolved by
then, and the target itself, are done again under fresh times. What came after is forgotten:
the workflow code decides it anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from perdure.base.ids import child_instance_id, derived_id
from perdure.core.applying import birth_of_child, taken
from perdure.core.effects import Birth, Effect, RunTask, SetTimer
from perdure.core.events import (
    ChildCreated,
    Event,
    ExecutionCompleted,
    ExecutionStarted,
    ExecutionTerminated,
    ParentLink,
    Router,
    TaskScheduled,
    TimerCreated,
)
from perdure.core.requests import Reason, Refusal, Rerun
from perdure.core.state import blank, fold
from perdure.core.tracing import workflow_span


@dataclass(frozen=True, slots=True)
class Rerunnable:
    """The new instance: its whole history so far and what has to be done again."""

    started: ExecutionStarted
    history: tuple[Event, ...]
    effects: tuple[Effect, ...]


Scheduled = TaskScheduled | TimerCreated | ChildCreated
_NAMES = {TaskScheduled: "activity", TimerCreated: "timer"}


def no_source(request: Rerun) -> Refusal:
    """Refuse to rerun an instance that is not there."""
    text = f"workflow instance does not exist with ID '{request.source_id}'"
    return Refusal(Reason.NOT_FOUND, text)


def source_goes_on(request: Rerun) -> Refusal:
    """Refuse to rerun an instance that has not finished."""
    return Refusal(Reason.INVALID, f"'{request.source_id}' is not in a terminal state")


def check_request(request: Rerun) -> Refusal | None:
    """Decide what can be decided before the source is read."""
    if not request.source_id:
        return Refusal(Reason.INVALID, "rerun workflow source instance ID is required")
    if request.source_id == request.new_id:
        text = "rerun workflow instance ID must be different from the original instance ID"
        return Refusal(Reason.INVALID, text)
    return None


def rerun(
    request: Rerun, history: Sequence[Event], app_id: str, now_us: int
) -> Rerunnable | Refusal:
    """Return the instance that begins at the request's event, or why there can be none."""
    started = next((e for e in history if isinstance(e, ExecutionStarted)), None)
    finished = bool(history) and isinstance(history[-1], ExecutionCompleted)
    if started is None or not finished:
        return source_goes_on(request)
    if started.parent is not None:
        return Refusal(Reason.INVALID, f"'{request.source_id}': cannot rerun from child-workflows")
    target = _target(request, history)
    if isinstance(target, Refusal):
        return target
    return _build(request, history[: history.index(target)], target, app_id, now_us)


def _target(request: Rerun, history: Sequence[Event]) -> Scheduled | Refusal:
    named = [event for event in history if event.event_id == request.event_id]
    if not named or request.event_id < 0:
        text = f"does not have history event with ID '{request.event_id}'"
        return Refusal(Reason.NOT_FOUND, text)
    target = named[0]
    if not isinstance(target, TaskScheduled | TimerCreated | ChildCreated):
        kind = type(target).__name__
        text = (
            f"target event '*protos.HistoryEvent_{kind}' with ID "
            f"'{request.event_id}' is not an event that can be rerun"
        )
        return Refusal(Reason.NOT_FOUND, text)
    what = _NAMES.get(type(target))
    if request.overwrite_input and isinstance(target, TimerCreated):
        text = f"cannot write input to timer event '{request.event_id}'"
        return Refusal(Reason.INVALID, text)
    if request.new_child_id is not None and what is not None:
        text = f"cannot set new child workflow instance ID on {what} event '{request.event_id}'"
        return Refusal(Reason.INVALID, text)
    return target


def _build(
    request: Rerun, before: Sequence[Event], target: Scheduled, app_id: str, now_us: int
) -> Rerunnable:
    before = [e for e in before if not isinstance(e, ExecutionCompleted | ExecutionTerminated)]
    unresolved = fold(blank(), before).open_ids
    source = next(e for e in before if isinstance(e, ExecutionStarted))
    execution_id = derived_id(source.execution_id, "rerun", request.new_id)
    started = replace(
        source,
        instance_id=request.new_id,
        execution_id=execution_id,
        span_id=workflow_span(source.trace, execution_id),
    )
    copied: list[Event] = []
    again: list[Scheduled] = []
    for event in before:
        match event:
            case ExecutionStarted():
                copied.append(started)
            case TaskScheduled() | TimerCreated() | ChildCreated() if event.event_id in unresolved:
                again.append(event)
            case _:
                copied.append(event)
    again.append(target)
    fresh: list[Event] = []
    effects: list[Effect] = []
    for event in again:
        event_again, effect = _again(request, event, started, app_id, now_us)
        fresh.append(event_again)
        effects.append(effect)
    return Rerunnable(started, (*copied, *fresh), tuple(effects))


def _again(
    request: Rerun, event: Scheduled, started: ExecutionStarted, app_id: str, now_us: int
) -> tuple[Event, Effect]:
    is_target = event.event_id == request.event_id
    rewritten = request.input if is_target and request.overwrite_input else None
    target_app = event.router.target_app if event.router is not None else None
    target_app = target_app or app_id
    match event:
        case TaskScheduled():
            overwritten = is_target and request.overwrite_input
            task = replace(
                event,
                at_us=now_us,
                input=rewritten if overwritten else event.input,
                rerun_of=request.source_id,
            )
            return task, RunTask(task, target_app)
        case TimerCreated():
            duration_us = max(0, event.fire_at_us - event.at_us)
            timer = replace(
                event, at_us=now_us, fire_at_us=now_us + duration_us, rerun_of=request.source_id
            )
            return timer, SetTimer(timer)
        case ChildCreated():
            child_id = child_instance_id(request.new_id, event.event_id)
            if is_target and request.new_child_id:
                child_id = request.new_child_id
            overwritten = is_target and request.overwrite_input
            child = replace(
                event,
                at_us=now_us,
                instance_id=child_id,
                input=rewritten if overwritten else event.input,
                rerun_of=request.source_id,
            )
            link = ParentLink(
                request.new_id,
                started.execution_id,
                started.name,
                started.version,
                event.event_id,
                app_id,
            )
            execution_id = derived_id(started.execution_id, 1, "child", event.event_id)
            birth = birth_of_child(child, link, execution_id, Router(target_app))
            return child, Birth(birth, target_app, taken(child), event.scope)
