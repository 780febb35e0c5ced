"""`perdure prove`: whole lives of a server in simulated time, from one number each."""

import secrets
import sys
import time
from collections.abc import Iterator
from typing import Annotated, Any, Final

import typer

from perdure.cli.exits import ExitCode
from perdure.cli.output import note, show, show_json

_EXAMPLES = """\b
[bold]Examples[/bold]
  perdure prove --seed 42 --hours 1
  perdure prove --seeds 20 --hours 0.2 --json
  perdure prove --nodes 3 --hours 0.1

The real engine runs under a virtual clock, with simulated workers, clients, network and disk. Anything goes wrong for so many simulated hours; then nothing does, and everything must finish. The promises are checked after every step. The same seed gives the same run, byte for byte. The exit code is 1 if a promise was broken.
"""  # noqa: E501 - a paragraph of help is one line

_SEEDS_MAX: Final = 1_000_000
_HOURS_MAX: Final = 1_000.0
_NODES_MAX: Final = 16
_SEED_BITS: Final = 32
_PROGRESS_S: Final = 5.0


def prove(
    *,
    seed: Annotated[
        int | None, typer.Option(help="The number that a run follows from. Drawn if not given.")
    ] = None,
    hours: Annotated[
        float,
        typer.Option(min=0.001, max=_HOURS_MAX, help="Simulated hours in which all goes wrong."),
    ] = 1.0,
    seeds: Annotated[
        int, typer.Option(min=1, max=_SEEDS_MAX, help="How many seeds to run, one after another.")
    ] = 1,
    store: Annotated[str, typer.Option(help="What to run on: memory or sqlite.")] = "memory",
    nodes: Annotated[
        int, typer.Option(min=1, max=_NODES_MAX, help="How many servers share the store.")
    ] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Write the results as JSON.")] = False,
) -> None:
    """Run simulated servers through everything that can go wrong, and check the promises."""
    _check(store, nodes)
    first = secrets.randbits(_SEED_BITS) if seed is None else seed
    reports: list[dict[str, Any]] = []
    interrupted = False
    for report, was_cut_off in _runs(range(first, first + seeds), hours, store, nodes):
        interrupted = was_cut_off
        reports.append(report.data())
        if not as_json:
            show("\n".join(report.lines()))
    broken = sum(len(report["violations"]) for report in reports)
    if as_json:
        show_json({"violations": broken, "interrupted": interrupted, "runs": reports})
    elif len(reports) > 1:
        show(f"{len(reports)} seeds, {broken} violations")
    if broken:
        raise typer.Exit(ExitCode.FAILED)
    if interrupted:
        raise typer.Exit(ExitCode.INTERRUPTED)


def _check(store: str, nodes: int) -> None:
    from perdure.app.prove import ProofStore

    if store not in set(ProofStore):
        raise typer.BadParameter(f"'{store}' is no store: memory or sqlite", param_hint="--store")
    if nodes > 1 and store != ProofStore.MEMORY:
        raise typer.BadParameter("several servers are proved in memory", param_hint="--nodes")


def _runs(seeds: range, hours: float, store: str, nodes: int) -> Iterator[tuple[Any, bool]]:
    """Yield the report of each seed, and whether it was cut off by Ctrl-C, after which is none."""
    from perdure.app.prove import ProofStore, simulation

    for seed in seeds:
        with simulation(seed, hours, ProofStore(store), nodes) as made:
            made.on_progress = _Progress(f"seed {seed}").tell
            try:
                note(f"seed {seed}, {hours:g} simulated hours")
                report = made.run()
            except KeyboardInterrupt:
                yield made.report(), True
                return
        yield report, False


class _Progress:
    """Tells a person from time to time how far a long run is."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._told = time.monotonic()

    def tell(self, simulated_hours: float) -> None:
        if sys.stderr.isatty() and time.monotonic() - self._told > _PROGRESS_S:
            self._told = time.monotonic()
            note(f"{self._name}: {simulated_hours:.2f} simulated hours")


def add_to(app: typer.Typer) -> None:
    """Make `prove` known to the program."""
    app.command("prove", epilog=_EXAMPLES, rich_help_panel="Run")(prove)
