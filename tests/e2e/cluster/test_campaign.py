"""Nodes over one Postgres, while nodes, lines, workers and Postgres itself fail under load.

What was acknowledged is done, once, and nothing is stuck. CLUSTER_SEED in the environment repeats
the plan and the stories of a seed. When which message is under way is not to be repeated; a failure
keeps its ledger, its diaries and its logs in the test's folder.
"""

import os
import secrets
import time
from pathlib import Path

import pytest

from tests.e2e.cluster.campaign import Campaign
from tests.e2e.cluster.plan import Trouble, rounds
from tests.e2e.crash.test_crash import say


@pytest.mark.timeout(7_200)
def test_nothing_acknowledged_is_lost_and_nothing_is_stuck(
    cluster_nodes: int,
    cluster_rounds: int,
    cluster_only: list[Trouble],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    seed = int(os.environ.get("CLUSTER_SEED") or secrets.randbelow(2**32))
    say(capsys, f"cluster seed {seed}, {cluster_nodes} nodes, {cluster_rounds} rounds")
    began = time.monotonic()
    campaign = Campaign(tmp_path, seed, cluster_nodes)
    try:
        campaign.begin()
        plan = rounds(seed, cluster_rounds, cluster_nodes, cluster_only)
        for number, planned in enumerate(plan, start=1):
            campaign.play(planned)
            assert not campaign.complaints, (seed, number, planned, campaign.complaints)
        campaign.finish()
    finally:
        campaign.close()
        say(capsys, f"{time.monotonic() - began:.0f} s: {campaign.company.told()}")
    assert not campaign.complaints, "\n".join([f"seed {seed}", *campaign.complaints])
