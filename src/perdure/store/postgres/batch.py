"""What one commit knows and has gathered, entry after entry, until it writes.

Everything that its entries ask for was read before the first of them is applied (`learning`), and
is then kept true by hand, so that each entry sees those before it although nothing is written yet.
"""

from collections.abc import Iterator
from typing import Final

from perdure.store.gathering import Known, Name
from perdure.store.partitions import number_of
from perdure.store.port import (
    FIRST_VERSION,
    Birth,
    Entry,
    HandOut,
    HistoryAdd,
    InboxAdd,
    LifecycleAdd,
    TaskAdd,
    TaskEnd,
    TimerAdd,
    TimerEnd,
)
from perdure.store.postgres.composing import Part
from perdure.store.postgres.learning import Learned, Place
from perdure.store.postgres.noting import Notes
from perdure.store.postgres.numbering import NumberSeries
from perdure.store.postgres.pending import Pending, TaskChange

HISTORY_SEQ_MAX: Final = (1 << 31) - 1

Own = tuple[int, int]  # of a task or timer: generation and id


class Batch:
    """The changes of one commit, as statements in the order in which they are to be run."""

    def __init__(self, learned: Learned, numbers: NumberSeries, partitions: int) -> None:
        self.numbers = numbers
        self._partitions_max = partitions
        self._known: dict[int, Known | None] = {**learned.instances()}
        self._bearers: dict[str, int | None] = {**learned.bearers}
        self._places: dict[int, Place] = {**learned.places}
        # Which tasks and timers are there, as far as anybody asks, by instance.
        self._tasks: dict[int, dict[Own, bool]] = {}
        self._timers: dict[int, dict[Own, bool]] = {}
        for key, *own in learned.open_tasks:
            self._tasks.setdefault(key, {})[own[0], own[1]] = True
        for key, *own in learned.open_timers:
            self._timers.setdefault(key, {})[own[0], own[1]] = True
        self._notes = Notes(learned.notes)
        self._pending = Pending()
        self._flushed: list[list[Part]] = []

    def statements(self) -> Iterator[list[Part]]:
        """Yield what is to be run, as parts to be put together into a statement each."""
        self._flush(*self._notes.writing())
        yield from self._flushed

    def _flush(self, *more: Part) -> None:
        pending, self._pending = self._pending, Pending()
        steps = (
            pending.clearing(),
            [*pending.writing(self._places), *more],
            pending.noting(),
        )
        self._flushed += [parts for parts in steps if parts]
        for known in self._known.values():
            if known is not None:
                known.written()

    # What is known.

    def instance(self, key: int | None) -> Known | None:
        return None if key is None else self._known.get(key)

    def place_of(self, key: int) -> Place | None:
        """Return where an instance lies, or lay if it has gone in this commit."""
        return self._places.get(key)

    def bearer_of(self, instance_id: str) -> int | None:
        return self._bearers.get(instance_id)

    def task_is_open(self, name: Name) -> bool:
        return self._tasks.get(name[0], {}).get(name[1:], False)

    def timer_is_open(self, name: Name) -> bool:
        return self._timers.get(name[0], {}).get(name[1:], False)

    def has_note(self, shelf: str, key: str) -> bool:
        return self._notes.has((shelf, key))

    # What is changed.

    def touch(self, known: Known) -> None:
        known.has_rows = True
        self._pending.changed[known.key] = known

    def add_instance(self, birth: Birth) -> Known:
        identity = birth.identity
        newborn = Known(
            key=self.numbers.key.next(),
            version=FIRST_VERSION,
            phase=birth.head.phase,
            created_at_us=birth.head.created_at_us,
            completed_at_us=birth.head.completed_at_us,
            history_seq=0,
            birth=birth,
            held=birth.held,
        )
        self._known[newborn.key] = newborn
        self._bearers[identity.instance_id] = newborn.key
        number = number_of(identity.instance_id, self._partitions_max)
        self._places[newborn.key] = (identity.app_id, number)
        self.touch(newborn)
        self._pending.tags.extend((newborn.key, *tag) for tag in identity.tags)
        if identity.propagated is not None:
            self._pending.propagated.append((newborn.key, identity.propagated))
        return newborn

    def purge(self, known: Known) -> None:
        if known.has_rows:
            self._flush()
        self._pending.purged.append(known.key)
        self._known[known.key] = None

    def add_history(self, known: Known, adds: tuple[HistoryAdd, ...]) -> None:
        assert known.history_seq + len(adds) <= HISTORY_SEQ_MAX, known
        known.has_log_rows = True
        first = known.history_seq + 1
        known.history_seq += len(adds)
        self.touch(known)
        key = known.key
        self._pending.history.extend(
            [(key, seq, add.kind, add.event) for seq, add in enumerate(adds, start=first)]
        )

    def wipe_history(self, known: Known) -> None:
        if known.has_log_rows:
            self._flush()
        known.history_seq = 0
        self.touch(known)
        self._pending.wiped_histories.append(known.key)

    def add_inbox(self, known: Known, add: InboxAdd) -> int:
        known.has_rows = True
        seq = self.numbers.inbox_seq.next()
        own = (seq, known.key, self._places[known.key][1])
        self._pending.inbox[seq] = (*own, add.rank, add.kind, add.generation, add.event)
        self._pending.inbox_of.setdefault(known.key, []).append(seq)
        return seq

    def take_inbox(self, known: Known, seqs: tuple[int, ...]) -> None:
        known.has_rows = True
        for seq in seqs:
            row = self._pending.inbox.get(seq)
            if row is None:
                self._pending.taken.append((seq, known.key))
            elif row[1] == known.key:
                del self._pending.inbox[seq]

    def wipe_inbox(self, known: Known) -> None:
        known.has_rows = True
        for seq in self._pending.inbox_of.pop(known.key, ()):
            self._pending.inbox.pop(seq, None)
        self._pending.wiped_inboxes.append(known.key)

    def add_tasks(self, known: Known, adds: tuple[TaskAdd, ...]) -> None:
        names = [(known.key, add.generation, add.task_id) for add in adds]
        if known.has_tasks and (
            known.key in self._pending.given_up
            or any(name in self._pending.tasks for name in names)
        ):
            self._flush()
        known.has_rows = known.has_tasks = True
        own = self._tasks.setdefault(known.key, {})
        _, partition = self._places[known.key]
        for name, add in zip(names, adds, strict=True):
            assert not own.get(name[1:]), f"task {name} is scheduled twice"
            own[name[1:]] = True
            row = self.numbers.task_row.next()
            self._pending.tasks[name] = TaskChange(added=(row, partition, add))

    def end_task(self, known: Known, end: TaskEnd) -> None:
        name = (known.key, end.generation, end.task_id)
        if name in self._pending.late_notes:
            self._flush()
        known.has_rows = known.has_log_rows = known.has_tasks = True
        self._tasks[known.key][name[1:]] = False
        self._pending.tasks.setdefault(name, TaskChange()).ended = end

    def give_up_tasks(self, known: Known) -> None:
        if known.has_tasks:
            self._flush()
        known.has_rows = known.has_log_rows = known.has_tasks = True
        own = self._tasks.get(known.key, {})
        own.update(dict.fromkeys(own, False))
        self._pending.given_up.append(known.key)

    def note_task(self, known: Known, note: HandOut) -> None:
        name = (known.key, note.generation, note.task_id)
        known.has_rows = known.has_tasks = True
        change = self._pending.tasks.get(name)
        if change is None:
            is_open = self.task_is_open(name)
            notes = self._pending.tasks if is_open else self._pending.late_notes
            change = notes.setdefault(name, TaskChange())
        change.note(note)

    def add_timers(self, known: Known, adds: tuple[TimerAdd, ...]) -> None:
        names = [(known.key, add.generation, add.timer_id) for add in adds]
        if known.has_timers and (
            known.key in self._pending.wiped_timers
            or any(name in self._pending.ended_timers for name in names)
        ):
            self._flush()
        known.has_rows = known.has_timers = True
        own = self._timers.setdefault(known.key, {})
        _, partition = self._places[known.key]
        for name, add in zip(names, adds, strict=True):
            assert not own.get(name[1:]), f"timer {name} is set twice"
            own[name[1:]] = True
            self._pending.timers[name] = (partition, add.fire_at_us)

    def end_timer(self, known: Known, end: TimerEnd) -> None:
        known.has_rows = known.has_timers = True
        name = (known.key, end.generation, end.timer_id)
        self._timers.setdefault(known.key, {})[name[1:]] = False
        if self._pending.timers.pop(name, None) is None:
            self._pending.ended_timers[name] = None

    def wipe_timers(self, known: Known) -> None:
        own = self._timers.get(known.key, {})
        for timer in own:
            own[timer] = False
            self._pending.timers.pop((known.key, *timer), None)
        known.has_rows = known.has_timers = True
        self._pending.wiped_timers.append(known.key)

    def add_lifecycle(self, key: int, add: LifecycleAdd) -> None:
        seq = self.numbers.lifecycle_seq.next()
        self._pending.lifecycle.append((seq, key, add.kind, add.at_us, add.instance_id, add.name))

    def change_notes(self, entry: Entry) -> None:
        self._notes.end(entry)
        for add in entry.notes:
            self._notes.add(self.numbers.note_row.next(), add)
