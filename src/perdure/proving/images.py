"""Instances as they are on disk, and what a commit changed about them.

Nothing here is taken from what an entry says of itself: an image is read from the store, so that
a store or an engine that says one thing and does another is seen.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from perdure.base.time import LATEST_US
from perdure.core.events import Event
from perdure.core.state import State, blank, fold
from perdure.core.status import TERMINAL
from perdure.store.port import (
    Entry,
    HistoryRow,
    InboxRow,
    Outcome,
    Snapshot,
    Store,
    TaskRow,
    TimerRow,
)
from perdure.wire.events import decode_stored

_ROWS_MAX = 1_000_000
_STUCK_MAX = 10


@lru_cache(maxsize=65_536)
def event_of(data: bytes) -> Event:
    """Return a stored event as a record."""
    return decode_stored(data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One instance, whole, at one moment."""

    snapshot: Snapshot
    history: tuple[HistoryRow, ...]
    inbox: tuple[InboxRow, ...]  # in the order in which a turn takes them
    tasks: tuple[TaskRow, ...]  # ended ones too
    timers: tuple[TimerRow, ...]

    @property
    def key(self) -> int:
        return self.snapshot.key

    @property
    def instance_id(self) -> str:
        return self.snapshot.identity.instance_id

    @property
    def generation(self) -> int:
        return self.snapshot.head.generation

    @property
    def finished(self) -> bool:
        return self.snapshot.head.phase in TERMINAL

    @property
    def open_tasks(self) -> tuple[TaskRow, ...]:
        """The activities that have still to end."""
        return tuple(row for row in self.tasks if row.add.event)

    def past(self) -> list[Event]:
        """Return the history as records."""
        return [event_of(row.event) for row in self.history]

    def unread(self) -> list[Event]:
        """Return the inbox as records."""
        return [event_of(row.add.event) for row in self.inbox]

    def state(self) -> State:
        """Return the fold of the history."""
        return fold(blank(self.generation), self.past())


@dataclass(frozen=True, slots=True)
class Change:
    """An instance before and after a commit; None where there was or is none."""

    key: int
    before: Image | None
    after: Image | None


class Images:
    """The last image of every instance."""

    def __init__(self, store: Store) -> None:
        """Begin with what the store holds."""
        self.store = store
        self.by_key: dict[int, Image] = {}
        self.by_id: dict[str, Image] = {}

    def after(self, entries: Sequence[Entry], outcomes: Sequence[Outcome]) -> tuple[Change, ...]:
        """Look again at all that a commit may have touched."""
        touched = dict.fromkeys(
            key
            for entry, outcome in zip(entries, outcomes, strict=True)
            for key in _touched(entry, outcome)
        )
        timers = self._timers()
        changes = []
        for key in touched:
            before = self.by_key.get(key)
            after = self.read(key, timers.get(key, ()))
            if before != after:
                self._keep(key, before, after)
                changes.append(Change(key, before, after))
        return tuple(changes)

    def stuck(self) -> list[str]:
        """Return whom the store itself finds that nothing will ever move."""
        return [row.instance_id for row in self.store.stuck(_STUCK_MAX)]

    def strays(self) -> list[str]:
        """Return what in the store has changed without a commit."""
        found = {key for key, _ in self.store.list_ids(0, _ROWS_MAX)}
        timers = self._timers()
        strays = [f"key {key} came or went" for key in sorted(found ^ self.by_key.keys())]
        strays += [
            f"instance '{image.instance_id}' (key {key}) changed"
            for key, image in self.by_key.items()
            if key in found and self.read(key, timers.get(key, ())) != image
        ]
        return strays

    def read(self, key: int, timers: tuple[TimerRow, ...]) -> Image | None:
        """Return an instance as it is in the store now."""
        loaded = self.store.load(key)
        if loaded is None:
            return None
        return Image(
            snapshot=loaded.snapshot,
            history=loaded.history,
            inbox=loaded.inbox,
            tasks=self.store.tasks_of(key),
            timers=timers,
        )

    def _timers(self) -> dict[int, tuple[TimerRow, ...]]:
        by_key: dict[int, list[TimerRow]] = {}
        for row in self.store.due_timers(LATEST_US, _ROWS_MAX):
            by_key.setdefault(row.key, []).append(row)
        return {key: tuple(rows) for key, rows in by_key.items()}

    def _keep(self, key: int, before: Image | None, after: Image | None) -> None:
        if before is not None and self.by_id.get(before.instance_id) is before:
            del self.by_id[before.instance_id]
        if after is None:
            del self.by_key[key]
        else:
            self.by_key[key] = after
            self.by_id[after.instance_id] = after


def _touched(entry: Entry, outcome: Outcome) -> Iterator[int]:
    if entry.key is not None:
        yield entry.key
    for birth in entry.births:
        if birth.replaces is not None:
            yield birth.replaces
    for born in outcome.births:
        if born.key is not None:
            yield born.key
    for landed in outcome.messages:
        if landed is not None:
            yield landed[0]
