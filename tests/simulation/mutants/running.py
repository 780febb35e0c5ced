"""Runs a mutant until some checker catches it."""

from dataclasses import dataclass, replace
from types import ModuleType
from typing import Final

from perdure.app.clock import SystemClock
from perdure.base.time import HOUR_US
from perdure.proving.plan import Plan, plan_of
from perdure.proving.simulation import Simulation
from perdure.store.memory import MemoryCluster, MemoryStore
from tests.simulation.mutants import disk, families, firsts, here, moves, nodes, work
from tests.simulation.mutants.patching import MUTANTS, Mutant

__all__ = ["MUTANTS", "Caught", "caught", "hunted"]

HOURS: Final = 0.1
SEEDS_MAX: Final = 40
_ROOMS: Final = (
    disk,
    families,
    firsts,
    here,
    moves,
    nodes,
    work,
)  # loading them has filled MUTANTS


@dataclass(frozen=True, slots=True)
class Caught:
    """By which checker, with which seed, after how many steps, and what it said."""

    by: str
    seed: int
    steps: int
    text: str


def of_room(room: ModuleType) -> list[str]:
    """Return the names of a room's mutants."""
    return sorted(name for name, each in MUTANTS.items() if each.breaks.__module__ == room.__name__)


def caught(mutant: Mutant, seed: int, hours: float = HOURS) -> Caught | None:
    """Run one seed with the mutant in force; return how it was caught, or None if it was not."""
    with mutant.in_force():
        made = _simulation(_plan(mutant, seed, hours))
        try:
            report = made.run()
        except Exception as error:  # noqa: BLE001 - a crash of the world is a catch, too
            return Caught("crash", seed, made.world.trace.step, f"{type(error).__name__}: {error}")
    if report.sound:
        return None
    first = report.violations[0]
    return Caught(first.promise, seed, first.step, first.text)


def hunted(mutant: Mutant) -> Caught | None:
    """Run seed after seed until the mutant is caught."""
    found = (
        caught(mutant, seed) for seed in range(mutant.first_seed, mutant.first_seed + SEEDS_MAX)
    )
    return next((each for each in found if each is not None), None)


def _simulation(plan: Plan) -> Simulation:
    if plan.nodes == 1:
        return Simulation(plan, MemoryStore(), SystemClock)
    cluster = MemoryCluster(int)
    return Simulation(plan, cluster.open(), SystemClock, cluster)


def _plan(mutant: Mutant, seed: int, hours: float) -> Plan:
    plan = plan_of(seed, int(hours * HOUR_US), mutant.nodes)
    return replace(
        plan,
        ways=mutant.ways,
        odds=replace(plan.odds, **mutant.odds),
        settings=replace(plan.settings, **mutant.settings),
        here=mutant.here,
        mixed=mutant.mixed,
    )
