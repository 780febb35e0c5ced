"""A file has one owner, and none after its owner's death."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from perdure.base.errors import StoreLocked
from perdure.store.sqlite import SqliteStore
from perdure.store.sqlite.ownership import Ownership


def _holder(path: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.unit.store.sqlite.holding", str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_second_store_in_one_process_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = SqliteStore(path)
    with pytest.raises(StoreLocked, match=rf"store\.db is in use by process {os.getpid()}:"):
        SqliteStore(path)
    assert store.counts() == {}, "the first is not disturbed"
    store.close()
    SqliteStore(path).close()


def test_a_file_has_one_owner_by_whatever_name(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")
    (tmp_path / "link.db").symlink_to(tmp_path / "store.db")
    (tmp_path / "folder").mkdir()
    for name in ("link.db", "folder/../store.db"):
        with pytest.raises(StoreLocked):
            SqliteStore(tmp_path / name)
    store.close()


def test_a_second_process_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")
    said, _ = _holder(tmp_path / "store.db").communicate()
    assert said.startswith("StoreLocked: ")
    assert f"in use by process {os.getpid()}: stop that one, or choose another file" in said
    store.close()


def test_the_file_of_a_killed_process_is_free(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with _holder(path) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(StoreLocked, match=f"process {holder.pid}:"):
            SqliteStore(path)
        holder.kill()
        holder.wait()
    assert (tmp_path / "store.db.lock").exists()
    SqliteStore(path).close()


def test_an_owner_that_cannot_be_read_is_another_process(tmp_path: Path) -> None:
    ownership = Ownership(tmp_path / "file")
    (tmp_path / "file.lock").write_bytes(b"\xff?")
    with pytest.raises(StoreLocked, match="in use by another process:"):
        Ownership(tmp_path / "file")
    ownership.release()
    ownership.release()
    Ownership(tmp_path / "file").release()


def test_opening_that_fails_gives_the_file_up(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(b"no database at all" * 1_000)
    for _ in range(2):
        with pytest.raises(Exception, match="no SQLite database"):
            SqliteStore(path)
    Ownership(path).release()


FORKING = """
import os, signal, sys
from perdure.store.sqlite import SqliteStore
store = SqliteStore(sys.argv[1])
if os.fork() == 0:
    print("forked", flush=True)
    sys.stdin.read()
    os._exit(0)
signal.pause()
"""


def test_a_forked_process_does_not_hold_the_file_of_its_dead_parent(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    parent = subprocess.Popen(
        [sys.executable, "-c", FORKING, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with parent:  # its streams are its child's too: that ends with the first of them
        assert parent.stdout is not None
        assert parent.stdout.readline() == "forked\n"
        with pytest.raises(StoreLocked, match=f"process {parent.pid}:"):
            SqliteStore(path)  # the child has let go of nothing that is its parent's
        parent.kill()
        os.waitpid(parent.pid, 0)
        SqliteStore(path).close()
