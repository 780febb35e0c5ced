"""Gauges are read on request; those of the store not too often, and never made up."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest

from perdure.base.errors import StoreUnavailable
from perdure.observability.readings import (
    STORE_READING_TTL_S,
    EngineReading,
    Readings,
    StoreReading,
)

ENGINE = EngineReading(
    ready_turns=1,
    ready_activities=2,
    outstanding_turns=3,
    outstanding_activities=4,
    open_streams=5,
    residents=6,
)


class Bench:
    """A store to read, and a clock to turn."""

    def __init__(self, *answers: StoreReading | StoreUnavailable) -> None:
        self.now_s = 1_000.0
        self._answers: Iterator[StoreReading | StoreUnavailable] = iter(answers)
        self.registry = CollectorRegistry()
        self.registry.register(Readings(lambda: ENGINE, self._read, monotonic_s=lambda: self.now_s))

    def _read(self) -> StoreReading:
        match next(self._answers):
            case StoreReading() as reading:
                return reading
            case error:
                raise error

    def page(self) -> list[str]:
        lines = generate_latest(self.registry).decode().splitlines()
        return [line for line in lines if not line.startswith("#")]


def reading(stuck: int) -> StoreReading:
    return StoreReading(instances={"RUNNING": 8, "PENDING": 9}, stuck=stuck)


def test_every_gauge_is_there() -> None:
    assert Bench(reading(0)).page() == [
        'perdure_ready{kind="turn"} 1.0',
        'perdure_ready{kind="activity"} 2.0',
        'perdure_outstanding{kind="turn"} 3.0',
        'perdure_outstanding{kind="activity"} 4.0',
        "perdure_open_streams 5.0",
        "perdure_residents 6.0",
        'perdure_instances{status="PENDING"} 9.0',
        'perdure_instances{status="RUNNING"} 8.0',
        "perdure_stuck_instances 0.0",
        "perdure_store_readings_failed_total 0.0",
    ]


def test_the_store_is_not_read_for_every_scrape() -> None:
    bench = Bench(reading(0), reading(1))
    assert "perdure_stuck_instances 0.0" in bench.page()
    bench.now_s += STORE_READING_TTL_S - 0.1
    assert "perdure_stuck_instances 0.0" in bench.page()
    bench.now_s += 0.2
    assert "perdure_stuck_instances 1.0" in bench.page()


def test_what_cannot_be_read_is_not_made_up() -> None:
    bench = Bench(reading(0), StoreUnavailable("busy"), reading(2))
    bench.page()
    bench.now_s += STORE_READING_TTL_S
    page = bench.page()
    assert not any(line.startswith(("perdure_stuck", "perdure_instances")) for line in page)
    assert "perdure_store_readings_failed_total 1.0" in page
    bench.now_s += STORE_READING_TTL_S
    assert "perdure_stuck_instances 2.0" in bench.page()
