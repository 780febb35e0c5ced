"""One instance as its owner holds it in memory: a mirror of what is on disk.

It is changed only after the commit that changes the store has landed.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from perdure.core.events import Event, Kind, WorkflowStarted
from perdure.core.state import State, blank, fold
from perdure.core.status import STATUSES, TERMINAL, Status, seen_status
from perdure.core.turn import TurnResult
from perdure.engine.losses import Losses
from perdure.store.leases import Term
from perdure.store.port import (
    Birth,
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
NOT_BORN: Final = 0  # the key of whoever is not on disk yet; the store gives none like it


@dataclass(slots=True)
class InboxItem:
    """One event of an inbox, as stored and as a record."""

    seq: int  # NOT_LANDED while it is on its way to the disk (`engine.early`)
    add: InboxAdd
    event: Event


@dataclass(frozen=True, slots=True)
class Held:
    """What an early turn came to, until it may land; and who is told that it has."""

    result: TurnResult
    landed: "asyncio.Future[None]"


@dataclass(slots=True, eq=False)
class Arrival:
    """An event that is to land with the turn that takes it (`engine.deciding`).

    It ends the row of an activity or a timer. One of the two is called in the end: `landed` when it
    is on disk with a turn, `alone` if it has to be landed by itself after all.
    """

    item: InboxItem
    landed: Callable[[], None]
    alone: Callable[[], object]
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
    term: Term | None = None  # under which it is held, where others could hold it

    @property
    def instance_id(self) -> str:
        """The instance's id."""
        return self.identity.instance_id

    @property
    def unborn(self) -> bool:
        """Whether its birth is still on its way to the disk; nobody can find it until then."""
        return self.key == NOT_BORN

    @property
    def finished(self) -> bool:
        """Whether the instance has ended."""
        return self.head.phase in TERMINAL

    @property
    def status(self) -> Status:
        """The status that readers see."""
        return seen_status(
            STATUSES[self.head.phase],
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


def unborn(birth: Birth) -> Resident:
    """Return whoever a birth will bring, as it is before that has landed."""
    return Resident(
        key=NOT_BORN, version=0, identity=birth.identity, head=birth.head, state=blank()
    )


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
