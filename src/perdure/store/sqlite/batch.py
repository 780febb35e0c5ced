"""What one commit knows and has gathered, entry after entry, until it writes.

What is known of an instance is read once for the whole commit and then kept true by hand, so
that each entry sees those before it although nothing of them is written yet.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final

from perdure.store.gathering import Known, Name
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
from perdure.store.sqlite.counters import Counters
from perdure.store.sqlite.noting import change_notes, has_note
from perdure.store.sqlite.pending import Pending
from perdure.store.sqlite.remembered import Remembered
from perdure.store.sqlite.statements import statements

_SQL: Final = statements("writing")
_SEQ_BITS: Final = 24
HISTORY_SEQ_MAX: Final = (1 << _SEQ_BITS) - 1


class Batch:
    """The changes of one commit. The transaction is the caller's."""

    def __init__(
        self,
        writer: sqlite3.Connection,
        counters: Counters,
        entries: Sequence[Entry],
        remembered: Remembered,
    ) -> None:
        self._remembered = remembered
        self.counters = Counters(*counters.values())
        self.writer = writer
        self._known: dict[int, Known | None] = {}
        self._bearers: dict[str, int | None] = {}
        # What the commit has done to tasks and timers so far, over what the tables hold.
        self._tasks: dict[Name, int] = {}  # the row of an open one, 0 for one that is not
        self._task_rows: dict[Name, int] = {}  # of those that were asked for
        self._given_up: dict[int, int] = {}  # by instance, up to which row
        self._noted: set[Name] = set()
        self._timers: dict[Name, bool] = {}
        self._wiped_timers: set[int] = set()
        self._pending = Pending()
        self._learn({entry.key for entry in entries if entry.key is not None})
        self._learn_bearers(
            {birth.identity.instance_id for entry in entries for birth in entry.births}
        )

    def finish(self, lifecycle_rows_max: int) -> None:
        """Write what is left, and the counters."""
        self._flush()
        oldest_gone = self.counters.lifecycle_seq - lifecycle_rows_max
        if oldest_gone > 0:
            self.writer.execute(_SQL["prune_lifecycle"], (oldest_gone,))
        self.writer.execute(_SQL["update_counters"], self.counters.values())

    def _flush(self) -> None:
        self._pending.write(self.writer)
        self._pending = Pending()
        for known in self._known.values():
            if known is not None:
                known.written()

    def _learn(self, keys: Iterable[int]) -> None:
        asked = []
        for key in keys:
            if key in self._known:
                continue
            known = self._remembered.find(key)
            if known is None:
                asked.append(key)
            else:
                self._known[key] = known
        if asked:
            self._known.update(dict.fromkeys(asked))
            rows = self.writer.execute(_SQL["known_instances"], (json.dumps(asked),))
            self._known.update((row[0], Known(*row)) for row in rows)

    def _learn_bearers(self, ids: set[str]) -> None:
        # Plain ones only: what JSON and SQLite make of the others is not looked into here.
        asked = [each for each in ids if each.isascii() and each.isprintable()]
        if len(asked) > 1:
            self._bearers.update(dict.fromkeys(asked))
            self._bearers.update(self.writer.execute(_SQL["bearers"], (json.dumps(asked),)))

    def remember(self) -> None:
        """Keep what is known, now that it is on disk."""
        self._remembered.keep_all(self._known, self._given_up, self._tasks)

    # What is known.

    def instance(self, key: int | None) -> Known | None:
        if key is None:
            return None
        if key not in self._known:
            self._learn((key,))
        return self._known[key]

    def bearer_of(self, instance_id: str) -> int | None:
        """Return the key of the instance that bears an id now."""
        if instance_id not in self._bearers:
            row = self.writer.execute(_SQL["bearer"], (instance_id,)).fetchone()
            self._bearers[instance_id] = None if row is None else row[0]
        return self._bearers[instance_id]

    def task_is_open(self, name: Name) -> bool:
        if name in self._tasks:
            return bool(self._tasks[name])
        row = self._remembered.task(name)
        if row is None:
            found = self.writer.execute(_SQL["open_task"], name).fetchone()
            row = 0 if found is None else found[0]
        self._task_rows[name] = row
        return row > self._given_up.get(name[0], 0)

    def timer_is_open(self, name: Name) -> bool:
        if name in self._timers:
            return self._timers[name]
        if name[0] in self._wiped_timers:
            return False
        return self.writer.execute(_SQL["open_timer"], name).fetchone() is not None

    def has_note(self, shelf: str, key: str) -> bool:
        return has_note(self.writer, shelf, key)

    # What is changed.

    def touch(self, known: Known) -> None:
        """Have the head and flags of an instance written."""
        known.has_rows = True
        self._pending.changed[known.key] = known

    def add_instance(self, birth: Birth) -> Known:
        self.counters.key += 1
        newborn = Known(
            key=self.counters.key,
            version=FIRST_VERSION,
            phase=birth.head.phase,
            created_at_us=birth.head.created_at_us,
            completed_at_us=birth.head.completed_at_us,
            history_seq=0,
            birth=birth,
            held=birth.held,
            may_have_inbox=False,
            may_have_timers=False,
        )
        identity = birth.identity
        self._known[newborn.key] = newborn
        self._bearers[identity.instance_id] = newborn.key
        self.touch(newborn)
        self._pending.tags.extend((newborn.key, *tag) for tag in identity.tags)
        if identity.propagated is not None:
            self._pending.propagated.append((newborn.key, identity.propagated))
        return newborn

    def purge(self, known: Known) -> None:
        if known.has_rows:
            self._flush()
        self._pending.purged.append((known.key,))
        self._known[known.key] = None

    def add_history(self, known: Known, adds: tuple[HistoryAdd, ...]) -> None:
        assert known.history_seq + len(adds) <= HISTORY_SEQ_MAX, known
        known.has_rows = known.has_log_rows = True
        place = (known.key << _SEQ_BITS) + known.history_seq
        known.history_seq += len(adds)
        self._pending.history += [
            (at, add.kind, add.event) for at, add in enumerate(adds, start=place + 1)
        ]

    def wipe_history(self, known: Known) -> None:
        if known.has_log_rows:
            self._flush()
        known.has_rows = True
        known.history_seq = 0
        self._pending.wiped_histories.append((known.key,))

    def add_inbox(self, known: Known, add: InboxAdd) -> int:
        known.has_rows = known.may_have_inbox = True
        self.counters.inbox_seq += 1
        seq = self.counters.inbox_seq
        row = (seq, known.key, add.rank, add.kind, add.generation, add.event)
        self._pending.inbox.append(row)
        return seq

    def take_inbox(self, known: Known, seqs: tuple[int, ...]) -> None:
        known.has_rows = True
        # Rows are written before they are taken, so one that is yet to come is left out here.
        last = self.counters.inbox_seq
        self._pending.taken.extend((seq, known.key) for seq in seqs if seq <= last)

    def wipe_inbox(self, known: Known) -> None:
        if not known.may_have_inbox:
            return
        known.has_rows = True
        known.may_have_inbox = False
        self._pending.wiped_inboxes.append((known.key, self.counters.inbox_seq))

    def add_tasks(self, known: Known, adds: tuple[TaskAdd, ...]) -> None:
        names = [(known.key, add.generation, add.task_id) for add in adds]
        if known.has_tasks and any(map(self._is_pending_past, names)):
            self._flush()
        known.has_rows = known.has_tasks = True
        first = self.counters.task_row + 1
        self.counters.task_row += len(adds)
        self._tasks.update(zip(names, range(first, first + len(adds)), strict=True))
        self._pending.tasks += [
            (
                row,
                known.key,
                add.generation,
                add.task_id,
                add.name,
                add.app_id,
                add.event,
                add.scheduled_at_us,
                add.propagated,
            )
            for row, add in enumerate(adds, start=first)
        ]

    def _is_pending_past(self, name: Name) -> bool:
        """Tell whether an earlier task of a name may have changes that are yet to be written."""
        was_given_up = name[0] in self._given_up
        return name in self._noted or not self._tasks.get(name, 0 if was_given_up else 1)

    def end_task(self, known: Known, end: TaskEnd) -> None:
        known.has_rows = known.has_log_rows = known.has_tasks = True
        name = (known.key, end.generation, end.task_id)
        row = self._tasks.get(name) or self._task_rows[name]
        self._tasks[name] = 0
        self._pending.ended_tasks[name] = (end.at_us, int(end.failed), row)

    def give_up_tasks(self, known: Known) -> None:
        if known.has_tasks:
            own = [name for name in self._tasks if name[0] == known.key]
            self._tasks.update(dict.fromkeys(own, 0))
        known.has_rows = known.has_log_rows = known.has_tasks = True
        self._given_up[known.key] = self.counters.task_row
        self._pending.wiped_tasks[known.key] = self.counters.task_row

    def note_task(self, known: Known, note: HandOut) -> None:
        known.has_rows = known.has_tasks = True
        name = (known.key, note.generation, note.task_id)
        self._noted.add(name)
        self._pending.notes.append((note.worker, note.at_us, *name))

    def add_timers(self, known: Known, adds: tuple[TimerAdd, ...]) -> None:
        known.has_rows = known.has_timers = known.may_have_timers = True
        for add in adds:
            name = (known.key, add.generation, add.timer_id)
            assert not self._timers.get(name), f"timer {name} is set twice"
            self._timers[name] = True
            self._pending.timers[name] = add.fire_at_us

    def end_timer(self, known: Known, end: TimerEnd) -> None:
        known.has_rows = known.has_timers = True
        name = (known.key, end.generation, end.timer_id)
        self._timers[name] = False
        self._pending.timers.pop(name, None)
        self._pending.ended_timers.append(name)

    def wipe_timers(self, known: Known) -> None:
        if not known.may_have_timers:
            return
        known.may_have_timers = False
        if known.has_timers:
            own = [name for name in self._timers if name[0] == known.key]
            for name in own:
                self._timers[name] = False
                self._pending.timers.pop(name, None)
        known.has_rows = True
        self._wiped_timers.add(known.key)
        self._pending.wiped_timers.append((known.key,))

    def add_lifecycle(self, key: int, add: LifecycleAdd) -> None:
        self.counters.lifecycle_seq += 1
        row = (self.counters.lifecycle_seq, key, add.kind, add.at_us, add.instance_id, add.name)
        self._pending.lifecycle.append(row)

    def change_notes(self, entry: Entry) -> None:
        self.counters.note_row = change_notes(self.writer, entry, self.counters.note_row)
