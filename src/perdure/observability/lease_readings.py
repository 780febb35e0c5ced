"""What a node holds of a store that several share, read when somebody asks."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseReading:
    """How many partitions a node holds now, and what has happened to leases since its start."""

    held: int
    taken: int
    taken_over: int
    given_back: int
    lost: int


class LeaseReadings(Collector):
    """One gauge and four counters, with the node's name."""

    def __init__(self, node: str, read: Callable[[], LeaseReading]) -> None:
        self._node = node
        self._read = read

    def collect(self) -> Iterator[Metric]:
        """Yield them."""
        reading = self._read()
        held = GaugeMetricFamily(
            "perdure_partitions_held",
            "Partitions of workflows that this node owns at this moment.",
            labels=["node"],
        )
        held.add_metric([self._node], reading.held)
        yield held
        for name, text, value in (
            ("taken", "Partitions that this node has begun to own.", reading.taken),
            (
                "taken_over",
                "Of these, partitions whose owner had not given them back.",
                reading.taken_over,
            ),
            ("given_back", "Partitions that this node has given back.", reading.given_back),
            (
                "lost",
                "Partitions that this node has lost: not renewed in time, or another's by now.",
                reading.lost,
            ),
        ):
            counter = CounterMetricFamily(f"perdure_partitions_{name}", text, labels=["node"])
            counter.add_metric([self._node], value)
            yield counter
