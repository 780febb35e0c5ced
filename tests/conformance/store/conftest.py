"""Every store that the suite is for."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from perdure.store.memory import MemoryCluster, MemoryStore
from perdure.store.port import Store
from perdure.store.postgres import PostgresStore
from perdure.store.sharing import SharedStore
from perdure.store.sqlite import SqliteStore
from tests.kit.schemas import a_schema, shared_server

MakeStore = Callable[..., Store]


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeStore]:
    """Makes one store; it takes the options that all stores take."""
    with ExitStack() as closing:
        made: list[Store] = []

        def make(**options: int) -> Store:
            assert not made, "one store for each test"
            match request.param:
                case "memory":
                    made.append(MemoryStore(**options))
                case "sqlite":
                    made.append(SqliteStore(tmp_path / "store.db", **options))
                case _:
                    url = closing.enter_context(a_schema())
                    made.append(PostgresStore(url, **options))  # type: ignore[arg-type]  # no option of theirs is a bool
            return made[0]

        yield make
        for store in made:
            store.close()
            store.close()


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    return make_store()


class Cluster(Protocol):
    """A store that nodes share, as the tests see it."""

    def open(self) -> SharedStore:
        """Return one more node's way to it; whoever made the cluster closes it."""
        ...

    def let_pass(self, duration_us: int) -> None:
        """Let leases and reports be so much nearer to their ends."""
        ...


class InMemory:
    """The reference, with a clock that stands still unless it is told to go on."""

    def __init__(self) -> None:
        self.now_us = 1_000_000
        self._cluster = MemoryCluster(lambda: self.now_us)

    def open(self) -> SharedStore:
        return self._cluster.open()

    def let_pass(self, duration_us: int) -> None:
        self.now_us += duration_us


class InPostgres:
    """A database, on whose tables time is made to pass by taking it from what is written there."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._open: list[SharedStore] = []

    def open(self) -> SharedStore:
        self._open.append(PostgresStore(self._url))
        return self._open[-1]

    def let_pass(self, duration_us: int) -> None:
        _, _, schema = self._url.partition("?schema=")
        for table in ("leases", "nodes"):
            sooner = f"SET expires_at_us = expires_at_us - {duration_us}"
            shared_server().asked(f"UPDATE {schema}.{table} {sooner}")

    def close(self) -> None:
        for store in self._open:
            store.close()


@pytest.fixture(params=["memory", "postgres"])
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """One shared store without any nodes."""
    if request.param == "memory":
        yield InMemory()
        return
    with a_schema() as url:
        made = InPostgres(url)
        yield made
        made.close()
