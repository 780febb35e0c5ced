"""How the rounds that were asked for are laid out: in campaigns, each on a store of its own."""

import pytest

from tests.e2e.crash.plan import campaigns


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "campaign_rounds" in metafunc.fixturenames:
        sizes = campaigns(metafunc.config.getoption("--crash-rounds"))
        names = [f"campaign-{number}" for number in range(1, len(sizes) + 1)]
        metafunc.parametrize("campaign_rounds", sizes, ids=names)
