"""A Temporal server for the session, and a bridge for each test, where others have a server."""

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.e2e.bridge.bridging import BridgeProcess
from tests.e2e.conftest import LOGS
from tests.kit.cluster import Cluster

MakeBridge = Callable[..., BridgeProcess]


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One Temporal server for all tests: each has an app, and so a task queue, of its own."""
    cluster = Cluster(tmp_path_factory.mktemp("temporal"), keeps=False)
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.fixture
def bridge_to(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[MakeBridge]:
    """Start bridges to a cluster; whatever still runs is stopped when the test ends."""
    made: list[BridgeProcess] = []

    def start(cluster: Cluster, *extra: str, app_id: str | None = None) -> BridgeProcess:
        bridge = BridgeProcess.before(cluster, tmp_path, *extra)
        bridge.app_id = app_id or f"app-{uuid4().hex[:8]}"
        request.node.stash.setdefault(LOGS, []).append(bridge.log)
        made.append(bridge)
        bridge.start()
        return bridge

    yield start
    for bridge in made:
        bridge.close()


@pytest.fixture
def server(cluster: Cluster, bridge_to: MakeBridge) -> BridgeProcess:
    """What the promises of a server are tried with: here, a bridge."""
    return bridge_to(cluster)
