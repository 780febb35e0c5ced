"""Opening a file: what it must be, how its connections are set up, and its schema's version.

The version of the schema is `user_version`, the number of the last migration that the file has
been through; `application_id` tells our files from those of other programs. A migration and its
number land in one transaction.
"""

import os
import sqlite3
from pathlib import Path
from typing import Final
from urllib.parse import quote

from perdure.base.errors import StoreBroken
from perdure.store.sqlite.statements import migrations, statements

APPLICATION_ID: Final = 0x70657264  # "perd"
SQLITE_MIN: Final = (3, 33, 0)  # as old as any that is still shipped with a Python we run on

_STATEMENTS_CACHED: Final = 256
_BUSY_TIMEOUT_S: Final = 2.0
_WRITER_CACHE_KIB: Final = 32 * 1_024
_READER_CACHE_KIB: Final = 4 * 1_024
# The log is copied into the file when it has this many pages: often enough that it stays small
# and is read again in no time after a crash, seldom enough that hot pages are copied only once.
_CHECKPOINT_PAGES: Final = 2_000
_LOG_BYTES_MAX: Final = 64 * 1_024 * 1_024
_EFFECTIVE_IDS: Final = os.access in os.supports_effective_ids


def resolve(path: str | os.PathLike[str]) -> Path:
    """Return the file that `path` means, links followed; raises StoreBroken if it cannot be one."""
    text = os.fspath(path)
    if not text or text.startswith((":memory:", "file:")):
        raise StoreBroken(f"{text!r} is no path of a file: name one, such as perdure.db")
    file = Path(os.path.realpath(text))
    if not file.parent.is_dir():
        raise StoreBroken(
            f"{file}: the folder {file.parent} does not exist: create it, or choose another file"
        )
    if file.is_dir():
        raise StoreBroken(f"{file} is a folder: name a file in it, such as {file / 'perdure.db'}")
    if sqlite3.sqlite_version_info < SQLITE_MIN:
        wanted = ".".join(map(str, SQLITE_MIN))
        raise StoreBroken(
            f"{file}: this Python carries SQLite {sqlite3.sqlite_version}, and {wanted} or later "
            "is needed: use a newer build of Python"
        )
    return file


def open_writer(file: Path) -> sqlite3.Connection:
    """Return the one connection that writes, with the file brought to the present schema.

    Raises StoreBroken if the file is not ours, from a later version or no file to write to,
    and whatever SQLite raises.
    """
    _check_writable(file)
    writer = _connect(file, "rwc", _WRITER_CACHE_KIB)
    try:
        _set_up(writer, file)
    except BaseException:
        writer.close()
        raise
    return writer


def open_reader(file: Path) -> sqlite3.Connection:
    """Return a connection that can only read."""
    return _connect(file, "ro", _READER_CACHE_KIB)


def _connect(file: Path, mode: str, cache_kib: int) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"file:{quote(os.fspath(file))}?mode={mode}",
        uri=True,
        timeout=_BUSY_TIMEOUT_S,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=_STATEMENTS_CACHED,
    )
    connection.execute(f"PRAGMA cache_size = -{cache_kib}")
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


def _set_up(writer: sqlite3.Connection, file: Path) -> None:
    _check_owner(writer, file)
    (mode,) = writer.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise StoreBroken(
            f"{file}: this file system cannot keep a write-ahead log (a network drive?): "
            "choose a file on a local disk"
        )
    writer.execute("PRAGMA synchronous = FULL")
    writer.execute("PRAGMA fullfsync = ON")  # macOS alone needs asking for a real flush
    writer.execute("PRAGMA checkpoint_fullfsync = ON")
    writer.execute("PRAGMA secure_delete = OFF")
    writer.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
    writer.execute(f"PRAGMA journal_size_limit = {_LOG_BYTES_MAX}")
    _migrate(writer)
    # A file that cannot be written says so now and not at the first commit. It takes a write to
    # find out: on such a file `BEGIN IMMEDIATE` alone quietly begins to read.
    writer.execute("BEGIN IMMEDIATE")
    writer.execute(f"PRAGMA user_version = {len(migrations())}")
    writer.execute("ROLLBACK")
    (beyond,) = writer.execute(statements("writing")["numbers_beyond_counters"]).fetchone()
    if beyond:
        raise StoreBroken(
            f"{file}: the file is damaged (numbers in use that were never given out): "
            "restore it from a backup"
        )


def _check_writable(file: Path) -> None:
    # SQLite would open it for reading, and beside it make a log that may not be written either,
    # which stays in the way when the file may be. One that may not even be read, it refuses.
    may_read, may_write = (
        os.access(file, mode, effective_ids=_EFFECTIVE_IDS) for mode in (os.R_OK, os.W_OK)
    )
    if may_read and not may_write:
        raise StoreBroken(
            f"{file}: the file cannot be written: make it and its folder writable for this user, "
            "or choose another file"
        )


def _check_owner(writer: sqlite3.Connection, file: Path) -> None:
    (owner,) = writer.execute("PRAGMA application_id").fetchone()
    (version,) = writer.execute("PRAGMA user_version").fetchone()
    (tables,) = writer.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if owner != APPLICATION_ID and (owner or version or tables):
        raise StoreBroken(
            f"{file} is a database of another program: choose another file, it is left as it is"
        )
    known = len(migrations())
    if version > known:
        raise StoreBroken(
            f"{file} was written by a later version of perdure (its schema is {version}, this "
            f"version knows up to {known}): install that version, or choose another file"
        )


def _migrate(writer: sqlite3.Connection) -> None:
    (version,) = writer.execute("PRAGMA user_version").fetchone()
    for number, script in migrations().items():
        if number > version:
            try:
                writer.executescript(
                    f"BEGIN IMMEDIATE;\n{script}\n"
                    f"PRAGMA application_id = {APPLICATION_ID};\n"
                    f"PRAGMA user_version = {number};\nCOMMIT;"
                )
            except BaseException:
                if writer.in_transaction:
                    writer.execute("ROLLBACK")
                raise
