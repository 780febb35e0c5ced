"""Prometheus metrics: an observer that counts, and the page that a scrape gets."""

import asyncio
import re
from collections.abc import Iterator, Sequence
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    Metric,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import InfoMetricFamily
from prometheus_client.registry import Collector
from typing_extensions import override

from perdure.base.observer import Activity, NullObserver, Operation, Span, Subject, WorkKind
from perdure.base.time import SECOND_US
from perdure.observability.families import PREFIX, Children, Families

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
# Each name is a series in every family; whoever makes up names must not fill the memory.
NAMES_MAX: Final = 500
OTHER: Final = "(other)"

_STATUS: Final = {"COMPLETED": "success", "TERMINATED": "terminated"}
# Dapr's counters have no `_total`, which the library adds.
_DAPR_TOTAL: Final = re.compile(rb"(?m)^(# (?:HELP|TYPE) )?(%b\w+_count)_total\b" % PREFIX.encode())


class Metrics(NullObserver):
    """Counts what the engine reports. Each has a registry of its own."""

    def __init__(self, *, app_id: str, namespace: str, version: str) -> None:
        self._registry = CollectorRegistry()
        self._families = Families(self._registry)
        self._children = Children()
        self._namespace = namespace
        self._names: set[str] = set()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._registry)
        self._registry.register(_Build({"version": version, "app_id": app_id}))

    def add(self, collector: Collector) -> None:
        """Put what `collector` yields on the page as well."""
        self._registry.register(collector)

    async def page(self) -> bytes:
        """Return the page for a scrape, as `CONTENT_TYPE`. It is made in a thread."""
        return await asyncio.to_thread(self.render)

    def render(self) -> bytes:
        """Return the page; blocks while gauges are read."""
        return _DAPR_TOTAL.sub(rb"\1\2", generate_latest(_WithoutCreated(self._registry)))

    def _bounded(self, name: str) -> str:
        if name not in self._names:
            if len(self._names) >= NAMES_MAX:
                return OTHER
            self._names.add(name)
        return name

    @override
    def operation(self, kind: Operation, *, app_id: str, succeeded: bool, latency_us: int) -> None:
        status = "success" if succeeded else "failed"
        labels = (self._bounded(app_id), self._namespace, kind, status)
        self._children.count(self._families.operation_count, *labels).inc()
        latency = self._children.histogram(self._families.operation_latency, *labels)
        latency.observe(latency_us / 1_000)

    @override
    def instance_started(self, subject: Subject, *, at_us: int, waited_us: int) -> None:
        latency = self._children.histogram(
            self._families.scheduling_latency, *self._workflow(subject)
        )
        latency.observe(waited_us / 1_000)

    @override
    def instance_finished(
        self,
        subject: Subject,
        *,
        status: str,
        started_at_us: int,
        completed_at_us: int,
        patches: Sequence[str] = (),
        span: Span | None,
    ) -> None:
        # A workflow counts once, when it is over, however many generations it had.
        if status == "CONTINUED_AS_NEW":
            return
        labels = (*self._workflow(subject), _STATUS.get(status, "failed"))
        self._children.count(self._families.execution_count, *labels).inc()
        latency = self._children.histogram(self._families.execution_latency, *labels)
        latency.observe((completed_at_us - started_at_us) / 1_000)

    @override
    def instance_purged(self, subject: Subject, *, at_us: int, by_retention: bool) -> None:
        by = "retention" if by_retention else "request"
        self._children.count(self._families.purges, by).inc()

    @override
    def instance_stalled(
        self, subject: Subject, *, at_us: int, reason: str, description: str
    ) -> None:
        self._children.count(self._families.stalls, reason).inc()

    @override
    def event_received(
        self, subject: Subject, *, at_us: int, event_name: str, size_bytes: int
    ) -> None:
        self._families.events_received.inc()

    @override
    def turn_handed_out(self, subject: Subject, *, waited_us: int) -> None:
        self._families.turn_wait_seconds.observe(waited_us / SECOND_US)

    @override
    def turn_landed(self, subject: Subject, *, latency_us: int) -> None:
        self._families.turn_seconds.observe(latency_us / SECOND_US)

    @override
    def turn_retried(self, subject: Subject, *, attempt: int, reason: str) -> None:
        labels = (*self._workflow(subject), "recoverable")
        self._children.count(self._families.execution_count, *labels).inc()

    @override
    def activity_handed_out(self, subject: Subject, activity: Activity, *, waited_us: int) -> None:
        labels = (*self._activity(activity), "success")
        self._children.count(self._families.activity_operation_count, *labels).inc()
        latency = self._children.histogram(self._families.activity_operation_latency, *labels)
        latency.observe(waited_us / 1_000)

    @override
    def activity_finished(
        self,
        subject: Subject,
        activity: Activity,
        *,
        failed: bool,
        handed_out_at_us: int,
        finished_at_us: int,
        span: Span | None,
    ) -> None:
        labels = (*self._activity(activity), "failed" if failed else "success")
        self._children.count(self._families.activity_execution_count, *labels).inc()
        latency = self._children.histogram(self._families.activity_execution_latency, *labels)
        latency.observe((finished_at_us - handed_out_at_us) / 1_000)

    @override
    def activity_retried(self, subject: Subject, activity: Activity, *, reason: str) -> None:
        labels = (*self._activity(activity), "recoverable")
        self._children.count(self._families.activity_execution_count, *labels).inc()

    @override
    def timer_fired(
        self,
        subject: Subject,
        *,
        timer_id: int,
        created_at_us: int,
        fire_at_us: int,
        fired_at_us: int,
        span: Span | None,
    ) -> None:
        # A timer that was due before it was made is late only since then.
        due_us = max(fire_at_us, created_at_us)
        self._families.timer_delay_seconds.observe(max(fired_at_us - due_us, 0) / SECOND_US)

    @override
    def late_completion_dropped(self, kind: WorkKind, *, instance_id: str, reason: str) -> None:
        self._children.count(self._families.late_completions, kind).inc()

    @override
    def payload_size(self, subject: Subject, *, activity: str | None, ratio: float) -> None:
        if activity is None:
            family, name = self._families.payload_size_ratio, subject.name
        else:
            family, name = self._families.activity_payload_size_ratio, activity
        labels = (self._bounded(subject.app_id), self._namespace, self._bounded(name))
        self._children.histogram(family, *labels).observe(ratio)

    @override
    def worker_connected(self, worker: str, *, app_id: str, dialect: str) -> None:
        self._children.count(self._families.worker_streams, dialect).inc()

    @override
    def commit_landed(self, *, entries: int, duration_us: int) -> None:
        self._families.commit_entries.observe(entries)
        self._families.commit_seconds.observe(duration_us / SECOND_US)

    @override
    def fault(self, where: str, error: BaseException) -> None:
        # Where it was may name an instance; the kinds of errors are few.
        self._children.count(self._families.faults, type(error).__name__).inc()

    def _workflow(self, subject: Subject) -> tuple[str, str, str]:
        return self._bounded(subject.app_id), self._namespace, self._bounded(subject.name)

    def _activity(self, activity: Activity) -> tuple[str, str, str]:
        return self._bounded(activity.app_id), self._namespace, self._bounded(activity.name)


class _Build(Collector):
    def __init__(self, facts: dict[str, str]) -> None:
        self._facts = facts

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily("perdure_build", "What runs here.", value=self._facts)


class _WithoutCreated(Collector):
    """The registry without the `_created` samples, which this format has no word for."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        for family in self._registry.collect():
            created = f"{family.name}_created"
            family.samples = [sample for sample in family.samples if sample.name != created]
            yield family
