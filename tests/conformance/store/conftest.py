"""Every store that the suite is for."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from perdure.store.memory import MemoryStore
from perdure.store.port import Store
from perdure.store.sqlite import SqliteStore

MakeStore = Callable[..., Store]


@pytest.fixture(params=["memory", "sqlite"])
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeStore]:
    """Makes one store; it takes the options that all stores take."""
    made: list[Store] = []

    def make(**options: int) -> Store:
        assert not made, "one store for each test"
        if request.param == "memory":
            made.append(MemoryStore(**options))
        else:
            made.append(SqliteStore(tmp_path / "store.db", **options))
        return made[0]

    yield make
    for store in made:
        store.close()
        store.close()


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    return make_store()
