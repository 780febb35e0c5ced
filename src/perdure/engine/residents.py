"""Instances held in memory by their owner, so that the steady state reads nothing.

A resident mirrors what is on disk: it is changed only after the commit that changes the store
has landed. The least recently used ones are let go when there are too many or they are too
large; one that has a turn, or a commit under way, stays.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from perdure.core.events import Event, Kind, WorkflowStarted
from perdure.core.state import State, blank, fold
from perdure.core.status import TERMINAL, Status, seen_status
from perdure.core.turn import Closed, ContinuedAsNew, Stalled
from perdure.engine.losses import Losses
from perdure.engine.reading import Reader
from perdure.store.port import (
    HandOut,
    Head,
    Identity,
    InboxAdd,
    Loaded,
    Snapshot,
    TaskEnd,
    TimerEnd,
)
from perdure.wire.events import decode_stored
from perdure.wire.work_items import past_field

NOT_LANDED: Final = -1

_RESIDENT_BYTES = 4_096  # what one costs besides its history, roughly


@dataclass(slots=True)
class InboxItem:
    """One event of an inbox, as stored and as a record."""

    seq: int  # NOT_LANDED while it is on its way to the disk (`engine.early`)
    add: InboxAdd
    event: Event


@dataclass(frozen=True, slots=True)
class Held:
    """What an early turn came to, until it may land; and who is told that it has."""

    result: Closed | ContinuedAsNew | Stalled
    landed: "asyncio.Future[None]"


@dataclass(slots=True, eq=False)
class Arrival:
    """An event that is to land with the turn that takes it (`engine.deciding`).

    It ends the row of an activity or a timer. One of the two is called in the end: `landed` when it
    is on disk with a turn, `alone` if it has to be landed by itself after all.
    """

    item: InboxItem
    landed: Callable[[], None]
    alone: Callable[[], None]
    task: TaskEnd | None = None
    handed_out: HandOut | None = None
    timer: TimerEnd | None = None


@dataclass(slots=True, eq=False)
class Turn:
    """A batch frozen for a worker. `token` is the present hand-out's, "" while there is none."""

    started: WorkflowStarted
    batch: tuple[InboxItem, ...]
    dropped: tuple[int, ...]  # inbox rows that no turn should see, to be deleted with it
    token: str = ""
    handed_out_at_us: int = 0
    attempts: int = 0
    faults: int = 0
    losses: Losses = field(default_factory=Losses)
    # Of workers that echo no tokens: copies that may be answered yet, besides the present one, and
    # what was answered and may be of an earlier turn, by meaning (`engine.ghosts`).
    lost: int = 0
    heard: dict[bytes, int] = field(default_factory=dict)
    held: Held | None = None
    arrivals: tuple[Arrival, ...] = ()  # those of the batch that are on their way to the disk


@dataclass(slots=True, eq=False)
class Resident:
    """One instance in memory."""

    key: int
    version: int
    identity: Identity
    head: Head
    state: State
    suspended: bool = False
    held: bool = False
    inbox: dict[int, InboxItem] = field(default_factory=dict)
    past: bytearray = field(default_factory=bytearray)
    ends: list[int] = field(default_factory=list)  # where each event of `past` ends
    turn: Turn | None = None
    stream: object = None  # the stream that had the last turn, if that is still open
    moving: bool = False  # a commit that expects the version is under way
    gone: bool = False  # purged or replaced: nothing may come of it any more
    terminating: bool = False  # a terminate is in the inbox, which may be long to look through
    # Of apps that are here (`engine.deciding`).
    arrivals: list[Arrival] = field(default_factory=list)
    deciding: bool = False  # the move that is under way was decided in place

    @property
    def instance_id(self) -> str:
        """The instance's id."""
        return self.identity.instance_id

    @property
    def finished(self) -> bool:
        """Whether the instance has ended."""
        return Status(self.head.phase) in TERMINAL

    @property
    def status(self) -> Status:
        """The status that readers see."""
        return seen_status(
            Status(self.head.phase),
            suspended=self.suspended,
            stalled=self.head.stalled is not None,
        )

    @property
    def idle(self) -> bool:
        """Whether it can be let go of."""
        return self.turn is None and not self.moving and not self.arrivals

    def snapshot(self) -> Snapshot:
        """Return what the store would return as this instance's snapshot."""
        return Snapshot(
            key=self.key,
            version=self.version,
            identity=self.identity,
            head=self.head,
            suspended=self.suspended,
            held=self.held,
            status=self.status,
            inbox_length=len(self.inbox),
        )

    def append_history(self, events: Iterable[bytes]) -> None:
        """Add committed events to the history that is sent to workers."""
        for event in events:
            self.past += past_field(event)
            self.ends.append(len(self.past))

    def add_inbox(self, item: InboxItem) -> None:
        """Add a committed event to the inbox; adding it again changes nothing."""
        if not self.gone and not self.finished:
            self.inbox[item.seq] = item
            self.terminating |= item.add.kind == Kind.EXECUTION_TERMINATED


