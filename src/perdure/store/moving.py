"""Instances on the move from one store to another: what is taken out, and what is put in.

A step of the engine is an entry of a commit. What comes from another store is none: it was all
committed once, and keeps the numbers, versions and counts that it was committed with, so that
nobody who knows it notices that it has moved. So it has a verb of its own, `receive`.

Rules.
- `Whole` is everything of one instance as of one moment. What `receive` was given is what `wholes`
  returns.
- Whoever puts rows in has reserved their numbers before: those are given to nobody else. Numbers go
  on growing from the reserved ones.
- `commit`, `reserve` and `receive` are called from one thread at a time.
- A shipment lands whole and durably, or not at all.
- Nobody else works on what is being put in: an instance that runs is handed out by the next one who
  opens the store, or, where several share it, by whoever is told of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Protocol

from perdure.store.port import (
    Entry,
    Head,
    HistoryRow,
    Identity,
    InboxRow,
    LifecycleRow,
    NoteRow,
    Outcome,
    Snapshot,
    TaskRow,
    TimerAdd,
)


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers of each kind that a store gives out: the last ones given, or how many."""

    key: int = 0
    inbox_seq: int = 0
    task_row: int = 0
    lifecycle_seq: int = 0
    note_row: int = 0

    def plus(self, other: "Numbers") -> "Numbers":
        """Return the sums."""
        return Numbers(**{f.name: getattr(self, f.name) + getattr(other, f.name) for f in _KINDS})

    def beyond(self, other: "Numbers") -> "Numbers":
        """Return by how much these are more than others, 0 where they are not."""
        return Numbers(
            **{f.name: max(getattr(self, f.name) - getattr(other, f.name), 0) for f in _KINDS}
        )

    def each(self) -> tuple[int, ...]:
        """Return them in the order of their names here."""
        return tuple(getattr(self, f.name) for f in _KINDS)


_KINDS = fields(Numbers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """An instance with everything that hangs on it, as of one moment.

    The inbox is by (rank, seq), tasks are by row, timers by name; `ended_tasks` have ended or were
    given up. The instance id and the flag of a task's row are those of the instance.
    """

    key: int
    version: int
    identity: Identity
    head: Head
    suspended: bool
    held: bool
    history: tuple[HistoryRow, ...] = ()
    inbox: tuple[InboxRow, ...] = ()
    tasks: tuple[TaskRow, ...] = ()
    ended_tasks: tuple[TaskRow, ...] = ()
    timers: tuple[TimerAdd, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipment:
    """Rows that come from another store, with their numbers."""

    instances: tuple[Whole, ...] = ()
    lifecycle: tuple[LifecycleRow, ...] = ()
    notes: tuple[NoteRow, ...] = ()


class Source(Protocol):
    """What can be moved out of a store. All of it only reads."""

    def numbers(self) -> Numbers:
        """Return the last number of each kind that was given out."""
        ...

    def counts(self) -> dict[int, int]:
        """Return the number of instances by status (as readers see it)."""
        ...

    def snapshot(self, instance: str | int) -> Snapshot | None:
        """Return an instance by id or key, without history and inbox."""
        ...

    def list_ids(self, after_key: int, limit: int) -> tuple[tuple[int, str], ...]:
        """Return (key, instance id) in the order of birth."""
        ...

    def note(self, shelf: str, key: str) -> NoteRow | None:
        """Return a note by its name."""
        ...

    def wholes(self, after_key: int, limit: int, history_bytes_max: int) -> tuple[Whole, ...]:
        """Return up to `limit` instances by key, as of one moment.

        There are fewer once the histories of those before one have more than so many bytes, so
        that none is too large to be read: it comes alone.
        """
        ...

    def lifecycle(self, after_seq: int, limit: int) -> tuple[LifecycleRow, ...]:
        """Return lifecycle rows in order."""
        ...

    def notes_by_row(self, after_row: int, limit: int) -> tuple[NoteRow, ...]:
        """Return notes of all shelves in the order of writing."""
        ...

    def close(self) -> None:
        """Let go of the file or connection; may be called twice."""
        ...


class Target(Source, Protocol):
    """What can be moved into a store, besides."""

    def commit(self, entries: Sequence[Entry]) -> list[Outcome]:
        """Land all entries, durably, as `Store.commit` does."""
        ...

    def in_use_by(self) -> tuple[str, ...]:
        """Return who else works on this store just now, each by a name for people."""
        ...

    def ids_in_use(self, ids: Sequence[str]) -> tuple[str, ...]:
        """Return those of the ids that instances bear, in their order."""
        ...

    def reserve(self, wanted: Numbers) -> Numbers:
        """Reserve so many numbers of each kind; return the last ones that were given before them.

        Raises as `Store.commit` does. What is reserved and not used is never given out.
        """
        ...

    def receive(self, shipment: Shipment) -> tuple[str, ...]:
        """Put rows in, durably; return the ids of those instances whose ids are in use.

        If there are any, nothing of the shipment was kept. Lifecycle rows and notes that are there
        already stay as they are. Raises as `Store.commit` does.
        """
        ...


def shifted(whole: Whole, by: Numbers) -> Whole:
    """Return an instance with every number greater by so much, its parent's key too."""
    key, parent_key = whole.key + by.key, whole.identity.parent_key
    moved_parent = None if parent_key is None else parent_key + by.key
    return replace(
        whole,
        key=key,
        identity=replace(whole.identity, parent_key=moved_parent),
        inbox=tuple(replace(row, seq=row.seq + by.inbox_seq) for row in whole.inbox),
        tasks=_shifted_tasks(whole.tasks, key, by.task_row),
        ended_tasks=_shifted_tasks(whole.ended_tasks, key, by.task_row),
    )


def _shifted_tasks(rows: tuple[TaskRow, ...], key: int, by: int) -> tuple[TaskRow, ...]:
    return tuple(replace(row, key=key, row=row.row + by) for row in rows)


def shifted_lifecycle(row: LifecycleRow, by: Numbers) -> LifecycleRow:
    """Return a lifecycle row with greater numbers; one that is about no instance stays so."""
    return replace(row, seq=row.seq + by.lifecycle_seq, key=row.key and row.key + by.key)


def shifted_note(row: NoteRow, by: Numbers) -> NoteRow:
    """Return a note with a greater number."""
    return replace(row, row=row.row + by.note_row)


def whole_of(source: Source, instance_id: str) -> Whole | None:
    """Return an instance by its id, or None if there is none."""
    found = source.snapshot(instance_id)
    if found is None:
        return None
    # It may have gone since, and its id be borne by another.
    wholes = source.wholes(found.key - 1, 1, 0)
    same = wholes and wholes[0].identity.instance_id == instance_id
    return wholes[0] if same else None
