"""Whether the components whose engines are away answer, read when somebody asks."""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector


class ComponentReadings(Collector):
    """One gauge; `read` tells of each component by name whether its engine answers."""

    def __init__(self, read: Callable[[], Mapping[str, bool]]) -> None:
        self._read = read

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield 1 for each component that answers, and 0 for each that does not."""
        answers = GaugeMetricFamily(
            "perdure_component_answers",
            "Whether the engine of a component, such as a Temporal cluster, answers.",
            labels=["component"],
        )
        for name, is_there in sorted(self._read().items()):
            answers.add_metric([name], is_there)
        yield answers
