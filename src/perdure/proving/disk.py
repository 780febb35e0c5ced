"""The disk that a node's engine writes to and reads from: a real store, and what befalls it.

Theory of operation. The store is the real one. Between it and an engine stands a `NodeDisk`, which
lets commits and reads fail as the odds say, kills the node at the moments that matter, and shows
every commit that has landed to the world, with each instance as it was before and is now.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from perdure.base.errors import StoreFailed, StoreUnavailable
from perdure.proving.images import Change, Images
from perdure.proving.loop import Home
from perdure.proving.odds import Odds
from perdure.store.port import (
    Entry,
    HistoryRow,
    LifecycleRow,
    Loaded,
    NoteRow,
    Outcome,
    Page,
    ReadyRow,
    Snapshot,
    Store,
    TaskRow,
    TimerRow,
    Within,
)
from perdure.store.query import InstanceQuery

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit that has landed, with what it changed."""

    node: str
    entries: tuple[Entry, ...]
    outcomes: tuple[Outcome, ...]
    changes: tuple[Change, ...]


@dataclass(slots=True)
class Trouble:
    """What ails the disk for a while."""

    full: bool = False
    slow: bool = False


class Disk:
    """One store that nodes share."""

    def __init__(self, store: Store, chance: Random) -> None:
        """Begin in good health; whoever composes the world sets the callbacks."""
        self.store = store
        self.images = Images(store)
        self.chance = chance
        self.odds: Odds
        self.trouble = Trouble()
        self.committing: Sequence[Entry] = ()  # what the commit under way, or the last, is of
        self.on_landed: Callable[[Commit], None]
        self.on_broken: Callable[[str], None]
        self.on_fault: Callable[[str], None]
        self.step: Callable[[], int]

    def happens(self, kind: str) -> bool:
        """Draw whether a fault of a kind happens now, and count it if it does."""
        if self.chance.random() >= getattr(self.odds, kind):
            return False
        self.on_fault(kind)
        return True

    def delay_us(self) -> int:
        """Draw how long a step of the disk takes."""
        usual_us = self.chance.randrange(50, 4_000)
        return usual_us * 100 if self.trouble.slow else usual_us


