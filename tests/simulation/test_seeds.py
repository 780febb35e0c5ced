"""Whole lives of a server, and every seed that ever showed a fault."""

from dataclasses import replace

import pytest

from perdure.app.prove import ProofStore
from tests.simulation.lives import lived

# What each of them showed. A change of the engine or of the simulator leads a seed elsewhere, so
# that each fault has a test of its own beside it.
SHOWED = {
    (2009, 0.3): "a place that one activity made was given to two of its pair",
    (3001, 0.25): "the activities of a rerun were forgotten when they could not be read",
    (35, 0.1): "a terminate whose commit lost its reply was used up by a turn",
}


@pytest.mark.parametrize(("seed", "hours"), SHOWED)
def test_a_seed_that_showed_a_fault(seed: int, hours: float) -> None:
    report = lived(seed, hours)
    assert report.sound, "\n".join(report.lines())


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_nothing_is_broken_and_everything_finishes(seed: int) -> None:
    report = lived(seed, 0.1)
    assert report.sound, "\n".join(report.lines())
    assert report.phase == "afterwards"
    assert report.figures["turns"] > 100
    assert report.figures["activities"] > 20
    assert report.acknowledged["start"] > 10
    assert sum(report.faults.values()) > 5


def test_both_stores_lead_the_same_life() -> None:
    """The trace holds every outcome of every commit and every byte that a worker was sent."""
    in_memory = lived(11, 0.05)
    on_disk = lived(11, 0.05, ProofStore.SQLITE)
    assert in_memory.sound, "\n".join(in_memory.lines())
    assert (in_memory.store, on_disk.store) == ("memory", "sqlite")
    assert replace(on_disk, store="memory") == in_memory
