"""One turn: what workflow code decided about a batch of events, made into history and effects.

Theory of operation. A turn takes a batch from the inbox, under a fresh WorkflowStarted whose
time is the workflow's clock. The batch is frozen while a worker has it: whatever arrives
meanwhile waits for the next turn, so that a late answer to the same batch means the same.
The worker's `Decision` then closes the turn in one of three ways:

- `Closed`: the batch and one event per action go to the history; effects follow.
- `ContinuedAsNew`: the history is wiped, ids restart, and a new generation begins with a fresh
  ExecutionStarted and the events carried over. What stood before it in the answer is discarded;
  what stood after it is the new generation's, which sees the events of it in its first batch.
- `Stalled`: nothing of the turn is kept, except once per description an ExecutionStalled; the
  inbox stays, and the turn is tried again when something may have changed.

A terminate never waits for a worker: `terminate` closes the instance by itself.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeAlias

from perdure.base.ids import derived_id
from perdure.base.records import dataclass
from perdure.core import actions as act
from perdure.core.applying import Caller, apply_actions
from perdure.core.effects import CancelTimer, Effect, EndChildren, TellParent
from perdure.core.events import (
    ChildCompleted,
    ChildCreated,
    ChildFailed,
    Event,
    EventRaised,
    ExecutionCompleted,
    ExecutionStalled,
    ExecutionStarted,
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
from perdure.core.state import State, blank, extended, fold
from perdure.core.status import Status
from perdure.core.tracing import root, workflow_span


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """A turn that is to be kept: history is `turn`, then the batch, then `recorded`."""

    turn: WorkflowStarted
    recorded: tuple[Event, ...]
    state: State
    effects: tuple[Effect, ...]
    custom_status: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContinuedAsNew:
    """The old generation is to be wiped and `begin` to be the head of the new one's inbox."""

    begin: tuple[Event, ...]
    effects: tuple[Effect, ...]  # of the new generation
    state: State
    ended: State  # the generation that is over
    custom_status: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stalled:
    """Nothing is to be kept but `recorded` (empty if this stall is already in the history)."""

    event: ExecutionStalled
    recorded: tuple[ExecutionStalled, ...]
    state: State


# What a turn comes to.
TurnResult: TypeAlias = Closed | ContinuedAsNew | Stalled


def takable(state: State, inbox: Iterable[Event]) -> list[bool]:
    """Tell for each event of an inbox whether a turn of this generation should see it.

    A second start, and the result of something that is not awaited or is already in the batch,
    are not shown: stragglers of an earlier generation must not resolve what reuses their id.
    """
    tasks, timers, children = (
        set(state.open_tasks),
        set(state.open_timers),
        set(state.open_children),
    )
    # What a new generation was born with is awaited as soon as it is seen.
    awaited = {TaskScheduled: tasks, TimerCreated: timers, ChildCreated: children}
    started = state.started is not None
    verdicts = []
    for event in inbox:
        match event:
            case ExecutionStarted():
                keep, started = not started, True
            case TaskScheduled() | TimerCreated() | ChildCreated():
                keep = True
                awaited[type(event)].add(event.event_id)
            case TaskCompleted() | TaskFailed():
                keep = event.task_id in tasks
                tasks.discard(event.task_id)
            case TimerFired():
                keep = event.timer_id in timers
                timers.discard(event.timer_id)
            case ChildCompleted() | ChildFailed():
                keep = event.task_id in children
                children.discard(event.task_id)
            case _:
                keep = True
        verdicts.append(keep)
    return verdicts


def close(
    state: State,
    turn: WorkflowStarted,
    batch: tuple[Event, ...],
    decision: act.Decision,
    caller: Caller,
) -> TurnResult:
    """Close a turn with a worker's decision.

    Raises WorkerFault if the decision breaks the protocol; then nothing has changed.
    """
    assert not state.finished, "a finished instance takes no turn"
    stalled = _stall_of(state, decision, caller.now_us)
    if stalled is not None:
        return stalled
    patches = decision.patches[len(state.patches) :]
    if patches or decision.version_name is not None:
        turn = replace(turn, patches=patches, version_name=decision.version_name)
    opened = fold(state, (turn, *batch))
    assert opened.started is not None, "a turn's batch or history holds the start"
    for action in decision.actions:
        if isinstance(action, act.Complete):
            if action.status is Status.CONTINUED_AS_NEW:
                return _continue_as_new(opened, action, decision, caller)
            break  # the first completion counts
    applied = apply_actions(opened, decision.actions, caller)
    cancelled = _cancelled(state, opened, batch)
    after = extended(opened, applied.recorded)
    effects = (*cancelled, *applied.effects, *_outcome(after))
    return Closed(
        turn=turn,
        recorded=applied.recorded,
        state=after,
        effects=effects,
        custom_status=decision.custom_status,
    )


