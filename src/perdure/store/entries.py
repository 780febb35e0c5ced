"""What goes into a store: the entries of a commit, as data."""

from enum import Enum

from perdure.base.records import dataclass
from perdure.core.notes import NoteAdd, NoteEnd
from perdure.store.leases import Term

START_TIMER_ID = -1  # the timer that ends the holding of a scheduled start; generation 0
FIRST_VERSION = 1  # of an instance that was just born
BORN_FIRST = -1  # as a birth's parent_key: the key of the first birth of the same entry


class Require(Enum):
    """What an entry expects of its instance, besides a version."""

    NOTHING = 0
    EXISTS = 1
    UNFINISHED = 2


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
    """One activity to run; `event` is its TaskScheduled.

    Of one name (generation and task id) only one is open at a time. Once it has ended, the name
    may be scheduled again, and is then another row.
    """

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

    It may come late: it is noted at the open task of that name, or else at the one that ended
    last; one that is gone drops it.
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

    With a key of None the entry is births, messages, notes and lifecycle rows alone, and an id in
    use makes it ID_TAKEN; with a key, a birth whose id is in use is told in `Outcome.births`. What
    an entry would change of an instance that is missing is dropped where nothing expects it.
    """

    key: int | None
    term: Term | None = None  # of the lease that it is made under; only where nodes share a store
    expect_version: int | None = None
    require: Require = Require.NOTHING
    head: Head | None = None  # written with the version one higher; needs expect_version
    suspended: bool | None = None
    held: bool | None = None
    # Another version without a head, so that no turn lands that was made before; only where nodes
    # share a store.
    moves: bool = False
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
    # Rows about its own instance, before the others, whatever ids its births bear.
    epitaph: tuple[LifecycleAdd, ...] = ()
    notes: tuple[NoteAdd, ...] = ()
    ended_notes: tuple[NoteEnd, ...] = ()  # these go before `notes` are added
    purge: bool = False  # everything of the instance goes, at last; lifecycle rows stay
