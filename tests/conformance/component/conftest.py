"""The subjects of the suite, and the Temporal server that one of them needs."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.conformance.component.in_process import in_process
from tests.conformance.component.subjects import Subject, embedded, temporal
from tests.kit.cluster import Cluster


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A Temporal server that runs."""
    cluster = Cluster(tmp_path_factory.mktemp("temporal"))
    cluster.start()
    try:
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture(params=["embedded", "in process", "temporal"])
async def subject(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Subject]:
    """Each component in turn."""
    if request.param == "embedded":
        async with embedded(tmp_path) as found:
            yield found
        return
    if request.param == "in process":
        async with in_process(tmp_path) as found:
            yield found
        return
    async with temporal(request.getfixturevalue("cluster")) as found:
        yield found


@pytest.fixture
async def temporal_subject(cluster: Cluster) -> AsyncIterator[Subject]:
    """The Temporal component alone."""
    async with temporal(cluster) as found:
        yield found
