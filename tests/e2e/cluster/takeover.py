"""How soon the partitions of a node that was killed are another's, as its instances feel it.

In every partition there is an instance that waits for an event. The node is killed, and each of
them is given its event at once, at a node that lives. Those of the living come to their end in
milliseconds; those of the dead one when somebody has taken their partition over, which is told by
the moment of their end.
"""

import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final, TypeAlias

import httpx

from tests.e2e.cluster.nodes import Cluster, Node
from tests.e2e.polling import until
from tests.e2e.serving import HOST

# How a store of ours is divided, and how an id tells its partition: docs/cluster.md.
PARTITIONS: Final = 64
Met: TypeAlias = Callable[[dict[str, Any]], bool]
WORKFLOW: Final = "waiter"
WAIT_S: Final = 30
_POLL_S: Final = 0.1  # a look costs the nodes that are measured something
DEADLINE_S: Final = 120.0
_HOLDERS: Final = """
    SELECT number, name FROM perdure.leases JOIN perdure.nodes USING (node)
    WHERE app_id = 'wfapp'
    AND leases.expires_at_us > extract(epoch FROM clock_timestamp()) * 1000000
"""


def ids_of_all_partitions(prefix: str) -> dict[int, str]:
    """Return an instance id for each partition."""
    found: dict[int, str] = {}
    number = 0
    while len(found) < PARTITIONS:
        name = f"{prefix}-{number}"
        found.setdefault(zlib.crc32(name.encode()) % PARTITIONS, name)
        number += 1
    return found


class Probes:
    """Instances that wait, one in each partition of an app."""

    def __init__(self, cluster: Cluster, prefix: str) -> None:
        """Nothing is started before `begin`."""
        self._cluster = cluster
        self.ids = ids_of_all_partitions(prefix)

    def begin(self) -> None:
        """Start them, and return when all of them wait."""
        with _client() as client:
            base = _base(self._living()[0])
            for instance_id in self.ids.values():
                path = f"{base}/{WORKFLOW}/{instance_id}/start"
                assert client.post(path, json={"seconds": 0}).is_success
            for instance_id in self.ids.values():
                self._await(client, base, instance_id, lambda view: view["waitsFor"] == "event")

    def taken_over_after_s(self, victim: Node) -> dict[int, float]:
        """Kill a node; return by partition, in seconds from then, when each had moved on."""
        holders = self.holders()
        with _client() as client:
            killed_s = time.time()
            victim.kill()
            base = _base(self._living()[0])
            for instance_id in self.ids.values():
                path = f"{base}/dapr/{instance_id}/raiseEvent/go"
                assert client.post(path, json=1).is_success
            ends = {
                number: self._await(client, base, each, lambda view: "completedAt" in view)
                for number, each in self.ids.items()
            }
        times = {number: _seconds(view["completedAt"]) - killed_s for number, view in ends.items()}
        return {n: each for n, each in times.items() if holders.get(n) == victim.name}

    def holders(self) -> dict[int, str]:
        """Return which node has which partition, as the store says."""
        told = self._cluster.postgres.asked(_HOLDERS)
        lines = [line.split("|") for line in told.splitlines()]
        return {int(number): name for number, name in lines}

    def await_spread(self) -> None:
        """Return when every node has its share of the partitions."""
        nodes = len(self._cluster.nodes)
        until(
            lambda: Counter(self.holders().values()),
            lambda held: len(held) == nodes and min(held.values()) >= PARTITIONS // nodes,
            deadline_s=DEADLINE_S,
            what="they are spread",
            poll_s=_POLL_S,
        )

    def _living(self) -> list[Node]:
        return [node for node in self._cluster.nodes if node.up]

    def _await(self, client: httpx.Client, base: str, instance_id: str, met: Met) -> dict[str, Any]:
        def look() -> dict[str, Any]:
            answer = client.get(f"{base}/{WORKFLOW}/{instance_id}")
            assert answer.is_success, answer.text
            view: dict[str, Any] = answer.json()
            return view

        return until(
            look, met, deadline_s=DEADLINE_S, what=f"{instance_id} moves on", poll_s=_POLL_S
        )


def _client() -> httpx.Client:
    return httpx.Client(trust_env=False, timeout=WAIT_S)


def _base(node: Node) -> str:
    return f"http://{HOST}:{node.server.http_port}/v1.0/workflows"


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def percentiles(times: Iterable[float]) -> tuple[float, float]:
    """Return p50 and p99."""
    ordered = sorted(times)
    return ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
