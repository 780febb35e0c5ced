"""The metric families: Dapr's own under Dapr's names, and ours under `perdure_`.

Dapr measures latencies in milliseconds, we measure in seconds, as Prometheus advises.
"""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.metrics import MetricWrapperBase

from perdure.observability.counting import PlainCounter, PlainHistogram

PREFIX: Final = "dapr_runtime_workflow_"

# Dapr's default distribution of latencies, and of sizes in proportion to the limit.
LATENCY_MS_BUCKETS: Final = (
    *(1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 20, 25, 30, 40, 50, 65, 80, 100, 130, 160, 200, 250, 300),
    *(400, 500, 650, 800, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000),
)
RATIO_BUCKETS: Final = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 1.0)
COMMIT_S_BUCKETS: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0)
WAIT_S_BUCKETS: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0, 120.0, 600.0)
ENTRIES_BUCKETS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000)

_APP: Final = ("app_id", "namespace")
_WORKFLOW: Final = (*_APP, "workflow_name")
_ACTIVITY: Final = (*_APP, "activity_name")


class Families:
    """Every counter and histogram, registered in a registry of its own."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self.operation_count = self._dapr_count(
            "operation", "Requests answered.", (*_APP, "operation", "status")
        )
        self.operation_latency = self._dapr_latency(
            "operation", "Time until a request was answered.", (*_APP, "operation", "status")
        )
        self.execution_count = self._dapr_count(
            "execution", "Workflows finished, and turns tried again.", (*_WORKFLOW, "status")
        )
        self.execution_latency = self._dapr_latency(
            "execution", "Time from the start of a workflow to its end.", (*_WORKFLOW, "status")
        )
        self.scheduling_latency = self._dapr_latency(
            "scheduling", "Time from the creation of a workflow to its start.", _WORKFLOW
        )
        self.activity_operation_count = self._dapr_count(
            "activity_operation", "Activities handed out.", (*_ACTIVITY, "status")
        )
        self.activity_operation_latency = self._dapr_latency(
            "activity_operation",
            "Time until an activity was handed out.",
            (*_ACTIVITY, "status"),
        )
        self.activity_execution_count = self._dapr_count(
            "activity_execution", "Activities finished or tried again.", (*_ACTIVITY, "status")
        )
        self.activity_execution_latency = self._dapr_latency(
            "activity_execution", "Time from hand-out to result.", (*_ACTIVITY, "status")
        )
        self.payload_size_ratio = self._histogram(
            f"{PREFIX}payload_size_ratio",
            "Size of a turn's work item in proportion to the limit.",
            _WORKFLOW,
            RATIO_BUCKETS,
        )
        self.activity_payload_size_ratio = self._histogram(
            f"{PREFIX}activity_payload_size_ratio",
            "Size of an activity's work item in proportion to the limit.",
            _ACTIVITY,
            RATIO_BUCKETS,
        )
        self._register_ours()

    def _register_ours(self) -> None:
        self.commit_entries = self._histogram(
            "perdure_commit_entries", "Entries that landed in one commit.", (), ENTRIES_BUCKETS
        )
        self.commit_seconds = self._histogram(
            "perdure_commit_seconds", "Time that a commit took.", (), COMMIT_S_BUCKETS
        )
        self.turn_wait_seconds = self._histogram(
            "perdure_turn_wait_seconds", "Time from ready to handed out.", (), WAIT_S_BUCKETS
        )
        self.turn_seconds = self._histogram(
            "perdure_turn_seconds", "Time from handed out to landed.", (), WAIT_S_BUCKETS
        )
        self.timer_delay_seconds = self._histogram(
            "perdure_timer_delay_seconds", "How late timers fired.", (), WAIT_S_BUCKETS
        )
        self.stalls = self._count("perdure_stalls", "Instances stalled.", ("reason",))
        self.late_completions = self._count(
            "perdure_late_completions_dropped", "Completions that came too late.", ("kind",)
        )
        self.events_received = self._count("perdure_events_received", "External events taken.", ())
        self.purges = self._count("perdure_instances_purged", "Instances deleted.", ("by",))
        self.worker_streams = self._count("perdure_worker_streams", "Streams opened.", ("dialect",))
        self.faults = self._count("perdure_faults", "What should not happen and did.", ("error",))

    def _dapr_count(self, name: str, text: str, labels: tuple[str, ...]) -> Counter:
        return self._count(f"{PREFIX}{name}_count", text, labels)

    def _dapr_latency(self, name: str, text: str, labels: tuple[str, ...]) -> Histogram:
        return self._histogram(
            f"{PREFIX}{name}_latency", f"{text} In milliseconds.", labels, LATENCY_MS_BUCKETS
        )

    def _count(self, name: str, text: str, labels: tuple[str, ...]) -> Counter:
        return PlainCounter(name, text, labels, registry=self._registry)

    def _histogram(
        self, name: str, text: str, labels: tuple[str, ...], buckets: tuple[float, ...]
    ) -> Histogram:
        return PlainHistogram(name, text, labels, registry=self._registry, buckets=buckets)


class Children:
    """The children of families by their labels, found faster than the library finds them."""

    def __init__(self) -> None:
        self._found: dict[tuple[object, ...], MetricWrapperBase] = {}

    def count(self, family: Counter, *labels: str) -> Counter:
        """Return the counter with these label values."""
        key = (family, *labels)
        child = self._found.get(key)
        if child is None:
            child = self._found[key] = family.labels(*labels)
        assert isinstance(child, Counter)
        return child

    def histogram(self, family: Histogram, *labels: str) -> Histogram:
        """Return the histogram with these label values."""
        key = (family, *labels)
        child = self._found.get(key)
        if child is None:
            child = self._found[key] = family.labels(*labels)
        assert isinstance(child, Histogram)
        return child
