"""What one run is to be: its seed, how long it lasts, and what the seed makes of the settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from random import Random

from perdure.base.limits import RESULT_WAITS_TURN_PERCENT_MAX
from perdure.base.time import MINUTE_US, SECOND_US
from perdure.core.status import Status
from perdure.engine.settings import EngineSettings
from perdure.proving.odds import Odds, drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run."""

    seed: int
    duration_us: int  # of the phase in which anything may go wrong
    odds: Odds
    settings: EngineSettings
    nodes: int = 1  # which share one disk if there are several
    store: str = "memory"  # what the instances are kept in, as people call it
    # How often what befalls the ways between them, where it is not as usual (`shared_disk.Ways`).
    ways: Mapping[str, float] = field(default_factory=dict)
    here: bool = False  # each has an app in its process
    mixed: bool = False  # some workers speak Microsoft's dialect, or do not say which they speak


_HERE = 0.4  # of the seeds
_MIXED = 0.4  # of the seeds


def plan_of(seed: int, duration_us: int, nodes: int = 1, store: str = "memory") -> Plan:
    """Return what follows from a seed, for so many nodes; the store makes no difference to it."""
    chance, waits = Random(f"{seed}:plan"), Random(f"{seed}:waits")
    return Plan(
        seed=seed,
        duration_us=duration_us,
        odds=drawn(chance, Odds()),
        settings=replace(
            _settings(chance),
            result_waits_us=waits.choice([0, 2_000, 30_000]),
            # Simulated workers take longer than simulated disks: they are waited for all the same.
            turn_percent_max=waits.choice([RESULT_WAITS_TURN_PERCENT_MAX, 1_000_000, 1_000_000]),
        ),
        nodes=nodes,
        store=store,
        here=Random(f"{seed}:here").random() < _HERE,
        mixed=Random(f"{seed}:mixed").random() < _MIXED,
    )


def _settings(chance: Random) -> EngineSettings:
    kept_us = chance.choice([0, 0, 20 * SECOND_US, 3 * MINUTE_US])
    kept = (Status.COMPLETED, Status.FAILED, Status.TERMINATED)
    return EngineSettings(
        app_id="app",
        turns_max=chance.choice([None, None, 1, 3]),
        activities_max=chance.choice([None, None, 1, 3]),
        turns_max_by_name=chance.choice([{}, {}, {"flow": 2}]),
        activities_max_by_name=chance.choice([{}, {}, {"fetch": 1}]),
        retention_us=dict.fromkeys(kept, kept_us) if kept_us else {},
        ready_max=chance.choice([4, 10_000, 10_000]),
        residents_max=chance.choice([1, 8, 10_000]),
    )
