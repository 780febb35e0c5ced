"""A store in trouble: no room, another program's lock, closed. Nothing acknowledged is lost."""

import resource
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from perdure.base.errors import StoreFailed, StoreUnavailable
from perdure.store.port import Entry, InboxAdd
from perdure.store.sqlite import SqliteStore
from tests.conformance.store.making import START, bear, birth


@contextmanager
def _no_file_beyond(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_commit_without_room_is_undone_and_the_store_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = SqliteStore(path)
    bear(store, "before", inbox=(START,))
    held = list(store.dump())
    large = InboxAdd(15, b"x" * 300_000)
    with _no_file_beyond((tmp_path / "store.db-wal").stat().st_size + 100_000):
        for _ in range(3):
            with pytest.raises(StoreFailed, match=r"store\.db: .*space"):
                store.commit(
                    [
                        Entry(key=None, births=(birth("small"),)),
                        Entry(key=None, births=(birth("large", inbox=(large,)),)),
                    ]
                )
            assert list(store.dump()) == held
        assert bear(store, "small enough") == 2, "numbers go on where they were"
    assert bear(store, "after", inbox=(large,)) == 3
    held = list(store.dump())
    store.close()
    store = SqliteStore(path)
    assert list(store.dump()) == held
    store.close()


def test_another_programs_lock_is_waited_for_and_then_told(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = SqliteStore(path)
    other = sqlite3.connect(path)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreFailed, match="another program holds a lock on the file"):
        bear(store, "a")
    other.rollback()
    other.close()
    assert bear(store, "a") == 1
    store.close()


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")
    store.close()
    store.close()
    with pytest.raises(StoreUnavailable, match="the store is closed"):
        store.commit([Entry(key=None, births=(birth("a"),))])
    with pytest.raises(StoreUnavailable, match="the store is closed"):
        store.counts()


def test_a_file_closed_in_good_order_stands_alone(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")
    bear(store, "a")
    store.counts()
    store.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["store.db", "store.db.lock"]


def test_text_that_is_no_text_is_refused_whole(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")
    with pytest.raises(UnicodeEncodeError):
        store.commit([Entry(key=None, births=(birth(name),)) for name in ("a", "\ud800")])
    assert bear(store, "a") == 1
    store.close()


def test_a_number_beyond_64_bits_is_refused_whole(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")
    with pytest.raises(OverflowError):
        store.commit([Entry(key=None, births=(birth("a", created_at_us=1 << 63),))])
    assert bear(store, "a") == 1
    store.close()


def test_closing_waits_for_nobody_who_reads(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")
    bear(store, "a")
    rows = store.dump()
    first = next(rows)
    store.close()
    assert first[0] == "counters"
    assert [row[0] for row in rows] == ["instance"], "who reads may read to the end"
