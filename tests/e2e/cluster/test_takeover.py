"""A node that is killed: within the time that is stated, everything of it goes on elsewhere."""

from pathlib import Path

import pytest

from tests.e2e.cluster.campaign import worker_of
from tests.e2e.cluster.nodes import Cluster
from tests.e2e.cluster.plan import TAKEN_OVER_S
from tests.e2e.cluster.takeover import PARTITIONS, Probes, percentiles
from tests.e2e.crash.calls import Calls
from tests.e2e.crash.company import Company
from tests.e2e.crash.observing import Window
from tests.e2e.crash.test_crash import say


@pytest.mark.timeout(300)
def test_what_a_killed_node_had_goes_on_elsewhere_in_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster = Cluster(tmp_path, 2)
    door = cluster.doors[1]
    company = Company(tmp_path, 0, Window(lambda: door.http_port), Calls(door))
    try:
        cluster.start()
        for node in cluster.nodes:
            company.hire(worker_of(node), node.worker_environment)
        probes = Probes(cluster, "probe")
        probes.begin()
        probes.await_spread()
        times = probes.taken_over_after_s(cluster.nodes[0])
        assert len(times) == PARTITIONS // 2
        p50_s, p99_s = percentiles(times.values())
        say(capsys, f"{len(times)} partitions taken over: p50 {p50_s:.2f} s, p99 {p99_s:.2f} s")
        assert p99_s <= TAKEN_OVER_S
    finally:
        company.close()
        cluster.close()