def resident_of(loaded: Loaded) -> Resident:
    """Return a loaded instance as a resident."""
    snapshot = loaded.snapshot
    events = [decode_stored(row.event) for row in loaded.history]
    state = fold(blank(snapshot.head.generation), events)
    assert state.history_length == snapshot.head.history_length, "head and history agree"
    resident = Resident(
        key=snapshot.key,
        version=snapshot.version,
        identity=snapshot.identity,
        head=snapshot.head,
        state=state,
        suspended=snapshot.suspended,
        held=snapshot.held,
    )
    resident.append_history(row.event for row in loaded.history)
    for row in loaded.inbox:
        resident.add_inbox(InboxItem(row.seq, row.add, decode_stored(row.add.event)))
    return resident


class Residents:
    """All residents of this process, by key and by id."""

    def __init__(self, reader: Reader, *, count_max: int, bytes_max: int) -> None:
        """Begin with none."""
        self._reader = reader
        self._count_max = count_max
        self._bytes_max = bytes_max
        self._bytes = 0
        self._by_key: OrderedDict[int, Resident] = OrderedDict()
        self._key_of: dict[str, int] = {}
        self._sizes: dict[int, int] = {}
        # What landed for an instance while it was being loaded, to be done to it afterwards.
        self._late: dict[int, list[Callable[[Resident], None]]] = {}
        self._loading: dict[int, asyncio.Task[Resident | None]] = {}

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._by_key)

    def peek(self, instance: int | str) -> Resident | None:
        """Return a resident without touching the order of use."""
        key = self._key_of.get(instance) if isinstance(instance, str) else instance
        return None if key is None else self._by_key.get(key)

    async def get(self, key: int) -> Resident | None:
        """Return an instance, loading it if need be; None if there is no such instance."""
        while True:
            resident = self._by_key.get(key)
            if resident is not None:
                self._by_key.move_to_end(key)
                return resident
            task = self._loading.get(key)
            if task is None:
                task = self._loading[key] = asyncio.create_task(self._load(key))
            if await asyncio.shield(task) is None:
                return None
            # Others may have pushed it out again before we came to run: then it is stale.

    def do(self, key: int, change: Callable[[Resident], None]) -> Resident | None:
        """Do a landed change to a resident, or to one that is just being loaded.

        One that is neither needs nothing: it will be read from the store when it is wanted.
        Returns the resident if there is one.
        """
        resident = self._by_key.get(key)
        if resident is not None:
            change(resident)
        elif key in self._late:
            self._late[key].append(change)
        return resident

    def add(self, resident: Resident) -> None:
        """Take in an instance that was just born or loaded."""
        assert resident.key not in self._by_key, "an instance is resident once"
        self._by_key[resident.key] = resident
        self._key_of[resident.instance_id] = resident.key
        self.measure(resident)

    def measure(self, resident: Resident) -> None:
        """Note how large a resident has become, and let others go if that is too much."""
        size = _RESIDENT_BYTES + len(resident.past)
        self._bytes += size - self._sizes.get(resident.key, 0)
        self._sizes[resident.key] = size
        self._let_go()

    def drop(self, key: int) -> Resident | None:
        """Forget an instance; it is marked as gone, for whoever still holds it."""
        self._late.pop(key, None)  # what is just being read of it is out of date
        resident = self._by_key.pop(key, None)
        if resident is not None:
            resident.gone = True
            self._forget(resident)
        return resident

    def stop(self) -> None:
        """Give up what is being loaded."""
        for task in self._loading.values():
            task.cancel()

    async def _load(self, key: int) -> Resident | None:
        self._late[key] = []
        try:
            loaded = await self._reader.surely(lambda store: store.load(key))
            late = self._late.get(key)
            if loaded is None or late is None:
                return None
            resident = resident_of(loaded)
            for change in late:
                change(resident)
            self.add(resident)
            return resident
        finally:
            self._late.pop(key, None)
            del self._loading[key]

    def _forget(self, resident: Resident) -> None:
        if self._key_of.get(resident.instance_id) == resident.key:
            del self._key_of[resident.instance_id]
        self._bytes -= self._sizes.pop(resident.key)

    def _let_go(self) -> None:
        over = len(self._by_key) - self._count_max
        if over <= 0 and self._bytes <= self._bytes_max:
            return
        # The newest one is in use by whoever added it. Busy ones are passed over, and a bound
        # on the look-around keeps this from walking through thousands of them each time.
        for key in list(islice(self._by_key, max(over, 0) + 64)):
            resident = self._by_key[key]
            if len(self._by_key) <= self._count_max and self._bytes <= self._bytes_max:
                return
            if resident.idle and key != next(reversed(self._by_key)):
                del self._by_key[key]
                self._forget(resident)
