"""What the store in memory holds, and a draft of changes to it that is kept whole or not at all."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from perdure.core.status import TERMINAL, Status, seen_status
from perdure.store.port import (
    Head,
    HistoryRow,
    Identity,
    InboxRow,
    LifecycleRow,
    NoteRow,
    Snapshot,
    TaskRow,
    TimerRow,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """Everything of one instance. A change is a new record."""

    key: int
    version: int
    identity: Identity
    head: Head
    suspended: bool = False
    held: bool = False
    history: tuple[HistoryRow, ...] = ()
    inbox: tuple[InboxRow, ...] = ()  # by (rank, seq)
    tasks: tuple[TaskRow, ...] = ()  # those that have not ended
    ended_tasks: tuple[TaskRow, ...] = ()  # and those that have, or were given up
    timers: tuple[TimerRow, ...] = ()

    @property
    def finished(self) -> bool:
        return self.head.phase in TERMINAL

    @property
    def status(self) -> int:
        stalled = self.head.stalled is not None
        return int(seen_status(Status(self.head.phase), suspended=self.suspended, stalled=stalled))

    def snapshot(self) -> Snapshot:
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


@dataclass(slots=True)
class Counters:
    """The last number of each kind that was given out."""

    key: int = 0
    inbox_seq: int = 0
    task_row: int = 0
    lifecycle_seq: int = 0
    note_row: int = 0


@dataclass(slots=True)
class Shelf:
    """All instances by key, who bears which id, the lifecycle table, and the notes by name."""

    instances: dict[int, Instance] = field(default_factory=dict)
    bearers: dict[str, int] = field(default_factory=dict)
    lifecycle: list[LifecycleRow] = field(default_factory=list)
    notes: dict[tuple[str, str], NoteRow] = field(default_factory=dict)
    counters: Counters = field(default_factory=Counters)

    def by_key(self) -> Iterator[Instance]:
        """Yield the instances in the order of birth."""
        return (instance for _, instance in sorted(self.instances.items()))


class Draft:
    """Changes to a shelf. The shelf is untouched until `keep`."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._changed: dict[int, Instance | None] = {}
        self._bearers: dict[str, int | None] = {}
        self._lifecycle: list[LifecycleRow] = []
        self._notes: dict[tuple[str, str], NoteRow | None] = {}
        self.counters = replace(shelf.counters)

    def get(self, key: int | None) -> Instance | None:
        if key is None:
            return None
        return self._changed[key] if key in self._changed else self._shelf.instances.get(key)

    def bearer_of(self, instance_id: str) -> int | None:
        """Return the key of the instance that bears an id now."""
        if instance_id in self._bearers:
            return self._bearers[instance_id]
        return self._shelf.bearers.get(instance_id)

    def put(self, instance: Instance) -> None:
        self._changed[instance.key] = instance
        self._bearers[instance.identity.instance_id] = instance.key

    def remove(self, key: int) -> None:
        gone = self.get(key)
        if gone is not None:
            self._changed[key] = None
            self._bearers[gone.identity.instance_id] = None

    def add_lifecycle(self, row: LifecycleRow) -> None:
        self._lifecycle.append(row)

    def has_note(self, shelf: str, key: str) -> bool:
        name = (shelf, key)
        return (self._notes if name in self._notes else self._shelf.notes).get(name) is not None

    def put_note(self, row: NoteRow) -> None:
        self._notes[row.shelf, row.key] = row

    def remove_note(self, shelf: str, key: str) -> None:
        self._notes[shelf, key] = None

    def keep(self, lifecycle_rows_max: int) -> None:
        """Make the changes to the shelf."""
        for key, instance in self._changed.items():
            if instance is None:
                self._shelf.instances.pop(key, None)
            else:
                self._shelf.instances[key] = instance
        for instance_id, bearer in self._bearers.items():
            if bearer is None:
                self._shelf.bearers.pop(instance_id, None)
            else:
                self._shelf.bearers[instance_id] = bearer
        for name, note in self._notes.items():
            if note is None:
                self._shelf.notes.pop(name, None)
            else:
                self._shelf.notes[name] = note
        self._shelf.lifecycle.extend(self._lifecycle)
        self._shelf.counters = self.counters
        oldest = self.counters.lifecycle_seq - lifecycle_rows_max + 1
        if self._shelf.lifecycle and self._shelf.lifecycle[0].seq < oldest:
            self._shelf.lifecycle = [row for row in self._shelf.lifecycle if row.seq >= oldest]
