"""How many nodes a cluster has, and for how long everything goes wrong."""

import pytest

from tests.e2e.cluster.plan import Trouble


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "cluster_nodes" in metafunc.fixturenames:
        sizes = metafunc.config.getoption("--cluster-nodes") or [3]
        metafunc.parametrize("cluster_nodes", sizes, ids=[f"{size}-nodes" for size in sizes])


@pytest.fixture
def cluster_rounds(request: pytest.FixtureRequest) -> int:
    """How many rounds a campaign has."""
    rounds = request.config.getoption("--cluster-rounds")
    assert isinstance(rounds, int)
    return rounds


@pytest.fixture
def cluster_only(request: pytest.FixtureRequest) -> list[Trouble]:
    """What alone goes wrong; nothing named is everything."""
    return [Trouble[name] for name in request.config.getoption("--cluster-only")]
