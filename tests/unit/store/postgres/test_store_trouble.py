"""A server in trouble: away, crashed, crowded, replaced by its replica.

Nothing that was acknowledged is lost, and work resumes by itself.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from perdure.base.errors import StoreError, StoreUnavailable, StoreUnsure
from perdure.store.leases import ANYTHING, News
from perdure.store.port import Entry, Verdict
from perdure.store.postgres import PostgresStore
from tests.conformance.store.making import START, bear, birth
from tests.kit.postgres import FAST, IMMEDIATE, Postgres, replica_of, running

PATIENCE_S = 60.0
RESTARTS = 4


@pytest.fixture
def server() -> Iterator[Postgres]:
    with running({"max_connections": "20"}) as made:
        yield made


def _again(what: Callable[[], object]) -> None:
    """Do it until it succeeds."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            what()
        except StoreUnavailable:
            assert time.monotonic() < deadline
        else:
            return


def test_a_store_outlives_its_server(server: Postgres) -> None:
    with closing(PostgresStore(server.url)) as store:
        bear(store, "before")
        server.stop(FAST)
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match="the database cannot be reached just now"):
                bear(store, "meanwhile")
            with pytest.raises(StoreUnavailable, match="the database cannot be reached just now"):
                store.counts()
        server.start()
        assert store.counts() == {0: 1}
        bear(store, "after")
        server.restart(IMMEDIATE)
        assert bear(store, "at once") > 2, "one that is back before it is missed is not missed"
        server.restart(FAST)
        assert store.counts() == {0: 3}


def test_what_was_acknowledged_is_there_after_every_crash(server: Postgres) -> None:
    acknowledged: list[str] = []
    unsure: list[str] = []
    stopping = threading.Event()
    landed = threading.Semaphore(0)

    def write() -> None:
        with closing(PostgresStore(server.url)) as store:
            number = 0
            while not stopping.is_set():
                number += 1
                name = f"i{number}"
                try:
                    (outcome,) = store.commit(
                        [Entry(key=None, births=(birth(name, inbox=(START,)),))]
                    )
                except StoreUnsure:
                    unsure.append(name)
                except StoreUnavailable:
                    number -= 1  # surely not kept: the same once more
                else:
                    assert outcome.verdict is Verdict.LANDED, (name, outcome)
                    acknowledged.append(name)
                    landed.release()

    writer = threading.Thread(target=write)
    writer.start()
    for _ in range(RESTARTS):
        for _ in range(30):
            assert landed.acquire(timeout=PATIENCE_S)
        server.restart(IMMEDIATE)
    stopping.set()
    writer.join(PATIENCE_S)
    assert not writer.is_alive()
    with closing(PostgresStore(server.url)) as store:
        there = [instance_id for _, instance_id in store.list_ids(0, 1_000_000)]
    assert set(acknowledged) <= set(there) <= {*acknowledged, *unsure}
    assert len(acknowledged) >= RESTARTS * 30


def test_who_listens_is_told_that_news_may_be_missed(server: Postgres) -> None:
    heard: list[News] = []
    came = threading.Event()

    def hear(news: News) -> None:
        heard.append(news)
        came.set()

    with closing(PostgresStore(server.url)) as store, closing(PostgresStore(server.url)) as other:
        store.listen(hear)
        server.restart(FAST)
        assert came.wait(PATIENCE_S)
        assert heard == [ANYTHING]
        came.clear()
        bear(other, "a")
        assert came.wait(PATIENCE_S)
        assert heard[1].ids == ("a",)


def test_a_server_without_room_for_one_more_connection(server: Postgres) -> None:
    """Those that a store has it keeps; one that it needs besides is asked for again."""
    server.asked("CREATE ROLE plain LOGIN CONNECTION LIMIT 3")
    server.asked("GRANT CREATE ON DATABASE postgres TO plain")
    url = server.url.replace("perdure@", "plain@")
    with closing(PostgresStore(url)) as store:
        bear(store, "a")
        store.counts()
        with closing(PostgresStore(url)) as other:
            other.counts()
            with pytest.raises(StoreUnavailable, match=r"raise max_connections.*53300"):
                bear(other, "b")
            bear(store, "c")
            server.asked("ALTER ROLE plain CONNECTION LIMIT 9")
            bear(other, "d")
            assert store.counts() == {0: 3}


def test_a_replica_takes_over() -> None:
    """The address names both servers; whichever takes changes is the one that is used."""
    with running({"wal_level": "replica", "max_wal_senders": "4"}) as first:
        first.asked("SELECT pg_create_physical_replication_slot('second')")
        with replica_of(first) as second:
            both = f"127.0.0.1:{first.port},127.0.0.1:{second.port}"
            url = f"postgres://perdure@{both}/postgres"
            first.asked("ALTER SYSTEM SET synchronous_standby_names = '*'")
            first.asked("SELECT pg_reload_conf()")
            with closing(PostgresStore(url, settle_timeout_s=1.0)) as store:
                bear(store, "before")
                first.stop(IMMEDIATE)
                with pytest.raises(StoreUnavailable):
                    bear(store, "between")
                with pytest.raises(StoreError):
                    store.counts()
                second.asked("SELECT pg_promote()")
                _again(lambda: bear(store, "after"))
                assert [each for _, each in store.list_ids(0, 9)] == ["before", "after"]
