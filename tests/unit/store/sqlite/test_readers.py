"""Reading connections are lent, given back, used again and closed."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from perdure.base.errors import StoreBroken, StoreUnavailable
from perdure.store.sqlite.readers import Readers


class _Opened:
    """Opens connections and remembers them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.all: list[sqlite3.Connection] = []

    def __call__(self) -> sqlite3.Connection:
        opened = sqlite3.connect(self.path, isolation_level=None)
        self.all.append(opened)
        return opened


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[_Opened]:
    opened = _Opened(tmp_path / "store.db")
    yield opened
    for connection in opened.all:
        connection.close()


def _is_closed(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("SELECT 1")
    except sqlite3.ProgrammingError:
        return True
    return False


def test_a_connection_is_used_again(opened: _Opened) -> None:
    readers = Readers(opened, path="x")
    with readers.lend() as first:
        pass
    with readers.lend() as second, readers.lend() as third:
        assert second is first is not third
    assert len(opened.all) == 2


def test_a_moment_ends_with_the_lending(opened: _Opened) -> None:
    readers = Readers(opened, path="x")
    with readers.lend_moment() as reader:
        assert reader.in_transaction
    with pytest.raises(ZeroDivisionError), readers.lend_moment():
        _ = 1 / 0
    assert not opened.all[0].in_transaction


def test_no_more_than_some_connections_are_kept(opened: _Opened) -> None:
    readers = Readers(opened, path="x")
    lendings = [readers.lend() for _ in range(20)]
    for lending in lendings:
        lending.__enter__()
    for lending in lendings:
        lending.__exit__(None, None, None)
    assert len(opened.all) == 20
    assert sum(map(_is_closed, opened.all)) == 4


def test_closing_closes_the_idle_now_and_the_lent_on_their_return(opened: _Opened) -> None:
    readers = Readers(opened, path="x")
    with readers.lend() as lent:
        with readers.lend() as idle:
            pass
        readers.close()
        assert (_is_closed(idle), _is_closed(lent)) == (True, False)
    assert _is_closed(lent)
    with pytest.raises(StoreUnavailable, match="x: the store is closed"), readers.lend():
        pass


def test_errors_come_out_as_faults(opened: _Opened) -> None:
    readers = Readers(opened, path="the file")
    with pytest.raises(StoreBroken, match=r"^the file: "), readers.lend() as reader:
        reader.execute("SELEKT")
