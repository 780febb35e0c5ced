"""An instance as a Temporal workflow holds it: the core's state, its history and its inbox.

Nothing here knows Temporal. Everything is a function of what was received and decided, so that a
replay of the Temporal workflow comes to the same again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from perdure.base.limits import MIB, TURN_BATCH_EVENTS_MAX
from perdure.bridge.past import Past
from perdure.core.actions import Decision
from perdure.core.applying import Caller
from perdure.core.events import (
    ChildCompleted,
    ChildCreated,
    ChildFailed,
    Event,
    ExecutionStarted,
    ExecutionTerminated,
    PropagationScope,
    StallReason,
    TaskCompleted,
    TaskFailed,
    TaskScheduled,
    TimerCreated,
    TimerFired,
    WorkflowStarted,
)
from perdure.core.state import State, fold
from perdure.core.turn import (
    Closed,
    ContinuedAsNew,
    Stalled,
    TurnResult,
    close,
    stall,
    takable,
    terminate,
)
from perdure.wire.events import encode
from perdure.wire.generated import work_pb2 as pb
from perdure.wire.work_items import propagated_history

# A batch travels as the input of an activity; one event of the largest size has to fit anyway.
BATCH_BYTES_MAX: Final = 1 * MIB
ANY_GENERATION: Final = 0
_BEGUN: Final = (TaskScheduled, TimerCreated, ChildCreated)
_RESULTS: Final = (TaskCompleted, TaskFailed, TimerFired, ChildCompleted, ChildFailed)


@dataclass(frozen=True, slots=True)
class Item:
    """An event of an inbox; `generation` is the only one that may take it, or any."""

    event: Event
    data: bytes
    generation: int = ANY_GENERATION


@dataclass(frozen=True, slots=True)
class Batch:
    """What the next turn is about. It stays as it is until that turn has landed."""

    started: WorkflowStarted
    items: tuple[Item, ...]
    event_bytes: tuple[bytes, ...]  # the start of the turn and the events, to be sent


class Instance:
    """One instance in its present generation."""

    def __init__(
        self, instance_id: str, app_id: str, *, state: State, past: Past, inbox: Sequence[Item]
    ) -> None:
        """Begin from what is known; `state` is the fold of `past`."""
        self.instance_id = instance_id
        self.app_id = app_id
        self.state = state
        self.past = past
        self.inbox = list(inbox)
        self.batch: Batch | None = None
        self.custom_status: str | None = None
        self.propagated: bytes | None = None

    @property
    def order_to_end(self) -> ExecutionTerminated | None:
        """The terminate that is in the inbox, if there is one."""
        found = (i.event for i in self.inbox if isinstance(i.event, ExecutionTerminated))
        return next(found, None)

    @property
    def start(self) -> ExecutionStarted | None:
        """The event that begins the present generation, whether or not a turn has taken it."""
        if self.state.started is not None:
            return self.state.started
        found = (i.event for i in self.inbox if isinstance(i.event, ExecutionStarted))
        return next(found, None)

    @property
    def input(self) -> str | None:
        """What the present generation was started with."""
        return None if self.start is None else self.start.input

    @property
    def scheduled_start_us(self) -> int | None:
        """When the first turn may be; None once that is over, or if it may be at once."""
        if self.state.started is not None or self.start is None:
            return None
        return self.start.scheduled_start_us

    @property
    def open_ends(self) -> State:
        """The state as if a turn had taken what was begun and what came of it."""
        current = {ANY_GENERATION, self.state.generation}
        events = [item.event for item in self.inbox if item.generation in current]
        return fold(self.state, [event for event in events if isinstance(event, _BEGUN + _RESULTS)])

    @property
    def awaits_tasks(self) -> bool:
        """Whether an activity is under way; one whose result is in the inbox is not."""
        return bool(self.state.open_tasks) and bool(self.open_ends.open_tasks)

    def receive(self, event: Event, generation: int = ANY_GENERATION) -> None:
        """Take an event in; one of another generation than the present is dropped."""
        if self.state.finished or generation not in {ANY_GENERATION, self.state.generation}:
            return
        self.inbox.append(Item(event, encode(event), generation))

    def freeze(self, now_us: int) -> Batch | None:
        """Return the batch of the turn that is due; None if the inbox has nothing for any turn."""
        if self.batch is None and self.inbox:
            taken = self._carried()
            verdicts = takable(self.state, [item.event for item in taken])
            items = tuple(item for item, keep in zip(taken, verdicts, strict=True) if keep)
            if not items:
                del self.inbox[: len(taken)]
                return None
            self.inbox = [*items, *self.inbox[len(taken) :]]
            started = WorkflowStarted(at_us=max(now_us, self.state.last_turn_us))
            sent = (encode(started), *(item.data for item in items))
            self.batch = Batch(started, items, sent)
        return self.batch

    def _carried(self) -> list[Item]:
        """Return the head of the inbox that one work item can carry: at least one event."""
        size_bytes = 0
        for count, item in enumerate(self.inbox[:TURN_BATCH_EVENTS_MAX]):
            size_bytes += len(item.data)
            if count and size_bytes > BATCH_BYTES_MAX:
                return self.inbox[:count]
        return self.inbox[:TURN_BATCH_EVENTS_MAX]

    def decide(self, decision: Decision, now_us: int) -> TurnResult:
        """Close the turn that is out. Raises WorkerFault, and then nothing has changed."""
        batch = self.batch
        assert batch is not None, "a decision is about a turn"
        events = tuple(item.event for item in batch.items)
        caller = self._caller(max(now_us, batch.started.at_us))
        result = close(self.state, batch.started, events, decision, caller)
        match result:
            case Closed():
                self._keep(result, batch)
            case ContinuedAsNew():
                self._begin_anew(result, batch)
            case Stalled():
                self._stall(result)
        return result

    def cannot_be_sent(self, text: str, now_us: int) -> Stalled:
        """Stall because no message can carry the turn."""
        result = stall(self.state, StallReason.PAYLOAD_SIZE_EXCEEDED, text, now_us)
        self._stall(result)
        return result

    def end(self, now_us: int) -> Closed:
        """End because of the terminate in the inbox."""
        now_us = max(now_us, self.state.last_turn_us)
        events = tuple(item.event for item in self.inbox)
        closed = terminate(self.state, events, self._caller(now_us))
        self.past.extend(encode(event) for event in closed.recorded)
        self.state = closed.state
        self.inbox, self.batch = [], None
        return closed

    def handed_down(self, scope: PropagationScope) -> bytes | None:
        """Return what of the history an activity or child is given to read."""
        started = self.state.started
        if scope is PropagationScope.NONE or started is None:
            return None
        chunk = pb.PropagatedChunk(
            events=self.past.events(),
            app_id=self.app_id,
            instance_id=self.instance_id,
            workflow_name=started.name,
        )
        return propagated_history(scope, chunk, self.propagated)

    def _caller(self, now_us: int) -> Caller:
        return Caller(self.instance_id, self.app_id, now_us)

    def _keep(self, closed: Closed, batch: Batch) -> None:
        self.past.extend(
            (
                encode(closed.turn),
                *(item.data for item in batch.items),
                *(encode(event) for event in closed.recorded),
            )
        )
        self.state = closed.state
        self._turn_is_over(batch)
        self.custom_status = closed.custom_status

    def _begin_anew(self, anew: ContinuedAsNew, batch: Batch) -> None:
        self._turn_is_over(batch)
        unread = [item for item in self.inbox if item.generation == ANY_GENERATION]
        self.inbox = [*(Item(event, encode(event)) for event in anew.begin), *unread]
        self.past = Past()
        self.state = anew.state
        self.custom_status = anew.custom_status

    def _stall(self, stalled: Stalled) -> None:
        self.past.extend(encode(event) for event in stalled.recorded)
        # A stall that is in the history already is not written again, but it is one.
        self.state = replace(stalled.state, stalled=stalled.event)

    def _turn_is_over(self, batch: Batch) -> None:
        del self.inbox[: len(batch.items)]
        self.batch = None
