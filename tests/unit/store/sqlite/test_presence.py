"""Files that go while they are open."""

from pathlib import Path

import pytest

from perdure.base.errors import StoreFailed
from perdure.store.sqlite.presence import Presence
from perdure.store.sqlite.store import SqliteStore


@pytest.mark.parametrize("suffix", ["", "-wal", ".lock"])
def test_nothing_is_committed_while_a_file_is_away(tmp_path: Path, suffix: str) -> None:
    store = SqliteStore(tmp_path / "a.db")
    file, away = tmp_path / f"a.db{suffix}", tmp_path / "away"
    store.commit([])
    file.rename(away)
    with pytest.raises(StoreFailed, match=rf"{file} was deleted, moved or replaced"):
        store.commit([])
    file.touch()
    with pytest.raises(StoreFailed, match="replaced"):
        store.commit([])
    away.rename(file)
    store.commit([])
    store.close()


def test_a_file_that_was_never_there_must_not_come(tmp_path: Path) -> None:
    presence = Presence(tmp_path / "a.db", tmp_path / "a.lock")
    presence.check()
    (tmp_path / "a.db").touch()
    with pytest.raises(StoreFailed):
        presence.check()
