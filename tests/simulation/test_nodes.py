"""Several nodes on one store: cut off, standing still, killed; and everything finishes."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from perdure.app.clock import SystemClock
from perdure.app.prove import ProofStore, simulation
from perdure.base.time import HOUR_US, SECOND_US
from perdure.engine.leases import Leases
from perdure.proving.plan import plan_of
from perdure.proving.report import Report
from perdure.proving.simulation import Simulation
from perdure.store.memory import MemoryCluster

DEAF = {"news_lost": 0.5}
ROUGH = {"cut": 1.0, "stopped": 1.5, "secluded": 0.5, "news_lost": 0.1}

# What each of them showed: seed, hours, nodes.
SHOWED = {
    (105, 0.1, 3): "a birth in the place of one that had gone could not be told",
    (678852379679, 0.1, 3): "two nodes exchanged the places of two limits for ever",
}
# The same, in rougher weather between the nodes.
SHOWED_ROUGHLY = {
    (4, 0.1, 2): "an activity of a former holding took its name out of the books as it came back",
}
# The same, where half the news is lost.
SHOWED_WHEN_DEAF = {
    (200021, 0.03, 2): "an earlier life that had ended elsewhere kept the place of its turn",
    (100035, 0.05, 3): "an event that its owner had not heard of was missed by the checker as soon "
    "as that owner had nothing else to do, and not when it had had the time to look",
}


def _lived(seed: int, hours: float, nodes: int) -> Report:
    with simulation(seed, hours, ProofStore.MEMORY, nodes) as made:
        return made.run()


def _lived_in(seed: int, hours: float, nodes: int, ways: Mapping[str, float]) -> Report:
    plan = replace(plan_of(seed, int(hours * HOUR_US), nodes), ways=ways)
    cluster = MemoryCluster(int)
    return Simulation(plan, cluster.open(), SystemClock, cluster).run()


@pytest.mark.parametrize(("seed", "hours", "nodes"), SHOWED)
def test_a_seed_that_showed_a_fault(seed: int, hours: float, nodes: int) -> None:
    report = _lived(seed, hours, nodes)
    assert report.sound, "\n".join(report.lines())


@pytest.mark.parametrize(("seed", "hours", "nodes"), SHOWED_ROUGHLY)
def test_a_rough_seed_that_showed_a_fault(seed: int, hours: float, nodes: int) -> None:
    report = _lived_in(seed, hours, nodes, ROUGH)
    assert report.sound, "\n".join(report.lines())


@pytest.mark.parametrize(("seed", "hours", "nodes"), SHOWED_WHEN_DEAF)
def test_a_seed_that_showed_a_fault_when_news_was_lost(seed: int, hours: float, nodes: int) -> None:
    report = _lived_in(seed, hours, nodes, DEAF)
    assert report.sound, "\n".join(report.lines())


@pytest.mark.parametrize(("seed", "nodes"), [(1, 2), (2, 3)])
def test_nothing_is_broken_and_everything_finishes(seed: int, nodes: int) -> None:
    report = _lived(seed, 0.05, nodes)
    assert report.sound, "\n".join(report.lines())
    assert report.phase == "afterwards"
    assert report.figures["turns"] > 100


class _TakesTooLong(BaseException):
    """What a test's time-out raises wherever the run is just then."""


def test_a_time_out_of_the_test_is_no_fault_that_the_engine_survives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Once it was, and a breakage that nobody caught counted as caught when its time was up."""

    async def stand(_: Leases) -> None:
        raise _TakesTooLong

    with simulation(1, 0.01, ProofStore.MEMORY, 2) as made:
        made.world.loop.outside(SECOND_US, monkeypatch.setattr, Leases, "_stand", stand)
        with pytest.raises(_TakesTooLong):
            made.run()


def test_a_seed_is_one_run() -> None:
    one, other = _lived(5, 0.02, 2), _lived(5, 0.02, 2)
    assert one == other
