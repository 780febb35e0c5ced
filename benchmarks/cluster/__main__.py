"""`python -m benchmarks.cluster`: one node on Postgres, two, one on SQLite, and DBOS, in one run.

Then nodes are killed, and it is measured how soon their partitions are another's.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from benchmarks.cluster.engines import PerdureOnPostgres
from benchmarks.cluster.killing import killed_often
from benchmarks.peers.dbos import Dbos
from benchmarks.peers.engine import Engine
from benchmarks.peers.measuring import FULL, QUICK, tell
from benchmarks.peers.perdure import Perdure, Worker
from benchmarks.peers.report import COLUMNS, Figures
from benchmarks.peers.running import end_in_order, installed, machine, run_rounds, told

ENGINES: Final[dict[str, Engine]] = {
    "sqlite-lean": Perdure(Worker.LEAN),
    "postgres-lean": PerdureOnPostgres(nodes=1, lean=True),
    "two-nodes-lean": PerdureOnPostgres(nodes=2, lean=True),
    "sqlite-dapr": Perdure(Worker.DAPR),
    "postgres-dapr": PerdureOnPostgres(nodes=1, lean=False),
    "two-nodes-dapr": PerdureOnPostgres(nodes=2, lean=False),
    "dbos-postgres": Dbos(on_postgres=True),
}
ROUNDS: Final = 3
KILLS: Final = 5
SHOWN: Final = 4  # columns: what every engine here is measured in


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cluster", description=__doc__)
    parser.add_argument("engines", nargs="*", metavar="ENGINE", help=f"of {', '.join(ENGINES)}")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="medians are over so many")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it works")
    parser.add_argument("--seconds", type=float, help="for each workload (default: 3)")
    parser.add_argument("--kills", type=int, default=KILLS, help="nodes to kill; 0 for none")
    parser.add_argument("--nodes", type=int, default=2, help="of the cluster that loses them")
    parser.add_argument("--json", type=Path, help="write the report there as JSON too")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.engines if name not in ENGINES]
    if unknown:
        parser.error(f"no engine is called {unknown[0]}; there are {', '.join(ENGINES)}")
    if arguments.rounds < 1:
        parser.error("there must be a round")
    if arguments.kills and arguments.nodes < 2:  # noqa: PLR2004 - one dies, another takes over
        parser.error("a node that is killed needs another to take over")
    return arguments


def _table(medians: Mapping[str, Figures], syncs: Mapping[str, str]) -> str:
    columns = COLUMNS[:SHOWN]
    headings = " | ".join(column.heading for column in columns)
    lines = [
        f"| engine | {headings} | syncs per `hello` | durable by |",
        f"|---|{'---:|' * (len(columns) + 1)}---|",
    ]
    for name, figures in medians.items():
        cells = [
            column.shown(figures[column.figure]) if column.figure in figures else "-"
            for column in columns
        ]
        count = figures.get("syncs_per_hello")
        counted = "-" if count is None else f"{count:.1f}"
        lines.append(f"| {name} | {' | '.join(cells)} | {counted} | {syncs.get(name) or '-'} |")
    return "\n".join(lines)


def main() -> None:
    """Install, run, kill, print."""
    arguments = _arguments()
    end_in_order()
    names = arguments.engines or list(ENGINES)
    sizes = QUICK if arguments.quick else FULL
    if arguments.seconds is not None:
        sizes = replace(sizes, seconds=arguments.seconds)
    measured_on = machine()
    versions, missing = installed({name: ENGINES[name] for name in names})
    if not versions:
        sys.exit("no engine could be installed")
    engines = {name: ENGINES[name] for name in versions}
    rounds = run_rounds(engines, sizes, arguments.rounds, throughput_alone=True)
    figures = told(engines, versions, rounds)
    takeover = killed_often(arguments.kills, arguments.nodes) if arguments.kills else None
    whole: dict[str, Any] = {
        "taken": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": measured_on,
        "rounds": arguments.rounds,
        "sizes": asdict(sizes),
        "left_out": missing,
        **figures,
        "takeover": takeover,
    }
    text = json.dumps(whole, indent=2)
    print(text)
    if arguments.json is not None:
        arguments.json.write_text(text + "\n", "utf-8")
    tell("\n" + _table(figures["medians"], figures["syncs"]))
    if takeover is not None:
        tell(
            f"\n{takeover['kills']} kills in a cluster of {takeover['nodes']}: "
            f"{takeover['partitions']} partitions taken over, "
            f"p50 {takeover['p50_s']:.2f} s, p99 {takeover['p99_s']:.2f} s"
        )


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nstopped; everything that was started has ended")
