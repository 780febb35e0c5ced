"""The reference store: every promise of the port in the plainest way, nothing on disk.

It answers by looking through everything it holds; it is there to be obviously right.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import astuple, replace
from threading import Lock

from perdure.base.limits import LIFECYCLE_ROWS_MAX
from perdure.core.events import Kind
from perdure.core.views import Wait
from perdure.store.checks import check_entry, check_loaded
from perdure.store.memory.applying import apply_entry
from perdure.store.memory.dumping import DUMPED
from perdure.store.memory.finding import find
from perdure.store.memory.moving import Moving
from perdure.store.memory.shelf import Draft, Instance, Shelf
from perdure.store.partitions import PARTITIONS, Partition, partition_of
from perdure.store.port import (
    START_TIMER_ID,
    Entry,
    HistoryRow,
    LifecycleRow,
    Loaded,
    NoteRow,
    Outcome,
    Page,
    ReadyRow,
    Snapshot,
    TaskRow,
    TimerRow,
    Within,
)
from perdure.store.query import InstanceQuery


class MemoryStore(Moving):
    """A `Store` that forgets everything with the process; `close` changes nothing."""

    def __init__(self, *, lifecycle_rows_max: int = LIFECYCLE_ROWS_MAX) -> None:
        self._shelf = Shelf()
        self._lock = Lock()
        self._lifecycle_rows_max = lifecycle_rows_max

    @property
    def partitions(self) -> int:
        """How many partitions each app has."""
        return PARTITIONS

    def commit(self, entries: Sequence[Entry]) -> list[Outcome]:
        for entry in entries:
            check_entry(entry)
        with self._lock:
            draft = Draft(self._shelf)
            outcomes = [apply_entry(draft, entry) for entry in entries]
            draft.keep(self._lifecycle_rows_max)
        return outcomes

    def _get(self, instance: str | int) -> Instance | None:
        with self._lock:
            key = instance if isinstance(instance, int) else self._shelf.bearers.get(instance)
            return None if key is None else self._shelf.instances.get(key)

    def _all(self) -> list[Instance]:
        with self._lock:
            return list(self._shelf.by_key())

    def snapshot(self, instance: str | int) -> Snapshot | None:
        found = self._get(instance)
        return None if found is None else found.snapshot()

    def load(self, instance: str | int) -> Loaded | None:
        found = self._get(instance)
        if found is None:
            return None
        loaded = Loaded(found.snapshot(), found.history, found.inbox)
        check_loaded(loaded)
        return loaded

    def load_inbox(self, key: int) -> Loaded | None:
        found = self._get(key)
        return None if found is None else Loaded(found.snapshot(), (), found.inbox)

    def history(self, key: int, after_seq: int, limit: int) -> tuple[HistoryRow, ...]:
        found = self._get(key)
        rows = found.history if found else ()
        return tuple(row for row in rows if row.seq > after_seq)[:limit]

    def payload_events(self, key: int) -> tuple[bytes | None, bytes | None]:
        found = self._get(key)
        if found is None:
            return None, None
        rows = [(row.kind, row.event) for row in found.history]
        started = [
            event
            for kind, event in (*rows, *((row.add.kind, row.add.event) for row in found.inbox))
            if kind == Kind.EXECUTION_STARTED
        ]
        completed = [event for kind, event in rows[-1:] if kind == Kind.EXECUTION_COMPLETED]
        return next(iter(started), None), next(iter(completed), None)

    def find(self, query: InstanceQuery) -> Page:
        return find([instance.snapshot() for instance in self._all()], query)

    def list_ids(self, after_key: int, limit: int) -> tuple[tuple[int, str], ...]:
        ids = [(each.key, each.identity.instance_id) for each in self._all()]
        return tuple(row for row in ids if row[0] > after_key)[:limit]

    def children(self, key: int) -> tuple[Snapshot, ...]:
        return tuple(each.snapshot() for each in self._all() if each.identity.parent_key == key)

    def _where(self, instance: Instance, app_id: str | None = None) -> Partition:
        identity = instance.identity
        return partition_of(app_id or identity.app_id, identity.instance_id, self.partitions)

    def _all_within(self, within: Within) -> list[Instance]:
        return [each for each in self._all() if within is None or self._where(each) in within]

    def ready(self, after_key: int, limit: int, within: Within = None) -> tuple[ReadyRow, ...]:
        everyone = self._all_within(within)
        found = [each for each in everyone if each.key > after_key and _is_ready(each)]
        return tuple(map(_ready_row, found[:limit]))

    def terminating(self, within: Within = None) -> tuple[int, ...]:
        return tuple(each.key for each in self._all_within(within) if _is_terminating(each))

    def tasks(self, after_row: int, limit: int, within: Within = None) -> tuple[TaskRow, ...]:
        rows = [
            replace(row, suspended=each.suspended)
            for each in self._all()
            for row in each.tasks
            if row.row > after_row
            and (within is None or self._where(each, row.add.app_id) in within)
        ]
        return tuple(sorted(rows, key=lambda row: row.row)[:limit])

    def tasks_of(self, key: int) -> tuple[TaskRow, ...]:
        found = self._get(key)
        if found is None:
            return ()
        rows = sorted((*found.tasks, *found.ended_tasks), key=lambda row: row.row)
        return tuple(replace(row, suspended=found.suspended) for row in rows)

    def due_timers(self, now_us: int, limit: int, within: Within = None) -> tuple[TimerRow, ...]:
        rows = [
            row if within is None else replace(row, partition=self._where(each))
            for each in self._all_within(within)
            for row in each.timers
            if row.fire_at_us <= now_us
        ]
        rows.sort(key=lambda row: (row.fire_at_us, row.key, row.generation, row.timer_id))
        return tuple(rows[:limit])

    def next_timer_us(self, within: Within = None) -> int | None:
        moments = [row.fire_at_us for each in self._all_within(within) for row in each.timers]
        return min(moments, default=None)

    def expired(self, phase: int, completed_before_us: int, limit: int) -> tuple[int, ...]:
        ended = [row for row in self._ended(phase) if row[0] < completed_before_us]
        return tuple(key for _, key in ended[:limit])

    def oldest_completed_us(self, phase: int) -> int | None:
        return next((moment for moment, _ in self._ended(phase)), None)

    def _ended(self, phase: int) -> list[tuple[int, int]]:
        return sorted(
            (each.head.completed_at_us, each.key)
            for each in self._all()
            if each.head.phase == phase and each.head.completed_at_us is not None
        )

    def counts(self) -> dict[int, int]:
        return dict(Counter(each.status for each in self._all()))

    def stuck(self, limit: int) -> tuple[ReadyRow, ...]:
        everyone = self._all()
        waited_for = {each.identity.parent_key for each in everyone if not each.finished}
        found = [each for each in everyone if not _is_fine(each) and each.key not in waited_for]
        return tuple(map(_ready_row, found[:limit]))

    def lifecycle(self, after_seq: int, limit: int) -> tuple[LifecycleRow, ...]:
        with self._lock:
            return tuple([row for row in self._shelf.lifecycle if row.seq > after_seq][:limit])

    def name_counts(self) -> dict[str, int]:
        return dict(Counter(each.identity.name for each in self._all()))

    def note(self, shelf: str, key: str) -> NoteRow | None:
        with self._lock:
            return self._shelf.notes.get((shelf, key))

    def _notes_of(self, shelf: str) -> list[NoteRow]:
        with self._lock:
            return [note for note in self._shelf.notes.values() if note.shelf == shelf]

    def notes(self, shelf: str, after: tuple[int, int], limit: int) -> tuple[NoteRow, ...]:
        notes = sorted(self._notes_of(shelf), key=_place_of)
        return tuple([note for note in notes if _place_of(note) > after][:limit])

    def notes_about(
        self, shelf: str, about: str, after_row: int, limit: int
    ) -> tuple[NoteRow, ...]:
        found = [note for note in self._notes_of(shelf) if note.about == about]
        found = [note for note in found if note.row > after_row]
        return tuple(sorted(found, key=lambda note: note.row)[:limit])

    def notes_before(
        self, shelf: str, before_us: int, limit: int
    ) -> tuple[tuple[str, str | None], ...]:
        notes = sorted(self._notes_of(shelf), key=_place_of)
        return tuple([(note.key, note.about) for note in notes if note.at_us < before_us][:limit])

    def oldest_note_us(self, shelf: str) -> int | None:
        return min((note.at_us for note in self._notes_of(shelf)), default=None)

    def note_count(self, shelf: str) -> int:
        return len(self._notes_of(shelf))

    def note_counts(self, shelf: str) -> dict[str, int]:
        return dict(Counter(n.about for n in self._notes_of(shelf) if n.about is not None))

    def dump(self) -> Iterator[tuple[object, ...]]:
        with self._lock:
            counters, lifecycle = self._shelf.counters, tuple(self._shelf.lifecycle)
            notes = sorted(self._shelf.notes.values(), key=lambda note: note.row)
        yield ("counters", *astuple(counters))
        everyone = self._all()
        for rows_of in DUMPED:
            for each in everyone:
                yield from rows_of(each)
        for row in lifecycle:
            yield ("lifecycle", row.seq, row.key, *astuple(row.add))
        for note in notes:
            yield ("note", *astuple(note))

    def close(self) -> None:
        """Nothing is held that could be let go of."""


def _place_of(note: NoteRow) -> tuple[int, int]:
    return note.at_us, note.row


def _is_ready(instance: Instance) -> bool:
    if not instance.inbox or instance.finished:
        return False
    return _is_terminating(instance) or not (instance.held or instance.suspended)


def _is_terminating(instance: Instance) -> bool:
    ends = any(row.add.kind == Kind.EXECUTION_TERMINATED for row in instance.inbox)
    return ends and not instance.finished


def _is_fine(instance: Instance) -> bool:
    """Tell whether an instance will move by itself, or has its reason not to."""
    starts_later = instance.held and any(
        row.timer_id == START_TIMER_ID and row.generation == 0 for row in instance.timers
    )
    return (
        instance.finished
        or instance.suspended
        or instance.head.stalled is not None
        or starts_later
        or _is_ready(instance)
        or bool(instance.tasks)
        or bool(instance.timers)
        or instance.head.waits_for == Wait.EVENT
    )


def _ready_row(instance: Instance) -> ReadyRow:
    identity = instance.identity
    return ReadyRow(instance.key, identity.instance_id, identity.name, identity.app_id)
