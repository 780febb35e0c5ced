"""Events that have landed in an inbox: shown to the resident, and the instance made ready.

Where nodes share a store, what somebody asked for is not shown to its instance from memory: what
was acknowledged before it elsewhere may not have been heard of here yet, and is to come first (P6).
Reading the inbox anew, after it has landed, finds all of it in its order. Results and timers are
nobody's requests, and are shown at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from perdure.base.limits import READY_QUEUE_MAX
from perdure.core.events import (
    Event,
    EventRaised,
    ExecutionResumed,
    ExecutionSuspended,
    ExecutionTerminated,
)
from perdure.engine.landing import Landing
from perdure.engine.ready import Delays, ReadyByApp
from perdure.engine.residents import InboxItem, Resident, Residents
from perdure.store.port import InboxAdd

_ASKED_FOR: Final = (EventRaised, ExecutionSuspended, ExecutionResumed, ExecutionTerminated)


class ReadyTurns(ReadyByApp[int, None]):
    """Instances that have work for a turn, by app."""

    def __init__(self, most: int = READY_QUEUE_MAX) -> None:
        """Begin with none. `on_ready` and `on_terminate` are set by whoever composes the engine."""
        super().__init__(most)
        self.delays = Delays(self._delay_over)
        self.on_ready: Callable[[str], None] = lambda app_id: None  # noqa: ARG005 - the signature
        self.on_terminate: Callable[[Resident], None] = lambda resident: None  # noqa: ARG005 - nobody listens yet
        self.on_delay_over: Callable[[int], None] = lambda key: None  # noqa: ARG005 - nobody listens yet

    def push(self, key: int, app_id: str, *, first: bool = False) -> bool:
        """Make an instance ready, unless it has to wait, and look for a worker.

        Tells whether there was room.
        """
        if key in self.delays:
            return True
        fits = self.of(app_id).push(key, None, first=first)
        self.on_ready(app_id)
        return fits

    def consider(self, resident: Resident) -> None:
        """Make a resident ready if there is something for it to do now."""
        if resident.gone or resident.finished or resident.moving or not resident.inbox:
            return
        if resident.terminating:
            self.on_terminate(resident)
            return
        if resident.suspended or resident.held:
            return
        if resident.turn is None or not resident.turn.token:
            self.push(resident.key, resident.identity.app_id)

    def forget(self, app_id: str, unknown: Callable[[int], bool]) -> None:
        """Drop those of an app of whom nothing is known here; they are to be found anew."""
        queue = self._queues.get(app_id)
        if queue is not None and queue.drop_where(unknown):
            queue.overflowed = True

    def _delay_over(self, key: int) -> None:
        self.on_delay_over(key)


class Early(Protocol):
    """Who hands out turns while their cause is on its way to the disk (`engine.early`)."""

    def begin(self, key: int, add: InboxAdd, event: Event) -> InboxItem | None:
        """Hand out the turn of an event that is being landed, if it can be; its item if it was."""
        ...

    def landed(self, key: int, item: InboxItem, seq: int) -> bool:
        """Take note that the item of an early turn is on disk; False if the turn is gone."""
        ...

    def lost(self, key: int, item: InboxItem) -> None:
        """Take note that the item of an early turn will not land: the turn never was."""
        ...


@dataclass(frozen=True, slots=True)
class Coming:
    """An event on its way into an inbox; `early` is its item if its turn is out already."""

    inboxes: "Inboxes"
    key: int
    add: InboxAdd
    event: Event
    early: InboxItem | None = None

    def landed(self, seq: int | None) -> None:
        """Show the event to its instance; with None it was not taken."""
        turns = self.inboxes.early
        if self.early is not None and turns is not None:
            if seq is None:
                turns.lost(self.key, self.early)
                return
            if turns.landed(self.key, self.early, seq):
                return
        if seq is not None:
            self.inboxes.deliver(self.key, seq, self.add, self.event)

    def lost(self) -> None:
        """Take note that it could not be landed."""
        self.landed(None)


class Inboxes:
    """Shows landed events to their instances."""

    def __init__(self, residents: Residents, ready: ReadyTurns, landing: Landing) -> None:
        """Deliver to `residents` and make them `ready`."""
        self.early: Early | None = None  # set by those who hand out turns
        # Reads an instance anew, soon; set where nodes share a store.
        self.look: Callable[[int], None] | None = None
        self._residents = residents
        self._ready = ready
        self._landing = landing

    def coming(self, key: int, add: InboxAdd, event: Event) -> Coming:
        """Take note of an event that has been handed in to be landed.

        Its turn may be handed out at once: whatever follows from that comes behind it.
        """
        if self.early is None or self._is_to_be_read(event):
            return Coming(self, key, add, event)
        return Coming(self, key, add, event, self.early.begin(key, add, event))

    def _is_to_be_read(self, event: Event) -> bool:
        return self.look is not None and isinstance(event, _ASKED_FOR)

    def deliver(self, key: int, seq: int, add: InboxAdd, event: Event) -> None:
        """Show one landed event to its instance, loading that if need be."""
        if self.look is not None and self._is_to_be_read(event) and self._residents.knows(key):
            self.look(key)
            return
        item = InboxItem(seq, add, event)
        resident = self._residents.do(key, lambda resident: resident.add_inbox(item))
        if resident is not None:
            self._ready.consider(resident)
        else:
            self._landing.spawn(self.wake(key), "waking an instance")

    def consider(self, resident: Resident) -> None:
        """Make a resident ready if there is something for it to do now."""
        self._ready.consider(resident)

    async def wake(self, key: int) -> None:
        """Load an instance and make it ready if there is something for it to do."""
        resident = await self._residents.get(key)
        if resident is not None:
            self._ready.consider(resident)
