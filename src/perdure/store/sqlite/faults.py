"""What SQLite's errors mean to us: which fault it is, for which file, and what to do next."""

import sqlite3
from typing import Final

from perdure.base.errors import StoreBroken, StoreError, StoreFailed, StoreUnavailable

_RESTORE: Final = "stop the server, keep a copy of the file and restore it from a backup"

_UNDECODABLE: Final = "Could not decode to UTF-8"

# By primary result code. What is not named here is trouble that may pass; without any code a
# connection was closed beneath its user, as when the server stops.
_FAULTS: Final[dict[int | None, tuple[type[StoreError], str]]] = {
    sqlite3.SQLITE_ERROR: (
        StoreBroken,
        f"the file does not hold what it should: {_RESTORE}",
    ),
    sqlite3.SQLITE_FULL: (
        StoreFailed,
        "the disk is full: nothing of this change was kept; free some space and try again",
    ),
    sqlite3.SQLITE_BUSY: (
        StoreFailed,
        "another program holds a lock on the file: close it and try again",
    ),
    sqlite3.SQLITE_IOERR: (
        StoreFailed,
        (
            "the disk could not be read or written: check the disk, its free space and any limit "
            "on the size of files, and try again"
        ),
    ),
    sqlite3.SQLITE_CANTOPEN: (
        StoreFailed,
        (
            "the file cannot be opened: check that it and its folder are there, that this user may "
            "read and write both, and the number of files that may be open"
        ),
    ),
    sqlite3.SQLITE_PERM: (
        StoreBroken,
        "this user may not use the file: change its permissions or choose another",
    ),
    sqlite3.SQLITE_READONLY: (
        StoreBroken,
        (
            "the file cannot be written: make it and its folder writable for this user, or choose "
            "another file"
        ),
    ),
    sqlite3.SQLITE_CORRUPT: (StoreBroken, f"the file is damaged: {_RESTORE}"),
    sqlite3.SQLITE_NOTADB: (
        StoreBroken,
        f"the file is no SQLite database, or damaged: choose another file, or {_RESTORE}",
    ),
}


def fault_of(error: sqlite3.Error, path: str) -> StoreError | AssertionError:
    """Return the fault that `error` means, its text naming the file and the next step.

    What only a mistake of ours can cause is an AssertionError.
    """
    if isinstance(error, sqlite3.IntegrityError):
        return AssertionError(f"{path}: an invariant is broken: {error}")
    code = getattr(error, "sqlite_errorcode", None)
    primary = None if code is None else code & 0xFF
    if code is None and _UNDECODABLE in str(error):
        primary = sqlite3.SQLITE_CORRUPT  # Python itself found it, and gives it no code
    other = StoreUnavailable if code is None else StoreFailed
    fault, advice = _FAULTS.get(primary, (other, "the store could not do it; try again"))
    name = getattr(error, "sqlite_errorname", None) or type(error).__name__
    return fault(f"{path}: {advice} ({name}: {error})")
