"""Who is alone on a store tells nobody; whoever comes is told from then on."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from queue import Queue

import pytest

from perdure.base.time import SECOND_US
from perdure.store.leases import News, NodeReport
from perdure.store.postgres import PostgresStore
from tests.conformance.store.making import bear
from tests.kit.schemas import a_schema, shared_server

PATIENCE_S = 30.0


@pytest.fixture
def stores() -> Iterator[list[PostgresStore]]:
    with a_schema() as url, ExitStack() as closing_all:
        yield [closing_all.enter_context(closing(PostgresStore(url))) for _ in range(2)]


def _report(node: str) -> NodeReport:
    return NodeReport(node=node, name=node, apps=(), held=(), ttl_us=60 * SECOND_US)


def test_whoever_comes_is_told(stores: list[PostgresStore]) -> None:
    first, second = stores
    heard: Queue[News] = Queue()
    first.listen(Queue[News]().put)
    first.stand(_report("first"))
    bear(first, "told to nobody")
    second.listen(heard.put)
    # What is not told of yet may be so for a moment, until the first has heard of the second.
    names = (f"i{n}" for n in range(1_000_000))
    while heard.empty():
        bear(first, next(names))
    assert heard.get(timeout=PATIENCE_S).ids is not None
    first.stand(_report("first"))
    second.stand(_report("second"))
    while not heard.empty():
        heard.get()
    while heard.empty():
        bear(first, next(names))
    first.stand(_report("first"))
    while not heard.empty():
        heard.get()
    bear(first, "seen")
    ids: list[str] = []
    while "seen" not in ids:
        ids += heard.get(timeout=PATIENCE_S).ids or ()


def test_what_another_program_sends_may_mean_anything(stores: list[PostgresStore]) -> None:
    heard: Queue[News] = Queue()
    stores[0].listen(heard.put)
    schema = str(stores[0].address).rpartition("=")[2]
    shared_server().asked(f"NOTIFY news_{schema}, 'hello'")
    assert heard.get(timeout=PATIENCE_S).touched is None
