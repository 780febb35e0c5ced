"""kill -9 between receive and acknowledge, on every broker: nothing is lost, nothing starts twice.

A second start of an instance would become a dead letter (`onExisting: reject`).
"""

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.serving import Server
from tests.e2e.triggers.brokering import (
    TOPIC,
    TRIGGER,
    Publisher,
    await_duplicates,
    await_instances,
    resources,
)
from tests.e2e.triggers.instances import dead_letters
from tests.kit.brokers.kinds import KINDS, Broker
from tests.kit.brokers.process import free_port
from tests.kit.brokers.toll import ACKNOWLEDGES, Toll

pytestmark = pytest.mark.timeout(300)

KILLS = 6
MESSAGES = 600
WITHHELD = 30

kinds = pytest.mark.parametrize("kind", list(KINDS))
payloads = pytest.mark.parametrize("as_event", [True, False], ids=["event", "raw"])


class Brokers:
    """Brokers of a test's own, with the topic."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started: list[Broker] = []

    def start(self, kind: str, front: int | None = None) -> Broker:
        broker = KINDS[kind](self._folder, front)
        self._started.append(broker)
        broker.process.start()
        return broker

    def close(self) -> None:
        for broker in self._started:
            broker.stop_for_good()


@pytest.fixture
def brokers(tmp_path: Path) -> Iterator[Brokers]:
    folder = tmp_path / "broker"
    folder.mkdir()
    brokers = Brokers(folder)
    yield brokers
    brokers.close()


async def _prepare(broker: Broker) -> None:
    await broker.prepare(TOPIC)


@kinds
@payloads
def test_a_server_that_is_killed_takes_each_message_once(
    brokers: Brokers, kind: str, tmp_path: Path, *, as_event: bool
) -> None:
    """An app publishes while the server is killed, again and again, whatever it is doing."""
    broker, chance = brokers.start(kind), random.Random(7)
    asyncio.run(_prepare(broker))
    place = resources(tmp_path, broker, as_event=as_event)
    # It says that it is ready once its source is connected.
    server = Server.in_folder(tmp_path, "--resources-path", str(place)).start()
    publisher = Publisher(broker, tmp_path, MESSAGES, as_event=as_event)
    try:
        publisher.start()
        for kill in range(1, KILLS + 1):
            publisher.wait_for(kill * MESSAGES // (KILLS + 2) + chance.randrange(40))
            server.kill()
            server.start()
        publisher.join()
        found = await_instances(server, MESSAGES)
        assert not dead_letters(server, TRIGGER)
    finally:
        server.close()
    assert sorted(found) == sorted(f"n-{number}" for number in range(MESSAGES))


@kinds
@payloads
def test_what_is_on_disk_and_not_acknowledged_comes_again_and_changes_nothing(
    brokers: Brokers, kind: str, tmp_path: Path, *, as_event: bool
) -> None:
    """The server is killed after a commit, when no acknowledgement has reached the broker."""
    front = free_port()
    broker = brokers.start(kind, front)
    toll = Toll(front, broker.port, ACKNOWLEDGES[kind])
    asyncio.run(_prepare(broker))
    place = resources(tmp_path, broker, as_event=as_event)
    server = Server.in_folder(tmp_path, "--resources-path", str(place)).start()
    publisher = Publisher(broker, tmp_path, WITHHELD, as_event=as_event)
    try:
        toll.arm()
        publisher.start()
        toll.wait()
        server.kill()
        toll.disarm()
        publisher.join()
        server.start()
        found = await_instances(server, WITHHELD)
        await_duplicates(server, 1)
        assert not dead_letters(server, TRIGGER)
    finally:
        server.close()
        toll.close()
    assert sorted(found) == sorted(f"n-{number}" for number in range(WITHHELD))
