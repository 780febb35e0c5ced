"""A file that is only read, to move or copy what is in it; not a byte of it changes."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from perdure.base.errors import StoreBroken
from perdure.store.moving import Numbers, Whole
from perdure.store.port import LifecycleRow, NoteRow, Snapshot
from perdure.store.sqlite import moving, reading
from perdure.store.sqlite.opening import APPLICATION_ID, open_reader, resolve
from perdure.store.sqlite.ownership import Ownership
from perdure.store.sqlite.readers import Readers
from perdure.store.sqlite.statements import migrations


class SqliteSource:
    """A `Source` in the file at `path`, which must be there.

    With `alone`, nobody else may have it open, and nobody can until it is closed. Without, a server
    may be running on it: each read is then of its own moment.

    Opening it raises StoreLocked if another process holds the file, StoreBroken if it cannot be
    used and StoreFailed if not just now.
    """

    def __init__(self, path: str | os.PathLike[str], *, alone: bool) -> None:
        file = resolve(path)
        if not file.exists():
            raise StoreBroken(f"{file}: there is no such file")
        self._ownership = Ownership(file) if alone else None
        self._readers = Readers(partial(open_reader, file), path=str(file))
        try:
            with self._reading() as reader:
                _check(reader, file)
        except BaseException:
            self.close()
            raise

    def numbers(self) -> Numbers:
        with self._reading() as reader:
            return moving.numbers(reader)

    def counts(self) -> dict[int, int]:
        with self._reading() as reader:
            return reading.counts(reader)

    def snapshot(self, instance: str | int) -> Snapshot | None:
        with self._reading() as reader:
            return reading.snapshot(reader, instance)

    def list_ids(self, after_key: int, limit: int) -> tuple[tuple[int, str], ...]:
        with self._reading() as reader:
            return reading.ids(reader, after_key, limit)

    def children(self, key: int) -> tuple[Snapshot, ...]:
        with self._reading() as reader:
            return reading.children(reader, key)

    def note(self, shelf: str, key: str) -> NoteRow | None:
        with self._reading() as reader:
            return reading.note(reader, shelf, key)

    def wholes(self, after_key: int, limit: int, history_bytes_max: int) -> tuple[Whole, ...]:
        with self._reading() as reader:
            return moving.wholes(reader, after_key, limit, history_bytes_max)

    def lifecycle(self, after_seq: int, limit: int) -> tuple[LifecycleRow, ...]:
        with self._reading() as reader:
            return reading.lifecycle(reader, after_seq, limit)

    def notes_by_row(self, after_row: int, limit: int) -> tuple[NoteRow, ...]:
        with self._reading() as reader:
            return moving.notes_by_row(reader, after_row, limit)

    def close(self) -> None:
        self._readers.close()
        if self._ownership is not None:
            self._ownership.release()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._readers.lend_moment() as reader:
            yield reader


def _check(reader: sqlite3.Connection, file: Path) -> None:
    (owner,) = reader.execute("PRAGMA application_id").fetchone()
    (version,) = reader.execute("PRAGMA user_version").fetchone()
    if owner != APPLICATION_ID:
        raise StoreBroken(f"{file} is no file of perdure: choose another one, it is left as it is")
    known = len(migrations())
    if version > known:
        raise StoreBroken(
            f"{file} was written by a later version of perdure (its schema is {version}, this "
            f"version knows up to {known}): install that version"
        )
    if version < known:
        raise StoreBroken(
            f"{file} was written by an earlier version of perdure (its schema is {version}, this "
            f"version reads {known}): start `perdure serve` on it once, which brings it up to date"
        )
