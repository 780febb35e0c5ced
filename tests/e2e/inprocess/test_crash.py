"""kill -9 of the user's own process under load: what it was told is done, once, and goes on.

CRASH_SEED in the environment repeats the stories and the deaths of a seed.
"""

import os
import secrets
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.inprocess.campaign import Campaign

ROUNDS_PER_CAMPAIGN = 50
pytestmark = pytest.mark.timeout(900)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "rounds" in metafunc.fixturenames:
        whole, rest = divmod(
            metafunc.config.getoption("--inprocess-crash-rounds"), ROUNDS_PER_CAMPAIGN
        )
        sizes = [ROUNDS_PER_CAMPAIGN] * whole + [rest] * bool(rest)
        names = [f"campaign-{number}" for number in range(1, len(sizes) + 1)]
        metafunc.parametrize("rounds", sizes, ids=names)


def test_nothing_acknowledged_is_lost_with_the_process(
    rounds: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = int(os.environ.get("CRASH_SEED") or secrets.randbelow(2**32))
    with capsys.disabled():
        sys.stdout.write(f"\ncrash seed {seed}, {rounds} rounds\n")
    began = time.monotonic()
    campaign = Campaign(tmp_path, seed)
    for number in range(1, rounds + 1):
        campaign.play()
        assert not campaign.complaints, (seed, number, campaign.complaints)
    told = campaign.finish()
    with capsys.disabled():
        sys.stdout.write(f"\n{time.monotonic() - began:.0f} s: {told}\n")
    assert not campaign.complaints, "\n".join([f"seed {seed}", *campaign.complaints])