class NodeDisk:
    """A `Store` as one node sees it."""

    def __init__(self, disk: Disk, home: Home, crash: Callable[[], None]) -> None:
        """`crash` kills the node, whatever it is doing."""
        self._disk = disk
        self._home = home
        self._crash = crash
        self._own: Store = disk.store
        # From which step on the node does not know what is on disk, until it is restarted.
        self.in_doubt_since: int | None = None
        self.has_failed = False  # something may have been given up

    @property
    def in_doubt(self) -> bool:
        """Whether what the engine believes may be another thing than what is on disk."""
        return self.in_doubt_since is not None

    def commit(self, entries: Sequence[Entry]) -> list[Outcome]:
        disk = self._disk
        disk.committing = entries
        if disk.trouble.full:
            self.has_failed = True
            raise StoreFailed("the disk is full")
        if disk.happens("commit_failed"):
            self.has_failed = True
            raise disk.chance.choice([StoreFailed, StoreUnavailable])("the commit failed")
        if disk.happens("crash_before_commit"):
            self._crash()
            return []
        before = disk.step()
        outcomes = self._landed(entries)
        if disk.happens("crash_after_commit"):
            self._crash()
        elif disk.happens("reply_lost"):
            self._lose_the_reply(before)
        return outcomes

    def _lose_the_reply(self, before: int) -> None:
        if self.in_doubt_since is None:
            self.in_doubt_since = before
        raise StoreUnavailable("the reply was lost")

    def _landed(self, entries: Sequence[Entry]) -> list[Outcome]:
        disk = self._disk
        try:
            outcomes = self._own.commit(entries)
        except AssertionError as error:
            disk.on_broken(f"the store finds a broken invariant: {error}")
            raise
        changes = disk.images.after(entries, outcomes)
        disk.on_landed(Commit(self._home.name, tuple(entries), tuple(outcomes), changes))
        return outcomes

    def _read(self) -> Store:
        if not self._home.alive:
            raise StoreUnavailable("the process is dead")
        if self._disk.happens("read_failed"):
            raise StoreFailed("the disk cannot be read")
        return self._own

    def snapshot(self, instance: str | int) -> Snapshot | None:
        return self._read().snapshot(instance)

    def load(self, instance: str | int) -> Loaded | None:
        return self._read().load(instance)

    def load_inbox(self, key: int) -> Loaded | None:
        return self._read().load_inbox(key)

    def history(self, key: int, after_seq: int, limit: int) -> tuple[HistoryRow, ...]:
        return self._read().history(key, after_seq, limit)

    def payload_events(self, key: int) -> tuple[bytes | None, bytes | None]:
        return self._read().payload_events(key)

    def find(self, query: InstanceQuery) -> Page:
        return self._read().find(query)

    def list_ids(self, after_key: int, limit: int) -> tuple[tuple[int, str], ...]:
        return self._read().list_ids(after_key, limit)

    def children(self, key: int) -> tuple[Snapshot, ...]:
        return self._read().children(key)

    def ready(self, after_key: int, limit: int, within: Within = None) -> tuple[ReadyRow, ...]:
        return self._read().ready(after_key, limit, within)

    def terminating(self, within: Within = None) -> tuple[int, ...]:
        return self._read().terminating(within)

    def tasks(self, after_row: int, limit: int, within: Within = None) -> tuple[TaskRow, ...]:
        return self._read().tasks(after_row, limit, within)

    def tasks_of(self, key: int) -> tuple[TaskRow, ...]:
        return self._read().tasks_of(key)

    def due_timers(self, now_us: int, limit: int, within: Within = None) -> tuple[TimerRow, ...]:
        return self._read().due_timers(now_us, limit, within)

    def next_timer_us(self, within: Within = None) -> int | None:
        return self._read().next_timer_us(within)

    def expired(self, phase: int, completed_before_us: int, limit: int) -> tuple[int, ...]:
        return self._read().expired(phase, completed_before_us, limit)

    def oldest_completed_us(self, phase: int) -> int | None:
        return self._read().oldest_completed_us(phase)

    def counts(self) -> dict[int, int]:
        return self._read().counts()

    def stuck(self, limit: int) -> tuple[ReadyRow, ...]:
        return self._read().stuck(limit)

    def lifecycle(self, after_seq: int, limit: int) -> tuple[LifecycleRow, ...]:
        return self._read().lifecycle(after_seq, limit)

    def name_counts(self) -> dict[str, int]:
        return self._read().name_counts()

    def note(self, shelf: str, key: str) -> NoteRow | None:
        return self._read().note(shelf, key)

    def notes(self, shelf: str, after: tuple[int, int], limit: int) -> tuple[NoteRow, ...]:
        return self._read().notes(shelf, after, limit)

    def notes_about(
        self, shelf: str, about: str, after_row: int, limit: int
    ) -> tuple[NoteRow, ...]:
        return self._read().notes_about(shelf, about, after_row, limit)

    def notes_before(
        self, shelf: str, before_us: int, limit: int
    ) -> tuple[tuple[str, str | None], ...]:
        return self._read().notes_before(shelf, before_us, limit)

    def oldest_note_us(self, shelf: str) -> int | None:
        return self._read().oldest_note_us(shelf)

    def note_count(self, shelf: str) -> int:
        return self._read().note_count(shelf)

    def note_counts(self, shelf: str) -> dict[str, int]:
        return self._read().note_counts(shelf)

    def dump(self) -> Iterator[tuple[object, ...]]:
        return self._read().dump()

    def close(self) -> None:
        """The disk outlives its nodes."""
