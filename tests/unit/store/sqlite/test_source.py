"""A file that is only read: what it must be, who may have it open, and that it stays as it is."""

import hashlib
import sqlite3
from pathlib import Path

import pytest

from perdure.base.errors import StoreBroken, StoreLocked, StoreUnavailable
from perdure.store.memory import MemoryStore
from perdure.store.moving import whole_of
from perdure.store.sqlite import SqliteStore
from perdure.store.sqlite.source import SqliteSource
from tests.kit.wholes import fill, move


def _file(folder: Path) -> Path:
    path = folder / "wf.db"
    store = SqliteStore(path)
    fill(store)
    store.close()
    return path


def _digests(folder: Path) -> dict[str, str]:
    files = [path for path in folder.iterdir() if path.suffix == ".db" or path.name == "wf.db-wal"]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_everything_is_read_and_nothing_changes(tmp_path: Path) -> None:
    path = _file(tmp_path)
    before = _digests(tmp_path)
    source, target = SqliteSource(path, alone=True), MemoryStore()
    move(source, target)
    source.close()
    source.close()
    assert _digests(tmp_path)["wf.db"] == before["wf.db"]
    store = SqliteStore(path)
    assert list(target.dump()) == list(store.dump())
    assert store.counts() == target.counts()
    store.close()


def test_what_a_killed_server_has_left_in_its_log_is_read(tmp_path: Path) -> None:
    """The log of changes is as much of the file as the file, and stays as it is, too."""
    first = SqliteStore(tmp_path / "running.db")
    fill(first)
    for suffix in ("", "-wal"):
        copied = (tmp_path / f"running.db{suffix}").read_bytes()
        (tmp_path / f"wf.db{suffix}").write_bytes(copied)
    before = _digests(tmp_path)
    assert before.keys() >= {"wf.db", "wf.db-wal"}
    source, target = SqliteSource(tmp_path / "wf.db", alone=True), MemoryStore()
    move(source, target)
    source.close()
    assert list(target.dump()) == list(first.dump())
    assert _digests(tmp_path) == before
    first.close()


def test_alone_means_that_no_server_runs_on_it(tmp_path: Path) -> None:
    path = _file(tmp_path)
    store = SqliteStore(path)
    with pytest.raises(StoreLocked):
        SqliteSource(path, alone=True)
    store.close()
    source = SqliteSource(path, alone=True)
    with pytest.raises(StoreLocked):
        SqliteStore(path)
    source.close()
    SqliteStore(path).close()


def test_beside_a_server_what_has_landed_is_read(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "wf.db")
    source = SqliteSource(tmp_path / "wf.db", alone=False)
    assert whole_of(source, "full") is None
    fill(store)
    assert whole_of(source, "full") == whole_of(store, "full")
    source.close()
    store.close()


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StoreBroken, match="no such file"):
        SqliteSource(tmp_path / "wf.db", alone=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("version", "words"), [(99, "later version"), (1, "earlier version")])
def test_a_file_of_another_version_is_told(tmp_path: Path, version: int, words: str) -> None:
    path = _file(tmp_path)
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    with pytest.raises(StoreBroken, match=words):
        SqliteSource(path, alone=True)
    SqliteStore(_file_again(path)).close()  # the lock was let go of


def _file_again(path: Path) -> Path:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 2")
    connection.close()
    return path


def test_a_file_of_another_program_is_told(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other.db") as connection:
        connection.execute("CREATE TABLE t (c)")
    connection.close()
    with pytest.raises(StoreBroken, match="no file of perdure"):
        SqliteSource(tmp_path / "other.db", alone=True)


def test_a_closed_one_reads_nothing(tmp_path: Path) -> None:
    source = SqliteSource(_file(tmp_path), alone=True)
    source.close()
    with pytest.raises(StoreUnavailable):
        source.numbers()
