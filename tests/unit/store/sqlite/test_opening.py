"""What a file must be, and what a person is told of one that cannot be used."""

import os
import sqlite3
import struct
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from perdure.base.errors import StoreBroken, StoreError
from perdure.store.port import Entry, NoteAdd
from perdure.store.sqlite import SqliteStore
from perdure.store.sqlite.opening import APPLICATION_ID, open_reader, open_writer, resolve
from perdure.store.sqlite.statements import migrations
from tests.conformance.store.making import START, bear, birth

NOBODY = 65_534


def _refusal(path: Path | str) -> str:
    with pytest.raises(StoreBroken) as caught:
        SqliteStore(path)
    return str(caught.value)


@contextmanager
def _as_ordinary_user(folder: Path, mode: int = 0o755) -> Iterator[None]:
    """Permissions mean nothing to root, so root becomes nobody for a while."""
    folder.chmod(mode)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter, unlike those that pytest makes."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def test_a_new_file_is_set_up_for_durability(tmp_path: Path) -> None:
    writer = open_writer(tmp_path / "store.db")
    settings = {
        name: writer.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "application_id", "user_version")
    }
    writer.close()
    assert settings == {
        "journal_mode": "wal",
        "synchronous": 2,
        "application_id": APPLICATION_ID,
        "user_version": len(migrations()),
    }


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    open_writer(path).close()
    reader = open_reader(path)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.execute("DELETE FROM instances")
    reader.close()


@pytest.mark.parametrize("name", ["a b", "a?mode=memory", "a#b", "a%20b", "ü", "-", "a:b"])
def test_a_file_may_have_any_name(tmp_path: Path, name: str) -> None:
    store = SqliteStore(tmp_path / name)
    bear(store, "a")
    assert (tmp_path / name).is_file()
    store.close()
    store = SqliteStore(tmp_path / name)
    assert store.snapshot("a") is not None
    store.close()


def test_an_empty_file_is_as_good_as_none(tmp_path: Path) -> None:
    (tmp_path / "store.db").touch()
    SqliteStore(tmp_path / "store.db").close()


def test_a_relative_path_is_of_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert resolve("perdure.db") == (tmp_path / "perdure.db").resolve()


@pytest.mark.parametrize("path", ["", ":memory:", "file:x?mode=memory"])
def test_a_store_is_a_file(path: str) -> None:
    assert "is no path of a file" in _refusal(path)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    text = _refusal(tmp_path / "none" / "store.db")
    assert f"the folder {tmp_path / 'none'} does not exist: create it" in text


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert "is a folder: name a file in it" in _refusal(tmp_path)


@pytest.mark.parametrize(
    "content",
    [b"garbage " * 1_000, b"SQLite format 3\x00" + b"\xa5" * 8_000, b"\x00" * 4_096],
    ids=["text", "a header alone", "zeros"],
)
def test_what_is_no_database_is_refused_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(content)
    text = _refusal(path)
    assert str(path) in text
    assert "choose another file" in text
    assert path.read_bytes() == content


def test_the_database_of_another_program_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE theirs (x)")
    other.close()
    before = path.read_bytes()
    assert "is a database of another program" in _refusal(path)
    assert path.read_bytes() == before


def test_a_file_of_a_later_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    SqliteStore(path).close()
    later = sqlite3.connect(path)
    later.execute("PRAGMA user_version = 99")
    later.close()
    text = _refusal(path)
    assert f"its schema is 99, this version knows up to {len(migrations())}" in text


def test_a_file_of_the_first_version_is_brought_up_with_all_that_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    old = sqlite3.connect(path)
    old.executescript(migrations()[1])
    old.execute("UPDATE counters SET key = 7, lifecycle_seq = 1")
    old.execute("INSERT INTO lifecycle VALUES (1, 7, 'created', 5, 'a', 'order')")
    old.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    old.execute("PRAGMA user_version = 1")
    old.commit()
    old.close()
    with closing(SqliteStore(path)) as store:
        store.commit([Entry(key=None, notes=(NoteAdd(shelf="s", key="k", at_us=1),))])
        assert store.note_count("s") == 1
        assert bear(store, "b") == 8, "numbers go on where they were"
        assert [row.add.instance_id for row in store.lifecycle(0, 9)] == ["a"]
    with closing(SqliteStore(path)) as store:
        assert store.note_count("s") == 1


