"""The brokers under test, each started once for a process of the test run."""

import gc
import warnings
from collections.abc import AsyncIterator, Iterator, Mapping
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Protocol

import pytest

from perdure.triggers.port import PubSub
from tests.kit.brokers.kinds import IN_MEMORY, KINDS, Broker, in_memory
from tests.kit.brokers.settings import settings_of

_numbers = count(1)

# For tests of what only a broker with a process of its own can do, or have done to it.
OUTSIDE = pytest.mark.parametrize("broker", list(KINDS), indirect=True)


class MakePubSub(Protocol):
    """Build a pub/sub component of the broker, with more metadata or another app."""

    def __call__(self, *, app_id: str = "orders", **metadata: str) -> PubSub: ...


class _Started:
    """Brokers of this process, started when they are first asked for."""

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        self._folders = folders
        self._brokers: dict[str, Broker] = {}

    def broker(self, kind: str) -> Broker:
        if kind not in self._brokers:
            if kind == IN_MEMORY:
                return in_memory()
            broker = KINDS[kind](self._folders.mktemp(kind))
            self._brokers[kind] = broker
            broker.process.start()
        return self._brokers[kind]

    def end(self) -> None:
        for broker in self._brokers.values():
            broker.stop_for_good()
        if "kafka" in self._brokers:
            _let_go_of_connections()


def _let_go_of_connections() -> None:
    # The client of Kafka forgets a connection that it was opening while it was told to stop. It is
    # closed when it is collected, which is to be here and not in a test of something else.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture(autouse=True)
def _forgotten_connections(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "kafka" in request.node.name:
        _let_go_of_connections()


@pytest.fixture(scope="session")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Started]:
    started = _Started(tmp_path_factory)
    try:
        yield started
    finally:
        started.end()


@pytest.fixture(params=[*KINDS, IN_MEMORY])
def broker(request: pytest.FixtureRequest, started: _Started) -> Broker:
    """A broker that runs, or the one within the server."""
    return started.broker(request.param)


@pytest.fixture
def topic() -> str:
    """A topic that no other test uses."""
    return f"topic-{next(_numbers)}"


@pytest.fixture
async def make(broker: Broker, topic: str, tmp_path: Path) -> AsyncIterator[MakePubSub]:
    """Build components of the broker's type; all are closed when the test ends."""
    await broker.prepare(topic)
    module = import_module(f"perdure.triggers.pubsub.{broker.kind.replace('-', '_')}")
    made: list[PubSub] = []

    def build(*, app_id: str = "orders", **metadata: str) -> PubSub:
        wanted: Mapping[str, str] = {**broker.metadata, **metadata}
        folder = tmp_path / str(len(made))
        folder.mkdir()
        settings = settings_of(folder, f"pubsub.{broker.kind}", wanted, app_id=app_id)
        pubsub: PubSub = module.build(settings)
        made.append(pubsub)
        return pubsub

    yield build
    for pubsub in made:
        await pubsub.close()


@pytest.fixture
def pubsub(make: MakePubSub) -> PubSub:
    """A component of the broker's type with nothing but what it needs."""
    return make()
