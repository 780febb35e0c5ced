"""What a store is: `commit(entries)` and a few reads. It knows no protobuf and no rules.

Theory of operation.
- A commit lands many entries at once, all of them or none, and is on disk when it returns. An
  entry is everything that one step changes for one instance: history, inbox, tasks, timers,
  births, messages to others, flags and lifecycle rows.
- Entries of one commit take effect in order, each seeing what came before it. Each has an
  outcome of its own; an entry whose expectation fails changes nothing, and the rest still land.
- Turns expect the version they were opened at. Births expect that the id is free, or belongs
  to the finished instance that they replace. Additions to an inbox commute and expect only
  what `require` says. The end of a task or timer whose row is gone makes the entry ENDED: that
  row is what makes a result count once.
- An entry is checked whole before anything of it changes; of several failing expectations the
  verdict tells the first of MISSING, FINISHED, STALE, ENDED. Then its head and flags change, its
  other rows, births, messages and lifecycle rows in this order, and a purge last. So an
  instance that its own head finishes takes nothing into its inbox any more.
- An instance is named by its key, an integer given at birth and never given again, so that
  nothing meant for an earlier life of an id can reach a later one.

Every number that a store hands out (keys, sequence numbers) grows. Events are opaque bytes.
All methods may block and raise `StoreError`s; `commit` is called from one thread at a time,
the reads from any thread.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from perdure.store.query import InstanceQuery

START_TIMER_ID = -1  # the timer that ends the holding of a scheduled start; generation 0
FIRST_VERSION = 1  # of an instance that was just born


class Require(Enum):
    """What an entry expects of its instance, besides a version."""

    NOTHING = 0
    EXISTS = 1
    UNFINISHED = 2


class Verdict(Enum):
    """How an entry fared."""

    LANDED = 0
    STALE = 1  # the version is another one
    MISSING = 2  # no such instance
    FINISHED = 3  # the instance has ended
    ID_TAKEN = 4  # the entry is only a birth and its id is in use
    ENDED = 5  # the task or timer that the entry ends is gone


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What never changes about an instance."""

    instance_id: str
    name: str
    app_id: str
    execution_id: str
    version: str | None = None
    born_at_us: int = 0
    scheduled_start_us: int | None = None
    parent_key: int | None = None
    parent_id: str | None = None
    parent_app_id: str | None = None
    parent_generation: int = 0
    parent_task_id: int = -1
    tags: tuple[tuple[str, str], ...] = ()
    propagated: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What every turn may change about an instance. `phase` is `core.status.Status` as int."""

    phase: int
    generation: int = 1
    created_at_us: int = 0
    started_at_us: int | None = None
    updated_at_us: int = 0
    completed_at_us: int | None = None
    custom_status: str | None = None
    stalled: str | None = None  # why, or None
    waits_for: str = "turn"
    waits_since_us: int = 0
    next_wake_us: int | None = None
    history_length: int = 0
    history_bytes: int = 0
    version_name: str | None = None
    patches: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HistoryAdd:
    """One event for the end of a history."""

    kind: int
    event: bytes


@dataclass(frozen=True, slots=True)
class InboxAdd:
    """One event for an inbox. Inboxes are read in the order of (rank, seq).

    `generation` is the one whose task, timer or child the event resolves, 0 for any. Rank 0 is
    for the start and the events carried over by a continue-as-new, rank 1 for all others.
    """

    kind: int
    event: bytes
    generation: int = 0
    rank: int = 1


@dataclass(frozen=True, slots=True)
class TaskAdd:
    """One activity to run; `event` is its TaskScheduled."""

    generation: int
    task_id: int
    name: str
    app_id: str
    event: bytes
    scheduled_at_us: int
    propagated: bytes | None = None


@dataclass(frozen=True, slots=True)
class TaskEnd:
    """The end of one activity; `failed` is only for those who look."""

    generation: int
    task_id: int
    at_us: int
    failed: bool = False


@dataclass(frozen=True, slots=True)
class HandOut:
    """A note that an activity was given to a worker; each adds one to its attempts.

    It may come late: an ended activity takes it too, and one that is gone drops it.
    """

    generation: int
    task_id: int
    worker: str
    at_us: int


@dataclass(frozen=True, slots=True)
class TimerAdd:
    """One moment to wake at. Timers that never fire (`base.time.is_never`) are not added."""

    generation: int
    timer_id: int
    fire_at_us: int


@dataclass(frozen=True, slots=True)
class TimerEnd:
    """The end of one timer, fired or cancelled.

    `must_exist` makes the entry ENDED if it is gone (firing), otherwise that is fine (cancelling).
    """

    generation: int
    timer_id: int
    must_exist: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Birth:
    """A new instance with the first events of its inbox, or the history it is born with."""

    identity: Identity
    head: Head
    inbox: tuple[InboxAdd, ...] = ()
    history: tuple[HistoryAdd, ...] = ()
    tasks: tuple[TaskAdd, ...] = ()
    timers: tuple[TimerAdd, ...] = ()
    held: bool = False  # no turn before its START_TIMER_ID timer has fired
    replaces: int | None = None  # key of a finished instance under the same id, deleted first
    if_taken: InboxAdd | None = None  # for the inbox of the entry's own instance


@dataclass(frozen=True, slots=True)
class Message:
    """An event for another instance's inbox; dropped if that is missing or has finished.

    It is named by key, or by id, which means whoever bears the id at that moment.
    """

    to: int | str
    add: InboxAdd


@dataclass(frozen=True, slots=True)
class LifecycleAdd:
    """One row of the lifecycle table: created, started, suspended, completed, purged and so on.

    A row that names the id of one of the entry's births is about the newborn, and is dropped if
    that birth did not happen. Every other row is about the entry's own instance.
    """

    kind: str
    at_us: int
    instance_id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """All that one step changes for the instance `key`.

    With a key of None the entry is births, messages and lifecycle rows alone, and an id in use
    makes it ID_TAKEN; with a key, a birth whose id is in use is told in `Outcome.births`. What
    an entry would change of an instance that is missing is dropped where nothing expects it.
    """

    key: int | None
    expect_version: int | None = None
    require: Require = Require.NOTHING
    head: Head | None = None  # written with the version one higher; needs expect_version
    suspended: bool | None = None
    held: bool | None = None
    wipe_history: bool = False  # and what is known of ended tasks; `history` counts from 1 again
    history: tuple[HistoryAdd, ...] = ()
    taken: tuple[int, ...] = ()  # sequence numbers of the inbox rows that leave it
    wipe_inbox: bool = False  # whatever else is in the inbox goes too
    inbox: tuple[InboxAdd, ...] = ()  # dropped if the instance is missing or has finished
    tasks: tuple[TaskAdd, ...] = ()
    ended_tasks: tuple[TaskEnd, ...] = ()
    handed_out: tuple[HandOut, ...] = ()
    wipe_tasks: bool = False  # those not ended leave the queue, before `tasks` are added
    timers: tuple[TimerAdd, ...] = ()
    ended_timers: tuple[TimerEnd, ...] = ()
    wipe_timers: bool = False  # before `timers` are added
    births: tuple[Birth, ...] = ()
    messages: tuple[Message, ...] = ()
    lifecycle: tuple[LifecycleAdd, ...] = ()
    purge: bool = False  # everything of the instance goes, at last; lifecycle rows stay


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
    """An activity that has not ended. `row` grows with the order of scheduling."""

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
    """A timer that has not ended."""

    key: int
    generation: int
    timer_id: int
    fire_at_us: int


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


class Store(Protocol):
    """One place where instances are kept."""

    def commit(self, entries: Sequence[Entry]) -> list[Outcome]:
        """Land all entries, durably, and return one outcome for each, in order.

        Raises StoreUnavailable or StoreBroken; then nothing of any entry was kept.
        """
        ...

    def snapshot(self, instance: str | int) -> Snapshot | None:
        """Return an instance by id or key, without history and inbox."""
        ...

    def load(self, instance: str | int) -> Loaded | None:
        """Return an instance by id or key, whole, as of one moment."""
        ...

    def history(self, key: int, after_seq: int, limit: int) -> tuple[HistoryRow, ...]:
        """Return up to `limit` events of the present generation after `after_seq`."""
        ...

    def payload_events(self, key: int) -> tuple[bytes | None, bytes | None]:
        """Return the start (from history, else inbox) and completion of the present generation.

        The start is the first row of kind EXECUTION_STARTED (3), the completion the last
        history row if it is of kind EXECUTION_COMPLETED (4).
        """
        ...

    def find(self, query: InstanceQuery) -> Page:
        """Return a page of instances; raises CallerFault for a token it did not make."""
        ...

    def list_ids(self, after_key: int, limit: int) -> tuple[tuple[int, str], ...]:
        """Return (key, instance id) in the order of birth."""
        ...

    def children(self, key: int) -> tuple[Snapshot, ...]:
        """Return the instances whose parent is the instance `key`, in the order of birth."""
        ...

    def ready(self, after_key: int, limit: int) -> tuple[ReadyRow, ...]:
        """Return instances with work for a turn, by key."""
        ...

    def tasks(self, after_row: int, limit: int) -> tuple[TaskRow, ...]:
        """Return activities that have not ended, in the order of scheduling."""
        ...

    def tasks_of(self, key: int) -> tuple[TaskRow, ...]:
        """Return every activity of one instance that the store knows, ended ones too."""
        ...

    def due_timers(self, now_us: int, limit: int) -> tuple[TimerRow, ...]:
        """Return timers whose moment has come, earliest first."""
        ...

    def next_timer_us(self) -> int | None:
        """Return the moment of the earliest timer."""
        ...

    def expired(self, phase: int, completed_before_us: int, limit: int) -> tuple[int, ...]:
        """Return the keys of instances that ended in `phase` before a moment, oldest first."""
        ...

    def oldest_completed_us(self, phase: int) -> int | None:
        """Return when the oldest instance of those that ended in `phase` did so."""
        ...

    def counts(self) -> dict[int, int]:
        """Return the number of instances by status (as readers see it)."""
        ...

    def stuck(self, limit: int) -> tuple[ReadyRow, ...]:
        """Return unfinished instances that nothing will ever move (promise P4); none is right.

        An instance is fine if it is suspended, stalled, held with a start timer, ready
        (`ReadyRow`), has a task that has not ended, a timer, an unfinished child, or says that
        it waits for an event.
        """
        ...

    def lifecycle(self, after_seq: int, limit: int) -> tuple[LifecycleRow, ...]:
        """Return lifecycle rows in order."""
        ...

    def name_counts(self) -> dict[str, int]:
        """Return the known workflow types and how many instances of each there are."""
        ...

    def dump(self) -> Iterator[tuple[object, ...]]:
        """Yield every row of every table in a canonical order, for comparing two stores."""
        ...

    def close(self) -> None:
        """Let go of the file or connection; may be called twice."""
        ...
