"""The same applications, unmodified, with their workflows on a Temporal cluster."""

from pathlib import Path

import pytest

from tests.e2e.bridge.bridging import BridgeProcess
from tests.e2e.sdks.applications import GO, JAVA, JS, Application, run_cases
from tests.kit.cluster import Cluster

# The first test of an SDK builds its application.
pytestmark = pytest.mark.timeout(700)

# Two hundred workflows at once are given twenty seconds by the application itself, which a
# development server on a busy machine may need for their two thousand events alone.
TOO_HURRIED = frozenset({"many-200"})


@pytest.mark.parametrize("application", [GO, JAVA, JS], ids=lambda each: each.name)
def test_an_application_runs_on_a_cluster(application: Application, tmp_path: Path) -> None:
    cluster = Cluster(tmp_path, keeps=False)
    cluster.start()
    bridge = BridgeProcess.before(cluster, tmp_path)
    bridge.start()
    try:
        outcomes = run_cases(application, bridge, tmp_path / "application.log")
    finally:
        bridge.close()
        cluster.stop()
    assert len(outcomes) >= 40
    failed = {case: told["detail"] for case, told in outcomes.items() if not told["ok"]}
    assert not failed.keys() - TOO_HURRIED, failed
