"""Gauges: what is so at this moment, read when somebody asks and not when it changes.

What the engine holds in memory is read at once. What only the store knows is read in a thread and
kept for a while, so that no scrape, however often it comes, holds anything up.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from perdure.base.errors import StoreError

STORE_READING_TTL_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineReading:
    """What the engine holds in memory."""

    ready_turns: int
    ready_activities: int
    outstanding_turns: int
    outstanding_activities: int
    open_streams: int
    residents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreReading:
    """What the store knows: instances by status name, and how many nothing will ever move (P4)."""

    instances: Mapping[str, int]
    stuck: int


class Stopwatch(Protocol):
    """A clock that only measures lengths of time, in seconds."""

    def __call__(self) -> float: ...


class Readings(Collector):
    """The gauges. `read_store` may block and raise StoreError; `read_engine` may do neither."""

    def __init__(
        self,
        read_engine: Callable[[], EngineReading],
        read_store: Callable[[], StoreReading],
        *,
        monotonic_s: Stopwatch = time.monotonic,
    ) -> None:
        self._read_engine = read_engine
        self._read_store = read_store
        self._monotonic_s = monotonic_s
        self._kept: StoreReading | None = None
        self._kept_until_s = float("-inf")
        self._failures = 0

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        """Yield every gauge; those of the store are left out while it cannot be read."""
        yield from _engine_gauges(self._read_engine())
        reading = self._store_reading()
        if reading is not None:
            yield from _store_gauges(reading)
        yield CounterMetricFamily(
            "perdure_store_readings_failed",
            "How often the gauges of the store could not be read.",
            value=self._failures,
        )

    def _store_reading(self) -> StoreReading | None:
        if self._monotonic_s() >= self._kept_until_s:
            try:
                self._kept = self._read_store()
            except StoreError:
                # A missing value is the truth here: neither the last one nor 0 would be.
                self._kept = None
                self._failures += 1
            self._kept_until_s = self._monotonic_s() + STORE_READING_TTL_S
        return self._kept


def _engine_gauges(reading: EngineReading) -> Iterator[GaugeMetricFamily]:
    ready = GaugeMetricFamily("perdure_ready", "Work that waits for a worker.", labels=["kind"])
    ready.add_metric(["turn"], reading.ready_turns)
    ready.add_metric(["activity"], reading.ready_activities)
    yield ready
    out = GaugeMetricFamily("perdure_outstanding", "Work that workers hold.", labels=["kind"])
    out.add_metric(["turn"], reading.outstanding_turns)
    out.add_metric(["activity"], reading.outstanding_activities)
    yield out
    yield GaugeMetricFamily(
        "perdure_open_streams", "Open streams of work items.", value=reading.open_streams
    )
    yield GaugeMetricFamily(
        "perdure_residents", "Instances held in memory.", value=reading.residents
    )


def _store_gauges(reading: StoreReading) -> Iterator[GaugeMetricFamily]:
    by_status = GaugeMetricFamily("perdure_instances", "Instances in the store.", labels=["status"])
    for status, count in sorted(reading.instances.items()):
        by_status.add_metric([status], count)
    yield by_status
    yield GaugeMetricFamily(
        "perdure_stuck_instances",
        "Unfinished instances that nothing will ever move; anything but 0 is a bug.",
        value=reading.stuck,
    )
