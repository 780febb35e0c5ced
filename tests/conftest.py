"""What holds for every test: the options of the command line, and how hypothesis searches."""

import pytest
from hypothesis import HealthCheck, settings

from perdure.base import records

# Before anything else of ours is imported.
records.freeze()

# A deadline per example measures the machine and not the code. Failures print how to repeat them.
settings.register_profile(
    "default",
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("thorough", settings.get_profile("default"), max_examples=2_000)
settings.load_profile("default")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--crash-rounds",
        type=int,
        default=50,
        help="how often the crash test kills the server (default: 50)",
    )
    parser.addoption(
        "--inprocess-crash-rounds",
        type=int,
        default=20,
        help="how often a user's own process is killed (default: 20)",
    )
    parser.addoption(
        "--cluster-rounds",
        type=int,
        default=4,
        help="how often something goes wrong in a campaign over Postgres (default: 4)",
    )
    parser.addoption(
        "--cluster-nodes",
        type=int,
        action="append",
        help="how many nodes a campaign over Postgres has (default: 3)",
    )
    parser.addoption(
        "--cluster-only",
        action="append",
        default=[],
        metavar="TROUBLE",
        help="what alone goes wrong in a campaign over Postgres, as tests/e2e/cluster/plan.py "
        "names it, such as CRASH_STORE (default: everything)",
    )
    parser.addoption(
        "--every-write",
        action="store_true",
        help="die at every single write of the crash points, not only around what counts",
    )


@pytest.fixture(scope="session")
def crash_rounds(request: pytest.FixtureRequest) -> int:
    """How often the crash test kills the server."""
    rounds = request.config.getoption("--crash-rounds")
    assert isinstance(rounds, int)
    if rounds < 1:
        raise pytest.UsageError("--crash-rounds must be at least 1")
    return rounds
