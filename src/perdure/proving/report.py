"""What a run has come to, as text for people and as data for programs."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Final

from perdure.base.time import HOUR_US
from perdure.proving.checkers.base import Violation
from perdure.proving.world import World

TRACE_LINES_TOLD: Final = 40
# How far a run came, by the phase in which it ended.
_ENDS: Final = {
    "safety": "in the first phase, in which anything may go wrong",
    "liveness": "in the second phase, in which everything has to finish",
    "afterwards": "after both phases: everything has finished, and was purged",
}
_DIGITS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The result of one run. The same seed gives the same report."""

    seed: int
    nodes: int
    hours: float  # of the phase in which anything may go wrong
    simulated_hours: float  # in all
    phase: str  # the one in which it ended: safety, liveness or afterwards
    steps: int
    sweeps: int
    faults: dict[str, int]
    acknowledged: dict[str, int]
    figures: dict[str, int]
    odds: dict[str, float]
    settings: dict[str, str]
    violations: tuple[Violation, ...]
    trace: tuple[str, ...]  # the last lines, if a promise was broken
    digest: str

    @property
    def sound(self) -> bool:
        """Whether no promise was broken."""
        return not self.violations

    def data(self) -> dict[str, object]:
        """Return it for programs."""
        return asdict(self)

    def lines(self) -> Iterator[str]:
        """Yield it for people."""
        yield f"seed {self.seed}: {self.simulated_hours} simulated hours, {self.steps} steps"
        yield f"  ended           {_ENDS[self.phase]}"
        yield f"  faults          {_listed(self.faults)}"
        yield f"  acknowledged    {_listed(self.acknowledged)}"
        yield f"  done            {_listed(self.figures)}"
        yield f"  compared        memory and disk {self.sweeps} times"
        yield f"  trace           {self.digest}"
        yield f"  violations      {len(self.violations)}"
        for each in self.violations:
            yield f"    {each.promise} at step {each.step}: {each.text}"
        if self.violations:
            yield "  the last steps before:"
            for line in self.trace:
                yield f"    {line}"
            again = f"perdure prove --seed {self.seed} --hours {self.hours:g}"
            yield f"  to see it again: {again}{f' --nodes {self.nodes}' if self.nodes > 1 else ''}"


def report_of(world: World, phase: str, sweeps: int) -> Report:
    """Return what there is to tell of a run."""
    violations = tuple(world.court.violations)
    figures = {**world.figures, "answers overtaken": world.network.overtaken}
    trace = tuple(world.trace.last)[-TRACE_LINES_TOLD:] if violations else ()
    settings = asdict(world.plan.settings)
    return Report(
        seed=world.plan.seed,
        nodes=world.plan.nodes,
        hours=round(world.plan.duration_us / HOUR_US, _DIGITS),
        simulated_hours=round(world.loop.now_us / HOUR_US, _DIGITS),
        phase=phase,
        steps=world.trace.step,
        sweeps=sweeps,
        faults=_sorted(world.faults),
        acknowledged=_sorted(world.auditor.acknowledged),
        figures=_sorted(figures),
        odds={name: round(value, _DIGITS) for name, value in asdict(world.plan.odds).items()},
        settings={name: str(value) for name, value in settings.items()},
        violations=violations,
        trace=trace,
        digest=world.trace.digest,
    )


def _sorted(counts: dict[str, int]) -> dict[str, int]:
    return {name: counts[name] for name in sorted(counts)}


def _listed(counts: dict[str, int]) -> str:
    told = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in counts.items())
    return f"{sum(counts.values())} ({told})" if told else "none"
