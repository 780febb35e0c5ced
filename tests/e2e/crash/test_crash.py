"""kill -9 at random moments under load: what was acknowledged is done, once, and nothing is stuck.

CRASH_SEED in the environment repeats the plan and the stories of a seed. When which message is
under way is not to be repeated; a failure keeps its ledger and its diaries in the test's folder.
"""

import os
import secrets
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.crash.campaign import Campaign
from tests.e2e.crash.plan import rounds

pytestmark = pytest.mark.timeout(600)


def say(capsys: pytest.CaptureFixture[str], text: str) -> None:
    """Tell a person who watches, and a person who reads of the failure."""
    sys.stdout.write(f"{text}\n")
    with capsys.disabled():
        sys.stdout.write(f"\n{text}\n")
        sys.stdout.flush()


def test_nothing_acknowledged_is_lost_and_nothing_is_stuck(
    campaign_rounds: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = int(os.environ.get("CRASH_SEED") or secrets.randbelow(2**32))
    say(capsys, f"crash seed {seed}, {campaign_rounds} rounds")
    began = time.monotonic()
    campaign = Campaign(tmp_path, seed)
    try:
        campaign.begin()
        for number, planned in enumerate(rounds(seed, campaign_rounds), start=1):
            campaign.play(planned)
            assert not campaign.complaints, (seed, number, planned, campaign.complaints)
        campaign.finish()
    finally:
        campaign.close()
        say(capsys, f"{time.monotonic() - began:.0f} s: {campaign.told()}")
    assert not campaign.complaints, "\n".join([f"seed {seed}", *campaign.complaints])
