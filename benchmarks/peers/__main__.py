"""`python -m benchmarks.peers`: the same workloads on perdure and on its peers, in one run."""

import argparse
import json
import os
import platform
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any, Final

from benchmarks.peers import report
from benchmarks.peers.chart import chart
from benchmarks.peers.daprd import Daprd
from benchmarks.peers.dbos import Dbos
from benchmarks.peers.engine import Engine, UnavailableError
from benchmarks.peers.measuring import FULL, QUICK, Round, Sizes, measure, tell
from benchmarks.peers.perdure import Perdure
from benchmarks.peers.restate import Restate
from benchmarks.peers.temporal import Temporal

OURS: Final = (Perdure(lean=False), Perdure(lean=True))
ENGINES: Final[dict[str, Engine]] = {
    "perdure": OURS[0],
    "perdure-lean": OURS[1],
    "dbos-sqlite": Dbos(on_postgres=False),
    "dbos-postgres": Dbos(on_postgres=True),
    "restate-granian": Restate("granian"),
    "restate-hypercorn": Restate("hypercorn"),
    "temporal": Temporal(),
    "daprd": Daprd(),
}
ROUNDS: Final = 3
SYNC_SAMPLES: Final = 200
PAGE_BYTES: Final = 4_096
STOPS: Final = (signal.SIGINT, signal.SIGTERM)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("engines", nargs="*", metavar="ENGINE", help=f"of {', '.join(ENGINES)}")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="medians are over so many")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it works")
    parser.add_argument("--seconds", type=float, help="for each workload (default: 3)")
    parser.add_argument("--waiting", type=int, help="instances that wait (default: 1000)")
    parser.add_argument(
        "--waiting-seconds", type=float, help="limit for starting them (default: 6)"
    )
    parser.add_argument("--history", type=int, help="activities of the long one (default: 400)")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="write page, chart and JSON")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.engines if name not in ENGINES]
    if unknown:
        parser.error(f"no engine is called {unknown[0]}; there are {', '.join(ENGINES)}")
    if arguments.rounds < 1:
        parser.error("there must be a round")
    return arguments


def _sizes(arguments: argparse.Namespace) -> Sizes:
    wanted = {
        "seconds": arguments.seconds,
        "waiting": arguments.waiting,
        "waiting_s": arguments.waiting_seconds,
        "history_long": arguments.history,
    }
    told = {name: value for name, value in wanted.items() if value is not None}
    return replace(QUICK if arguments.quick else FULL, **told)


def _installed(names: Sequence[str]) -> tuple[dict[str, Mapping[str, str]], dict[str, str]]:
    """Install what can be had: versions by name, and reasons for the rest."""
    versions: dict[str, Mapping[str, str]] = {}
    missing: dict[str, str] = {}
    for name in names:
        tell(f"installing {ENGINES[name].name}")
        try:
            versions[name] = ENGINES[name].install()
        except UnavailableError as reason:
            missing[ENGINES[name].name] = str(reason)
            tell(f"  left out: {reason}")
    return versions, missing


def _rounds(names: Sequence[str], sizes: Sizes, count: int) -> list[Round]:
    """Run the rounds, interleaved; each begins with another engine."""
    done = []
    for number in range(count):
        first = number % len(names)
        for name in (*names[first:], *names[:first]):
            began = time.monotonic()
            tell(f"round {number + 1} of {count}: {ENGINES[name].name}")
            done.append(measure(ENGINES[name], sizes, count_syncs=number == 0))
            tell(f"  took {time.monotonic() - began:.0f} s")
    return done


def _machine() -> dict[str, Any]:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text("utf-8").splitlines() if cpuinfo.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpus": os.cpu_count(),
        "cpu": models[0] if models else platform.machine(),
        "memory_gib": round(memory / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "fdatasync_ms": round(_fdatasync_ms(), 2),
        "load_before": round(os.getloadavg()[0], 2),
    }


def _fdatasync_ms() -> float:
    """Return the median of what the disk takes for a page: with it, the syncs can be told apart."""
    times = []
    with tempfile.TemporaryFile() as file:
        for _ in range(SYNC_SAMPLES):
            file.write(os.urandom(PAGE_BYTES))
            file.flush()
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - began)
    return statistics.median(times) * 1_000


def _stop(number: int, _frame: FrameType | None) -> None:
    for each in STOPS:  # what ends the processes must not be stopped itself
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt(signal.Signals(number).name)


def main() -> None:
    """Install, run, print, and write the page if one is named."""
    arguments = _arguments()
    for each in STOPS:
        signal.signal(each, _stop)
    names = arguments.engines or list(ENGINES)
    sizes = _sizes(arguments)
    machine = _machine()
    versions, missing = _installed(names)
    if not versions:
        sys.exit("no engine could be installed")
    rounds = _rounds(list(versions), sizes, arguments.rounds)
    whole: dict[str, Any] = {
        "taken": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine,
        "rounds": arguments.rounds,
        "sizes": asdict(sizes),
        "left_out": missing,
        **_told(versions, rounds),
    }
    text = json.dumps(whole, indent=2)
    print(text)
    ours = [engine.name for engine in OURS]
    page = report.figures_section(whole, ours)
    tell(f"\n{page}")
    if arguments.write is not None:
        _write(arguments.write, page, text, chart(whole["medians"], ours))


def _told(versions: Mapping[str, Mapping[str, str]], rounds: Sequence[Round]) -> dict[str, Any]:
    """Return what the report tells of each engine, by its name there."""
    by_engine = {
        ENGINES[name].name: [each for each in rounds if each.engine == ENGINES[name].name]
        for name in versions
    }
    return {
        "versions": {ENGINES[name].name: dict(each) for name, each in versions.items()},
        "medians": {
            name: report.medians([each.figures for each in own]) for name, own in by_engine.items()
        },
        "syncs": {name: own[0].syncs for name, own in by_engine.items()},
        "trouble": [
            {"engine": each.engine, "what": each.trouble} for each in rounds if each.trouble
        ],
        "each_round": [asdict(each) for each in rounds],
    }


def _write(page: Path, figures: str, text: str, picture: str) -> None:
    page.write_text(report.in_page(page.read_text("utf-8"), figures), "utf-8")
    page.with_suffix(".json").write_text(text + "\n", "utf-8")
    page.with_suffix(".svg").write_text(picture, "utf-8")
    tell(f"written: {page}, and the JSON and the chart beside it")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nstopped; everything that was started has ended")