def terminate(state: State, inbox: tuple[Event, ...], caller: Caller) -> Closed:
    """End an instance whose inbox holds an ExecutionTerminated, without asking a worker.

    The history keeps the start, if no turn had taken it yet, and the terminate; the rest of
    the inbox is dropped. The first terminate wins.
    """
    assert not state.finished, "a finished instance cannot be terminated"
    order = next(e for e in inbox if isinstance(e, ExecutionTerminated))
    kept: list[Event] = []
    if state.started is None:
        kept += [e for e in inbox if isinstance(e, ExecutionStarted)][:1]
    completed = ExecutionCompleted(
        at_us=caller.now_us, status=Status.TERMINATED, result=order.input
    )
    recorded = (*kept, order, completed)
    after = fold(state, recorded)
    assert after.started is not None, "every instance has a start in its history or inbox"
    effects: tuple[Effect, ...] = _outcome(after)
    if order.recurse:
        effects = (*effects, EndChildren(order.input))
    turn = WorkflowStarted(at_us=caller.now_us)
    return Closed(turn=turn, recorded=recorded, state=after, effects=effects, custom_status=None)


def stall(state: State, reason: StallReason, description: str, now_us: int) -> Stalled:
    """Stall an instance; the same description is written to its history only once."""
    event = ExecutionStalled(at_us=now_us, reason=reason, description=description)
    if description in state.stall_descriptions:
        return Stalled(event=event, recorded=(), state=state)
    return Stalled(event=event, recorded=(event,), state=fold(state, (event,)))


def _stall_of(state: State, decision: act.Decision, now_us: int) -> Stalled | None:
    for action in decision.actions:
        if isinstance(action, act.VersionNotAvailable):
            text = f"Version not available: {state.version_name or ''}"
            return stall(state, StallReason.VERSION_NOT_AVAILABLE, text, now_us)
    known = state.patches
    if decision.patches[: len(known)] == known:
        return None
    text = (
        f"Patch mismatch. History patches: [{', '.join(known)}], "
        f"current patches: [{', '.join(decision.patches)}]. "
    )
    return stall(state, StallReason.PATCH_MISMATCH, text, now_us)


def _continue_as_new(
    opened: State, completion: act.Complete, decision: act.Decision, caller: Caller
) -> ContinuedAsNew:
    before = opened.started
    assert before is not None, "only a started instance continues"
    execution_id = derived_id(before.execution_id, "continued", opened.generation)
    trace = None if before.trace is None else root(execution_id)
    started = replace(
        before,
        at_us=caller.now_us,
        execution_id=execution_id,
        version=None,
        input=completion.result,
        scheduled_start_us=None,
        trace=trace,
        span_id=workflow_span(trace, execution_id),
        tags=(),
    )
    carried = tuple(
        replace(e, at_us=e.at_us or caller.now_us, event_id=-1) for e in completion.carryover
    )
    generation = opened.generation + 1
    later = decision.actions[decision.actions.index(completion) + 1 :]
    applied = apply_actions(
        fold(blank(generation), (started, *carried)),
        (action for action in later if not isinstance(action, act.Complete)),
        caller,
    )
    return ContinuedAsNew(
        begin=(started, *carried, *applied.recorded),
        effects=applied.effects,
        state=blank(generation),
        ended=opened,
        custom_status=decision.custom_status,
    )


def _cancelled(state: State, opened: State, batch: tuple[Event, ...]) -> list[CancelTimer]:
    if not any(isinstance(event, EventRaised) for event in batch):
        return []
    fired = {event.timer_id for event in batch if isinstance(event, TimerFired)}
    # The first batch of a generation may hold timers of its own (`_continue_as_new`).
    created = {event.event_id for event in batch if isinstance(event, TimerCreated)}
    gone = (state.open_timers.keys() | created) - opened.open_timers.keys() - fired
    return [CancelTimer(timer_id) for timer_id in sorted(gone)]


def _outcome(after: State) -> tuple[Effect, ...]:
    completed, started = after.completed, after.started
    if completed is None or started is None or started.parent is None:
        return ()
    task_id = started.parent.task_id
    if completed.status is Status.COMPLETED:
        event: Event = ChildCompleted(
            at_us=completed.at_us, task_id=task_id, result=completed.result
        )
    else:
        failure = completed.failure or Failure(
            "WorkflowTerminated",
            f"child workflow '{started.instance_id}' ended {completed.status.name}",
        )
        event = ChildFailed(at_us=completed.at_us, task_id=task_id, failure=failure)
    return (TellParent(event),)
