"""The store in one SQLite file, owned by one process.

Theory of operation. One connection writes, and only `commit` uses it; a commit is one
transaction, on disk (WAL, synchronous=FULL) when it returns. Reads have connections of their
own, see what was committed, and wait for nobody. The file belongs to this process as long as
`Ownership` lasts, so the numbers that are given out are counted here and written with each commit.
"""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from threading import RLock

from perdure.base.errors import StoreUnavailable
from perdure.base.limits import LIFECYCLE_ROWS_MAX
from perdure.store.applying import apply_entry
from perdure.store.checks import check_entry, check_shipment
from perdure.store.moving import Numbers, Shipment, Whole
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
    TaskRow,
    TimerRow,
    Within,
)
from perdure.store.query import InstanceQuery
from perdure.store.sqlite import moving, reading
from perdure.store.sqlite.batch import Batch
from perdure.store.sqlite.counters import Counters
from perdure.store.sqlite.faults import fault_of
from perdure.store.sqlite.finding import find
from perdure.store.sqlite.opening import open_reader, open_writer, resolve
from perdure.store.sqlite.ownership import Ownership
from perdure.store.sqlite.presence import Presence
from perdure.store.sqlite.readers import Readers
from perdure.store.sqlite.remembered import Remembered
from perdure.store.sqlite.statements import statements


