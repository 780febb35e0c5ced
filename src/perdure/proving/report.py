"""What a run has come to, as text for people and as data for programs."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from textwrap import wrap
from typing import Final

from perdure.base.time import HOUR_US
from perdure.proving.checkers.base import Violation
from perdure.proving.shared_disk import USUAL
from perdure.proving.world import World

TRACE_LINES_TOLD: Final = 40
# How far a run came, by the phase in which it ended.
_ENDS: Final = {
    "safety": "in the first phase, in which anything may go wrong",
    "liveness": "in the second phase, in which everything has to finish",
    "afterwards": "after both phases: everything has finished, and was purged",
}
_DIGITS: Final = 4
_WIDTH: Final = 100
_KEPT: Final = "\N{NO-BREAK SPACE}"
_STORE: Final = "memory"  # what a run is on if nobody says otherwise


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The result of one run. The same seed gives the same report."""

    seed: int
    nodes: int
    store: str
    here: bool  # each node had an app in its own process, beside the workers
    mixed: bool  # some workers spoke Microsoft's dialect, or did not say which they speak
    hours: float  # of the phase in which anything may go wrong
    simulated_hours: float  # in all
    phase: str  # the one in which it ended: safety, liveness or afterwards
    steps: int
    sweeps: int
    faults: dict[str, int]
    acknowledged: dict[str, int]
    figures: dict[str, int]
    odds: dict[str, float]
    ways: dict[str, float]  # and between several nodes; see `shared_disk.USUAL`
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
        whole = f"{self.simulated_hours} simulated hours, {self.steps:,} steps"
        yield f"seed {self.seed}: {self.hours:g} hours of trouble, in all {whole}"
        yield f"  ended           {_ENDS[self.phase]}"
        yield f"  on              {self._place()}"
        yield from _paragraph("faults injected", _summed(self.faults))
        left_out = [_spelt(name) for name, odds in self.odds.items() if not odds]
        if left_out:
            yield from _paragraph("left out", f"{', '.join(left_out)}: their odds are 0 here")
        yield from _paragraph("acknowledged", _summed(self.acknowledged))
        yield from _paragraph("done", _listed(self.figures))
        yield f"  compared        memory and disk {self.sweeps:,} times"
        yield f"  trace           {self.digest}"
        yield f"  violations      {len(self.violations)}"
        for each in self.violations:
            yield f"    {each.promise} at step {each.step}: {each.text}"
        if self.violations:
            yield "  the last steps before:"
            for line in self.trace:
                yield f"    {line}"
            yield f"  to see it again: {self.command()}"

    def command(self) -> str:
        """Return what repeats the run."""
        store = "" if self.store == _STORE else f" --store {self.store}"
        nodes = "" if self.nodes == 1 else f" --nodes {self.nodes}"
        return f"perdure prove --seed {self.seed} --hours {self.hours!r}{store}{nodes}"

    def _place(self) -> str:
        servers = "1 server" if self.nodes == 1 else f"{self.nodes} servers"
        who = "workers of both dialects" if self.mixed else "workers"
        who += ", and by an app in its own process" if self.here else ""
        return f"{servers} and a store of the kind '{self.store}'; work is done by {who}"


def report_of(world: World, phase: str, sweeps: int) -> Report:
    """Return what there is to tell of a run."""
    violations = tuple(world.court.violations)
    figures = {**world.figures, "answers overtaken": world.network.overtaken}
    trace = tuple(world.trace.last)[-TRACE_LINES_TOLD:] if violations else ()
    settings = asdict(world.plan.settings)
    return Report(
        seed=world.plan.seed,
        nodes=world.plan.nodes,
        store=world.plan.store,
        here=world.plan.here,
        mixed=world.plan.mixed,
        hours=world.plan.duration_us / HOUR_US,
        simulated_hours=round(world.loop.now_us / HOUR_US, _DIGITS),
        phase=phase,
        steps=world.trace.step,
        sweeps=sweeps,
        faults=_sorted(world.faults),
        acknowledged=_sorted(world.auditor.acknowledged),
        figures=_sorted(figures),
        odds={name: round(value, _DIGITS) for name, value in asdict(world.plan.odds).items()},
        ways={} if world.ways is None else {**USUAL, **world.plan.ways},
        settings={name: str(value) for name, value in settings.items()},
        violations=violations,
        trace=trace,
        digest=world.trace.digest,
    )


def _sorted(counts: dict[str, int]) -> dict[str, int]:
    return {name: counts[name] for name in sorted(counts)}


def _spelt(name: str) -> str:
    """Return a name with spaces that no line ends at."""
    return name.replace("_", " ").replace(" ", _KEPT)


def _listed(counts: dict[str, int]) -> str:
    most_first = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    return ", ".join(f"{count:,}{_KEPT}{_spelt(name)}" for name, count in most_first) or "nothing"


def _summed(counts: dict[str, int]) -> str:
    return f"{sum(counts.values()):,}: {_listed(counts)}" if counts else "none"


def _paragraph(name: str, text: str) -> list[str]:
    first, others = f"  {name:<15} ", " " * 18
    lines = wrap(
        text, _WIDTH, initial_indent=first, subsequent_indent=others, break_on_hyphens=False
    )
    return [line.replace(_KEPT, " ") for line in lines]
