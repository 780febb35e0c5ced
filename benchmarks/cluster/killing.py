"""Nodes that are killed one after the other, and how soon another has what was theirs."""

import tempfile
from pathlib import Path
from typing import Any

from benchmarks.peers.measuring import tell
from tests.e2e.cluster.campaign import worker_of
from tests.e2e.cluster.nodes import Cluster
from tests.e2e.cluster.takeover import Probes, percentiles
from tests.e2e.crash.calls import Calls
from tests.e2e.crash.company import Company
from tests.e2e.crash.observing import Window


def killed_often(kills: int, nodes: int) -> dict[str, Any]:
    """Kill so many nodes of a cluster, each after the one before is back; times in seconds."""
    times: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        cluster = Cluster(Path(folder), nodes)
        door = cluster.doors[0]
        company = Company(Path(folder), 0, Window(lambda: door.http_port), Calls(door))
        try:
            cluster.start()
            for node in cluster.nodes:
                company.hire(worker_of(node), node.worker_environment)
            for number in range(kills):
                victim = cluster.nodes[number % nodes]
                probes = Probes(cluster, f"kill-{number}")
                probes.begin()
                probes.await_spread()
                found = probes.taken_over_after_s(victim)
                times += found.values()
                p50_s, p99_s = percentiles(found.values())
                tell(f"  {victim.name}: {len(found)} taken over, {p50_s:.2f} s, {p99_s:.2f} s")
                victim.start()
        finally:
            company.close()
            cluster.close()
    p50_s, p99_s = percentiles(times)
    return {
        "nodes": nodes,
        "kills": kills,
        "partitions": len(times),
        "p50_s": p50_s,
        "p99_s": p99_s,
        "longest_s": max(times),
    }