def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        other.execute("CREATE TABLE instances (not_ours)")
    assert "does not hold what it should" in _refusal(path)
    with closing(sqlite3.connect(path)) as other:
        tables = other.execute("SELECT name FROM sqlite_schema").fetchall()
        assert tables == [("instances",)]
        assert other.execute("PRAGMA user_version").fetchone() == (0,)


def test_a_truncated_file_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    _fill(path)
    os.truncate(path, path.stat().st_size // 2)
    text = _refusal(path)
    assert "the file is damaged: stop the server, keep a copy" in text
    assert str(path) in text


def test_garbage_in_the_middle_is_told_when_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    _fill(path)
    content = bytearray(path.read_bytes())
    for page in range(1, len(content) // 4_096):
        content[page * 4_096 : page * 4_096 + 64] = b"\xff" * 64
    path.write_bytes(content)
    with pytest.raises(StoreBroken, match="damaged"):
        _use(path)


def test_numbers_that_were_never_given_out_are_damage(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    _fill(path)
    other = sqlite3.connect(path)
    other.execute("UPDATE counters SET key = 1")
    other.commit()
    other.close()
    assert "numbers in use that were never given out" in _refusal(path)


@pytest.mark.parametrize("damage", ["half a frame less", "zeros at the end", "a flipped bit"])
def test_a_torn_log_loses_no_more_than_what_was_torn(tmp_path: Path, damage: str) -> None:
    path, copy = tmp_path / "store.db", tmp_path / "copy.db"
    store = SqliteStore(path)
    lengths = []
    for number in range(20):
        bear(store, f"i{number}", inbox=(START,))
        lengths.append((tmp_path / "store.db-wal").stat().st_size)
    copy.write_bytes(path.read_bytes())
    log = bytearray((tmp_path / "store.db-wal").read_bytes())
    store.close()
    assert lengths[-1] == len(log) > lengths[-2], "the last commit is at the end"
    match damage:
        case "half a frame less":
            del log[-2_000:]
        case "zeros at the end":
            log[-2_000:] = bytes(2_000)
        case _:
            log[-100] ^= 1
    (tmp_path / "copy.db-wal").write_bytes(log)
    torn = SqliteStore(copy)
    assert len(torn.list_ids(0, 100)) == 19
    bear(torn, "next")
    torn.close()


def test_a_file_that_may_not_be_written_is_refused(open_folder: Path) -> None:
    path = open_folder / "store.db"
    _fill(path)
    (open_folder / "store.db.lock").chmod(0o666)
    path.chmod(0o444)
    with _as_ordinary_user(open_folder):
        text = _refusal(path)
    assert "make it and its folder writable for this user, or choose another file" in text
    assert str(path) in text


def test_a_file_that_may_not_be_written_is_refused_in_a_folder_that_may_be(
    open_folder: Path,
) -> None:
    path = open_folder / "store.db"
    _fill(path)
    (open_folder / "store.db.lock").chmod(0o666)
    path.chmod(0o444)
    with _as_ordinary_user(open_folder, 0o777):
        text = _refusal(path)
    assert "make it and its folder writable for this user, or choose another file" in text
    assert not (open_folder / "store.db-wal").exists()
    path.chmod(0o644)
    _use(path)


def test_a_folder_that_may_not_be_written_is_refused(open_folder: Path) -> None:
    folder = open_folder / "inner"
    folder.mkdir()
    folder.chmod(0o555)
    with _as_ordinary_user(open_folder):
        text = _refusal(folder / "store.db")
    assert "make the folder writable for this user, or choose another file" in text


def test_a_file_that_may_not_be_read_is_refused(open_folder: Path) -> None:
    path = open_folder / "store.db"
    _fill(path)
    (open_folder / "store.db.lock").chmod(0o666)
    path.chmod(0o000)
    with _as_ordinary_user(open_folder), pytest.raises(StoreError, match="this user may"):
        SqliteStore(path)


def test_the_file_says_whose_it_is(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    _fill(path)
    assert path.read_bytes()[68:72] == struct.pack(">I", APPLICATION_ID) == b"perd"


def _fill(path: Path) -> None:
    store = SqliteStore(path)
    store.commit([Entry(key=None, births=(birth(f"i{n}", inbox=(START,)),)) for n in range(500)])
    store.close()


def _use(path: Path) -> None:
    store = SqliteStore(path)
    try:
        list(store.dump())
    finally:
        store.close()
