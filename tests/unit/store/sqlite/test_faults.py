"""SQLite's own errors, raised by SQLite, and what they are to us."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from perdure.base.errors import StoreBroken, StoreError, StoreFailed, StoreUnavailable
from perdure.store.sqlite.faults import fault_of


def _full(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA max_page_count = 3")
        connection.execute("CREATE TABLE t (x)")
        connection.execute("INSERT INTO t VALUES (zeroblob(100000))")


def _no_database(path: Path) -> None:
    path.write_bytes(b"x" * 5_000)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("SELECT * FROM sqlite_schema")


def _missing(path: Path) -> None:
    sqlite3.connect(path / "none" / "store.db")


def _read_only(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (x)")
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        connection.execute("INSERT INTO t VALUES (1)")


def _wrong_sql(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("SELEKT")


def _closed(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.close()
    connection.execute("SELECT 1")


@pytest.mark.parametrize(
    ("trouble", "fault", "advice"),
    [
        (_full, StoreFailed, "the disk is full: nothing of this change was kept; free"),
        (_no_database, StoreBroken, "no SQLite database, or damaged: choose another file"),
        (_missing, StoreFailed, "check that it and its folder are there"),
        (_read_only, StoreBroken, "make it and its folder writable"),
        (_wrong_sql, StoreBroken, "does not hold what it should"),
        (_closed, StoreUnavailable, "closed database"),
    ],
)
def test_an_error_is_told_with_its_file_and_what_to_do(
    tmp_path: Path, trouble: Callable[[Path], None], fault: type[StoreError], advice: str
) -> None:
    path = tmp_path / "store.db"
    with pytest.raises(sqlite3.Error) as caught:
        trouble(path)
    told = fault_of(caught.value, str(path))
    assert type(told) is fault
    assert str(told).startswith(f"{path}: ")
    assert advice in str(told)


def test_a_broken_invariant_is_our_mistake(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "store.db")
    connection.execute("CREATE TABLE t (x UNIQUE)")
    with pytest.raises(sqlite3.IntegrityError) as caught:
        connection.execute("INSERT INTO t VALUES (1), (1)")
    assert type(fault_of(caught.value, "x")) is AssertionError
    connection.close()


def test_a_text_that_is_no_text_is_damage() -> None:
    connection = sqlite3.connect(":memory:")
    with pytest.raises(sqlite3.OperationalError) as caught:
        connection.execute("SELECT CAST(x'ff' AS TEXT) AS name").fetchone()
    fault = fault_of(caught.value, "store.db")
    assert isinstance(fault, StoreBroken)
    assert "damaged" in str(fault)
