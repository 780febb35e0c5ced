"""Metrics of triggers: what became of messages, and which sources are connected."""

from collections.abc import Callable, Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from perdure.components.triggering import TriggerFigures


class TriggerReadings(Collector):
    """The metrics; `read` may neither block nor raise."""

    def __init__(self, read: Callable[[], TriggerFigures]) -> None:
        """Ask `read` whenever somebody asks."""
        self._read = read

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        """Yield every metric."""
        reading = self._read()
        messages = CounterMetricFamily(
            "perdure_trigger_messages",
            "Messages that a trigger was shown, by what became of them.",
            labels=["trigger", "outcome"],
        )
        for trigger, counts in sorted(reading.messages.items()):
            for outcome, count in sorted(counts.items()):
                messages.add_metric([trigger, outcome], count)
        yield messages
        received = CounterMetricFamily(
            "perdure_source_messages", "Messages that came from a source.", labels=["source"]
        )
        for source, count in sorted(reading.received.items()):
            received.add_metric([source], count)
        yield received
        yield _flags(
            "perdure_trigger_paused",
            "1 while a trigger takes no messages.",
            "trigger",
            sorted(reading.paused.items()),
        )
        yield _flags(
            "perdure_source_connected",
            "1 while a source is connected to its broker.",
            "source",
            sorted(reading.connected.items()),
        )


def _flags(
    name: str, text: str, label: str, values: Sequence[tuple[str, bool]]
) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(name, text, labels=[label])
    for key, value in values:
        gauge.add_metric([key], float(value))
    return gauge
