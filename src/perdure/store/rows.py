"""What comes out of a store: how entries fared, and the rows that the reads return."""

from enum import Enum

from perdure.base.records import dataclass
from perdure.store.entries import Head, Identity, InboxAdd, LifecycleAdd, TaskAdd
from perdure.store.partitions import Partition


class Verdict(Enum):
    """How an entry fared."""

    LANDED = 0
    STALE = 1  # the version is another one
    MISSING = 2  # no such instance
    FINISHED = 3  # the instance has ended
    ID_TAKEN = 4  # the entry is only a birth and its id is in use
    ENDED = 5  # the task, timer or note that the entry ends is gone
    NOTED = 6  # a note that was to be new is there already
    FENCED = 7  # the term that it was made under is over


@dataclass(frozen=True, slots=True)
class BirthOutcome:
    """The key of a new instance and its inbox rows, or None and where `if_taken` went."""

    key: int | None
    inbox_seqs: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one entry fared, with the numbers its rows were given, in the order of the entry.

    `inbox_seqs` has None for an addition that was dropped; `messages` has (key, seq) or None.
    """

    verdict: Verdict
    inbox_seqs: tuple[int | None, ...] = ()
    births: tuple[BirthOutcome, ...] = ()
    messages: tuple[tuple[int, int] | None, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """An instance without its history and inbox. `status` is what readers see, as int."""

    key: int
    version: int
    identity: Identity
    head: Head
    suspended: bool
    held: bool
    status: int
    inbox_length: int


@dataclass(frozen=True, slots=True)
class InboxRow:
    """One event of an inbox."""

    seq: int
    add: InboxAdd


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One event of a history; `seq` counts from 1 in each generation."""

    seq: int
    kind: int
    event: bytes


@dataclass(frozen=True, slots=True)
class Loaded:
    """An instance whole, as its owner holds it."""

    snapshot: Snapshot
    history: tuple[HistoryRow, ...]
    inbox: tuple[InboxRow, ...]


@dataclass(frozen=True, slots=True)
class ReadyRow:
    """An instance whose inbox is not empty and that is neither held, suspended nor finished.

    An instance whose inbox holds a row of kind EXECUTION_TERMINATED is ready even when held or
    suspended.
    """

    key: int
    instance_id: str
    name: str
    app_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRow:
    """An activity. `row` grows with the order of scheduling.

    One that has ended, or was given up (`finished_at_us` is missing), carries no event any more.
    """

    row: int
    key: int
    instance_id: str
    suspended: bool
    add: TaskAdd
    handed_out_at_us: int | None = None
    worker: str | None = None
    attempts: int = 0
    finished_at_us: int | None = None
    failed: bool = False


@dataclass(frozen=True, slots=True)
class TimerRow:
    """A timer that has not ended; its instance's partition is told to who asked within some."""

    key: int
    generation: int
    timer_id: int
    fire_at_us: int
    partition: Partition | None = None


@dataclass(frozen=True, slots=True)
class LifecycleRow:
    """A row of the lifecycle table."""

    seq: int
    key: int
    add: LifecycleAdd


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a listing and the token of the next one, None at the end."""

    rows: tuple[Snapshot, ...]
    next_token: str | None
