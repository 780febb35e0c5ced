"""kill -9 between receive and acknowledge, write by write: on every broker, at stated points.

The server dies by itself, before a write or a sync of its log that a message has led to. Nothing of
that commit is there, or all of it; the broker was told nothing, and delivers again.
"""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash_points.recording import build
from tests.e2e.polling import POLL_S
from tests.e2e.serving import Server
from tests.e2e.triggers.brokering import (
    DEADLINE_S,
    TOPIC,
    TRIGGER,
    Publisher,
    await_instances,
    resources,
)
from tests.e2e.triggers.instances import dead_letters
from tests.kit.brokers.kinds import KINDS, Broker

pytestmark = pytest.mark.timeout(300)

# Before the first page of the commit, amid its pages, and before its sync.
POINTS = ("W 1", "W 6", "W 15", "S 1")


@pytest.fixture(params=list(KINDS))
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    """A broker of a test's own."""
    folder = tmp_path / "broker"
    folder.mkdir()
    broker = KINDS[request.param](folder, None)
    broker.process.start()
    yield broker
    broker.stop_for_good()


def _await_death(server: Server) -> None:
    stat = Path(f"/proc/{server.pid}/stat")
    end = time.monotonic() + DEADLINE_S
    while stat.read_text("utf-8").rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < end, "the server did not reach the point"
        time.sleep(POLL_S)
    server.kill()


async def _prepare(broker: Broker) -> None:
    await broker.prepare(TOPIC)


def test_a_server_that_dies_at_a_write_takes_each_message_once(
    broker: Broker, tmp_path: Path
) -> None:
    asyncio.run(_prepare(broker))
    place = resources(tmp_path, broker, as_event=True)
    kill = tmp_path / "kill"
    server = Server.in_folder(tmp_path, "--resources-path", str(place))
    server.environment = {
        "LD_PRELOAD": str(build(tmp_path)),
        "PERDURE_DISK_FOLDER": str(tmp_path),
        "PERDURE_DISK_LOG": "/dev/null",
        "PERDURE_DISK_KILL": str(kill),
    }
    server.start()
    try:
        for number, point in enumerate(POINTS, start=1):
            kill.write_text(point, "utf-8")
            publisher = Publisher(broker, tmp_path, 1, as_event=True, first=number)
            publisher.start()
            publisher.join()
            _await_death(server)
            kill.unlink()
            server.start()
            found = await_instances(server, number)
            assert sorted(found) == [f"n-{each}" for each in range(1, number + 1)]
        assert not dead_letters(server, TRIGGER)
    finally:
        server.close()
