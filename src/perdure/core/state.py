"""What is known of an instance: the fold of its history.

Rules of this room:
- `fold(blank(), history)` is the state; nothing else makes one, so a state can always be had
  again from what is on disk.
- A state is never changed once it is handed out: `fold` copies, then folds into the copy.
- Ids restart with every generation. A continue-as-new therefore starts from `blank()` again,
  keeping only the generation's number.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from perdure.core.events import (
    ChildCompleted,
    ChildCreated,
    ChildFailed,
    DetachedCreated,
    Event,
    EventRaised,
    EventSent,
    ExecutionCompleted,
    ExecutionResumed,
    ExecutionStalled,
    ExecutionStarted,
    ExecutionSuspended,
    ExecutionTerminated,
    TaskCompleted,
    TaskFailed,
    TaskScheduled,
    TimerCreated,
    TimerFired,
    WorkflowStarted,
)
from perdure.core.status import Status


@dataclass(slots=True)
class State:
    """One generation of an instance. Treat it as frozen: only `fold` writes to its own copy."""

    generation: int = 1
    started: ExecutionStarted | None = None
    completed: ExecutionCompleted | None = None
    stalled: ExecutionStalled | None = None
    stall_descriptions: frozenset[str] = frozenset()
    open_tasks: dict[int, TaskScheduled] = field(default_factory=dict)
    open_timers: dict[int, TimerCreated] = field(default_factory=dict)
    open_children: dict[int, ChildCreated] = field(default_factory=dict)
    patches: tuple[str, ...] = ()
    version_name: str | None = None
    last_turn_us: int = 0
    history_length: int = 0

    @property
    def phase(self) -> Status:
        """The phase (`core.status`) that the history alone tells."""
        if self.completed is not None:
            return self.completed.status
        return Status.RUNNING if self.started is not None else Status.PENDING

    @property
    def finished(self) -> bool:
        """Whether the instance has ended."""
        return self.completed is not None

    def copy(self) -> "State":
        """Return a state that may be written to."""
        return State(
            self.generation,
            self.started,
            self.completed,
            self.stalled,
            self.stall_descriptions,
            self.open_tasks.copy(),
            self.open_timers.copy(),
            self.open_children.copy(),
            self.patches,
            self.version_name,
            self.last_turn_us,
            self.history_length,
        )

    @property
    def open_ids(self) -> set[int]:
        """Every action id whose result is still awaited."""
        return {*self.open_tasks, *self.open_timers, *self.open_children}


def blank(generation: int = 1) -> State:
    """Return the state of a generation of which nothing has happened yet."""
    assert generation >= 1, generation
    return State(generation=generation)


def fold(state: State, events: Iterable[Event]) -> State:
    """Return the state after `events`, leaving `state` as it was."""
    return extended(state.copy(), events)


def extended(own: State, events: Iterable[Event]) -> State:
    """Fold `events` into a copy that nobody else has seen, and return it."""
    for event in events:
        _evolve(own, event)
        own.history_length += 1
    return own


def _evolve(state: State, event: Event) -> None:  # noqa: C901, PLR0912 - one case a kind
    if not isinstance(event, ExecutionStalled):
        state.stalled = None  # behaviour.md 4.3: any other event clears the stall.
    match event:
        case WorkflowStarted():
            state.last_turn_us = max(state.last_turn_us, event.at_us)
            if event.patches:
                state.patches += event.patches
            state.version_name = state.version_name or event.version_name
        case ExecutionStarted():
            assert state.started is None, "a generation starts once"
            state.started = event
        case ExecutionCompleted():
            assert state.completed is None, "an instance completes once"
            state.completed = event
        case ExecutionStalled():
            state.stalled = event
            state.stall_descriptions |= {event.description}
        case TaskScheduled():
            state.open_tasks[event.event_id] = event
        case TimerCreated():
            state.open_timers[event.event_id] = event
        case ChildCreated():
            state.open_children[event.event_id] = event
        case TaskCompleted() | TaskFailed():
            state.open_tasks.pop(event.task_id, None)
        case TimerFired():
            state.open_timers.pop(event.timer_id, None)
        case ChildCompleted() | ChildFailed():
            state.open_children.pop(event.task_id, None)
        case EventRaised():
            answered = answered_timer(state.open_timers, event.name)
            if answered is not None:
                del state.open_timers[answered]
        case (
            EventSent()
            | DetachedCreated()
            | ExecutionTerminated()
            | ExecutionSuspended()
            | ExecutionResumed()
        ):
            pass


def answered_timer(open_timers: dict[int, TimerCreated], event_name: str) -> int | None:
    """Return the id of the timer whose wait an event of this name answers, if there is one.

    SDKs bound each wait for an event by a timer marked with the event's name, and match events
    to waits first in, first out, without regard to case (behaviour.md 4.6). An answered timer
    is as good as gone: it is cancelled in the commit that records the event.
    """
    folded = event_name.casefold()
    for timer_id, timer in open_timers.items():
        if timer.awaited_event is not None and timer.awaited_event.casefold() == folded:
            return timer_id
    return None
