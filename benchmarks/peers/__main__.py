"""`python -m benchmarks.peers`: the same workloads on perdure and on its peers, in one run."""

import argparse
import json
import sys
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from benchmarks.peers import report
from benchmarks.peers.chart import chart
from benchmarks.peers.daprd import Daprd, Store
from benchmarks.peers.dbos import Dbos
from benchmarks.peers.engine import Engine
from benchmarks.peers.measuring import FULL, QUICK, Sizes, tell
from benchmarks.peers.perdure import InProcess, Perdure, Worker
from benchmarks.peers.restate import Restate
from benchmarks.peers.running import end_in_order, installed, machine, run_rounds, told
from benchmarks.peers.temporal import Temporal

OURS: Final[tuple[Engine, ...]] = (*map(Perdure, Worker), InProcess())
ENGINES: Final[dict[str, Engine]] = {
    "perdure": OURS[0],
    "perdure-own": OURS[1],
    "perdure-lean": OURS[2],
    "perdure-in-process": OURS[3],
    "dbos-sqlite": Dbos(on_postgres=False),
    "dbos-postgres": Dbos(on_postgres=True),
    "restate-granian": Restate("granian"),
    "restate-hypercorn": Restate("hypercorn"),
    "temporal": Temporal(),
    "daprd": Daprd(Store.SQLITE),
    "daprd-redis": Daprd(Store.REDIS),
    "daprd-postgres": Daprd(Store.POSTGRES),
}
ROUNDS: Final = 3


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


def main() -> None:
    """Install, run, print, and write the page if one is named."""
    arguments = _arguments()
    end_in_order()
    names = arguments.engines or list(ENGINES)
    sizes = _sizes(arguments)
    measured_on = machine()
    versions, missing = installed({name: ENGINES[name] for name in names})
    if not versions:
        sys.exit("no engine could be installed")
    engines = {name: ENGINES[name] for name in versions}
    rounds = run_rounds(engines, sizes, arguments.rounds)
    whole: dict[str, Any] = {
        "taken": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": measured_on,
        "rounds": arguments.rounds,
        "sizes": asdict(sizes),
        "left_out": missing,
        **told(engines, versions, rounds),
    }
    text = json.dumps(whole, indent=2)
    print(text)
    ours = [engine.name for engine in OURS]
    page = report.figures_section(whole, ours)
    tell(f"\n{page}")
    if arguments.write is not None:
        _write(arguments.write, page, text, chart(whole["medians"], ours))


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