class SqliteStore:
    """A `Store` in the file at `path`, which is made if there is none.

    Opening it raises StoreLocked if another store holds the file, in this process or another,
    StoreBroken if it cannot be used and StoreFailed if not just now.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, lifecycle_rows_max: int = LIFECYCLE_ROWS_MAX
    ) -> None:
        file = resolve(path)
        self._path = str(file)
        self._lifecycle_rows_max = lifecycle_rows_max
        self._writing = RLock()
        self._ownership = Ownership(file)
        try:
            self._writer: sqlite3.Connection | None = open_writer(file)
            row = self._writer.execute(statements("writing")["counters"]).fetchone()
        except sqlite3.Error as error:
            self._ownership.release()
            raise fault_of(error, self._path) from error
        except BaseException:
            self._ownership.release()
            raise
        self._presence = Presence(file, self._ownership.lock_file)
        self._counters = Counters(*row)
        self._remembered = Remembered()
        self._readers = Readers(partial(open_reader, file), path=self._path)

    def commit(self, entries: Sequence[Entry]) -> list[Outcome]:
        for entry in entries:
            check_entry(entry)
        with self._writing:
            try:
                with self._transaction() as writer:
                    batch = Batch(writer, self._counters, entries, self._remembered)
                    outcomes = [apply_entry(batch, entry) for entry in entries]
                    batch.finish(self._lifecycle_rows_max)
            except BaseException:
                self._remembered.clear()
                raise
            self._counters = batch.counters
            batch.remember()
        return outcomes

    def reserve(self, wanted: Numbers) -> Numbers:
        with self._writing:
            before = moving.numbers_of(self._counters)
            with self._transaction() as writer:
                counters = moving.reserved(writer, before.plus(wanted))
            self._counters = counters
        return before

    def receive(self, shipment: Shipment) -> tuple[str, ...]:
        check_shipment(shipment)
        with self._transaction() as writer:
            return moving.put_in(writer, shipment, self._counters)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Lend the writer for one transaction, which lands at the end or leaves nothing."""
        with self._writing:
            if self._writer is None:
                raise StoreUnavailable(f"{self._path}: the store is closed")
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                yield self._writer
                self._presence.check()
                self._writer.execute("COMMIT")
            except BaseException as error:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error):
                    raise fault_of(error, self._path) from error
                raise

    def close(self) -> None:
        """Close the file and give it up. A commit that is under way lands first."""
        self._readers.close()
        with self._writing:
            if self._writer is not None:
                self._writer.close()
                self._writer = None
            self._ownership.release()

    def snapshot(self, instance: str | int) -> Snapshot | None:
        with self._readers.lend() as reader:
            return reading.snapshot(reader, instance)

    def load(self, instance: str | int) -> Loaded | None:
        with self._readers.lend_moment() as reader:
            return reading.load(reader, instance)

    def load_inbox(self, key: int) -> Loaded | None:
        with self._readers.lend_moment() as reader:
            return reading.load_inbox(reader, key)

    def history(self, key: int, after_seq: int, limit: int) -> tuple[HistoryRow, ...]:
        with self._readers.lend() as reader:
            return reading.history(reader, key, after_seq, limit)

    def payload_events(self, key: int) -> tuple[bytes | None, bytes | None]:
        with self._readers.lend_moment() as reader:
            return reading.payload_events(reader, key)

    def find(self, query: InstanceQuery) -> Page:
        with self._readers.lend_moment() as reader:
            return find(reader, query)

    def list_ids(self, after_key: int, limit: int) -> tuple[tuple[int, str], ...]:
        with self._readers.lend() as reader:
            return reading.ids(reader, after_key, limit)

    def children(self, key: int) -> tuple[Snapshot, ...]:
        with self._readers.lend() as reader:
            return reading.children(reader, key)

    def ready(self, after_key: int, limit: int, within: Within = None) -> tuple[ReadyRow, ...]:
        with self._readers.lend() as reader:
            return reading.ready(reader, after_key, limit, within)

    def terminating(self, within: Within = None) -> tuple[int, ...]:
        with self._readers.lend() as reader:
            return reading.terminating(reader, within)

    def tasks(self, after_row: int, limit: int, within: Within = None) -> tuple[TaskRow, ...]:
        with self._readers.lend() as reader:
            return reading.tasks(reader, after_row, limit, within)

    def tasks_of(self, key: int) -> tuple[TaskRow, ...]:
        with self._readers.lend() as reader:
            return reading.tasks_of(reader, key)

    def due_timers(self, now_us: int, limit: int, within: Within = None) -> tuple[TimerRow, ...]:
        with self._readers.lend() as reader:
            return reading.due_timers(reader, now_us, limit, within)

    def next_timer_us(self, within: Within = None) -> int | None:
        with self._readers.lend() as reader:
            return reading.next_timer_us(reader, within)

    def expired(self, phase: int, completed_before_us: int, limit: int) -> tuple[int, ...]:
        with self._readers.lend() as reader:
            return reading.expired(reader, phase, completed_before_us, limit)

    def oldest_completed_us(self, phase: int) -> int | None:
        with self._readers.lend() as reader:
            return reading.oldest_completed_us(reader, phase)

    def counts(self) -> dict[int, int]:
        with self._readers.lend() as reader:
            return reading.counts(reader)

    def stuck(self, limit: int) -> tuple[ReadyRow, ...]:
        with self._readers.lend() as reader:
            return reading.stuck(reader, limit)

    def lifecycle(self, after_seq: int, limit: int) -> tuple[LifecycleRow, ...]:
        with self._readers.lend() as reader:
            return reading.lifecycle(reader, after_seq, limit)

    def name_counts(self) -> dict[str, int]:
        with self._readers.lend() as reader:
            return reading.name_counts(reader)

    def note(self, shelf: str, key: str) -> NoteRow | None:
        with self._readers.lend() as reader:
            return reading.note(reader, shelf, key)

    def notes(self, shelf: str, after: tuple[int, int], limit: int) -> tuple[NoteRow, ...]:
        with self._readers.lend() as reader:
            return reading.notes(reader, shelf, after, limit)

    def notes_about(
        self, shelf: str, about: str, after_row: int, limit: int
    ) -> tuple[NoteRow, ...]:
        with self._readers.lend() as reader:
            return reading.notes_about(reader, shelf, about, after_row, limit)

    def notes_before(
        self, shelf: str, before_us: int, limit: int
    ) -> tuple[tuple[str, str | None], ...]:
        with self._readers.lend() as reader:
            return reading.notes_before(reader, shelf, before_us, limit)

    def oldest_note_us(self, shelf: str) -> int | None:
        with self._readers.lend() as reader:
            return reading.oldest_note_us(reader, shelf)

    def note_count(self, shelf: str) -> int:
        with self._readers.lend() as reader:
            return reading.note_count(reader, shelf)

    def note_counts(self, shelf: str) -> dict[str, int]:
        with self._readers.lend() as reader:
            return reading.note_counts(reader, shelf)

    def numbers(self) -> Numbers:
        with self._readers.lend() as reader:
            return moving.numbers(reader)

    def wholes(self, after_key: int, limit: int, history_bytes_max: int) -> tuple[Whole, ...]:
        with self._readers.lend_moment() as reader:
            return moving.wholes(reader, after_key, limit, history_bytes_max)

    def notes_by_row(self, after_row: int, limit: int) -> tuple[NoteRow, ...]:
        with self._readers.lend() as reader:
            return moving.notes_by_row(reader, after_row, limit)

    def in_use_by(self) -> tuple[str, ...]:
        return ()  # the lock on the file keeps everybody out

    def ids_in_use(self, ids: Sequence[str]) -> tuple[str, ...]:
        with self._readers.lend() as reader:
            return moving.ids_in_use(reader, ids)

    def dump(self) -> Iterator[tuple[object, ...]]:
        with self._readers.lend_moment() as reader:
            yield from reading.dump(reader)
