"""What a store is: `commit(entries)` and a few reads. It knows no protobuf and no rules.

Theory of operation.
- A commit lands many entries at once, all of them or none, and is on disk when it returns. An
  entry is everything that one step changes for one instance: history, inbox, tasks, timers,
  births, messages to others, flags, lifecycle rows and notes.
- Entries of one commit take effect in order, each seeing what came before it. Each has an
  outcome of its own; an entry whose expectation fails changes nothing, and the rest still land.
- Turns expect the version they were opened at. Births expect that the id is free, or belongs
  to the finished instance that they replace. Additions to an inbox commute and expect only
  what `require` says. The end of a task or timer whose row is gone makes the entry ENDED: that
  row is what makes a result count once.
- An entry is checked whole before anything of it changes; of several failing expectations the
  verdict tells the first of FENCED, NOTED, MISSING, FINISHED, STALE, ENDED, ID_TAKEN. Then its
  head and flags change, its other rows, births, messages and lifecycle rows in this order, then
  notes end and notes are added, and a purge is last. So an instance that its own head finishes
  takes nothing into its inbox any more, and can be replaced by a birth of the same entry.
- A note belongs to no instance and outlives all of them. What an entry expects of notes is asked
  of those that were there before it.
- An instance is named by its key, an integer given at birth and never given again, so that
  nothing meant for an earlier life of an id can reach a later one.
- `within` asks for what belongs to some partitions: instances to that of their app, activities to
  that of the app that runs them. None asks for everything, as a sole owner does.

Every number that a store hands out (keys, sequence numbers) grows. Events are opaque bytes.
All methods may block and raise `StoreError`s; `commit` is called from one thread at a time,
the reads from any thread.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Protocol

from perdure.core.notes import NoteAdd, NoteEnd, NoteRow, NoteRule
from perdure.store.entries import (
    BORN_FIRST,
    FIRST_VERSION,
    START_TIMER_ID,
    Birth,
    Entry,
    HandOut,
    Head,
    HistoryAdd,
    Identity,
    InboxAdd,
    LifecycleAdd,
    Message,
    Require,
    TaskAdd,
    TaskEnd,
    TimerAdd,
    TimerEnd,
)
from perdure.store.partitions import Partition
from perdure.store.query import InstanceQuery
from perdure.store.rows import (
    BirthOutcome,
    HistoryRow,
    InboxRow,
    LifecycleRow,
    Loaded,
    Outcome,
    Page,
    ReadyRow,
    Snapshot,
    TaskRow,
    TimerRow,
    Verdict,
)

__all__ = [
    "BORN_FIRST",
    "FIRST_VERSION",
    "START_TIMER_ID",
    "Birth",
    "BirthOutcome",
    "Entry",
    "HandOut",
    "Head",
    "HistoryAdd",
    "HistoryRow",
    "Identity",
    "InboxAdd",
    "InboxRow",
    "LifecycleAdd",
    "LifecycleRow",
    "Loaded",
    "Message",
    "NoteAdd",
    "NoteEnd",
    "NoteRow",
    "NoteRule",
    "Outcome",
    "Page",
    "ReadyRow",
    "Require",
    "Snapshot",
    "Store",
    "TaskAdd",
    "TaskEnd",
    "TaskRow",
    "TimerAdd",
    "TimerEnd",
    "TimerRow",
    "Verdict",
    "Within",
]

Within = Collection[Partition] | None


class Store(Protocol):
    """One place where instances are kept."""

    def commit(self, entries: Sequence[Entry]) -> list[Outcome]:
        """Land all entries, durably, and return one outcome for each, in order.

        Raises StoreUnavailable, StoreFailed or StoreBroken; then nothing of any entry was kept,
        save that with StoreUnsure all of them may have been.
        """
        ...

    def snapshot(self, instance: str | int) -> Snapshot | None:
        """Return an instance by id or key, without history and inbox."""
        ...

    def load(self, instance: str | int) -> Loaded | None:
        """Return an instance by id or key, whole, as of one moment."""
        ...

    def load_inbox(self, key: int) -> Loaded | None:
        """Return an instance with its inbox, as of one moment, and without its history."""
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

    def ready(self, after_key: int, limit: int, within: Within = None) -> tuple[ReadyRow, ...]:
        """Return instances with work for a turn, by key."""
        ...

    def terminating(self, within: Within = None) -> tuple[int, ...]:
        """Return the keys of unfinished instances with an EXECUTION_TERMINATED in the inbox."""
        ...

    def tasks(self, after_row: int, limit: int, within: Within = None) -> tuple[TaskRow, ...]:
        """Return activities that have not ended, in the order of scheduling."""
        ...

    def tasks_of(self, key: int) -> tuple[TaskRow, ...]:
        """Return every activity of one instance that the store knows, ended ones too."""
        ...

    def due_timers(self, now_us: int, limit: int, within: Within = None) -> tuple[TimerRow, ...]:
        """Return timers whose moment has come, earliest first."""
        ...

    def next_timer_us(self, within: Within = None) -> int | None:
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

    def note(self, shelf: str, key: str) -> NoteRow | None:
        """Return a note by its name."""
        ...

    def notes(self, shelf: str, after: tuple[int, int], limit: int) -> tuple[NoteRow, ...]:
        """Return notes of a shelf after a place, which is (moment, row), by moment and row."""
        ...

    def notes_about(
        self, shelf: str, about: str, after_row: int, limit: int
    ) -> tuple[NoteRow, ...]:
        """Return notes of a shelf about something, in the order of writing."""
        ...

    def notes_before(
        self, shelf: str, before_us: int, limit: int
    ) -> tuple[tuple[str, str | None], ...]:
        """Return (key, about) of a shelf's notes from before a moment, by moment and row."""
        ...

    def oldest_note_us(self, shelf: str) -> int | None:
        """Return the earliest moment of a shelf's notes."""
        ...

    def note_count(self, shelf: str) -> int:
        """Return how many notes there are on a shelf."""
        ...

    def note_counts(self, shelf: str) -> dict[str, int]:
        """Return how many notes of a shelf there are about each thing; others are not counted."""
        ...

    def dump(self) -> Iterator[tuple[object, ...]]:
        """Yield every row of every table in a canonical order, for comparing two stores."""
        ...

    def close(self) -> None:
        """Let go of the file or connection; may be called twice."""
        ...
