"""How many nodes a cluster has, and for how long everything goes wrong."""

import pytest


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
