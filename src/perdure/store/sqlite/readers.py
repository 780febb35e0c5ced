"""Connections that read, each lent to one thread at a time and used again by the next."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Final

from perdure.base.errors import StoreUnavailable
from perdure.store.sqlite.faults import fault_of

_IDLE_MAX: Final = 16


class Readers:
    """As many connections as there are reads at one time. The last one used is lent first."""

    def __init__(self, connect: Callable[[], sqlite3.Connection], *, path: str) -> None:
        self._connect = connect
        self._path = path
        self._idle: list[sqlite3.Connection] = []
        self._lock = Lock()
        self._closed = False

    @contextmanager
    def lend(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection; SQLite's errors come out as ours, and no transaction stays open."""
        reader: sqlite3.Connection | None = None
        try:
            reader = self._take()
            yield reader
        except sqlite3.Error as error:
            raise fault_of(error, self._path) from error
        finally:
            if reader is not None:
                self._give_back(reader)

    @contextmanager
    def lend_moment(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection of which all reads see one moment."""
        with self.lend() as reader:
            reader.execute("BEGIN")
            yield reader

    def close(self) -> None:
        """Close what is idle; what is lent is closed when it comes back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for reader in idle:
            reader.close()

    def _take(self) -> sqlite3.Connection:
        with self._lock:
            if self._closed:
                raise StoreUnavailable(f"{self._path}: the store is closed")
            if self._idle:
                return self._idle.pop()
        return self._connect()

    def _give_back(self, reader: sqlite3.Connection) -> None:
        if reader.in_transaction:
            reader.execute("ROLLBACK")
        with self._lock:
            if not self._closed and len(self._idle) < _IDLE_MAX:
                self._idle.append(reader)
                return
        reader.close()
