"""`python -m benchmarks [WORKLOAD …]`: JSON to a file or standard output, and a table."""

import argparse
import json
import os
import platform
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.processes import DAPR, WORKERS
from benchmarks.workloads import WORKLOADS, Result

FSYNC = "SQLite WAL, synchronous=FULL: every commit is synced to disk before it is acknowledged"


def _machine(kind: str) -> dict[str, object]:
    return {
        "cpus": os.cpu_count(),
        "machine": platform.machine(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "worker": WORKERS[kind],
        "fsync": FSYNC,
    }


def _table(results: list[Result]) -> Table:
    table = Table(title=f"perdure serve, {FSYNC}")
    table.add_column("workload")
    table.add_column("figure")
    table.add_column("value", justify="right")
    for result in results:
        for name, value in result.figures.items():
            table.add_row(result.workload, name, f"{value:,.2f}")
        table.add_section()
    return table


def main() -> None:
    """Run the workloads that are named, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "workloads",
        nargs="*",
        metavar="WORKLOAD",
        help=f"one of {', '.join(WORKLOADS)}; all but history, idle and recovery if none is named, "
        "since these take long",
    )
    parser.add_argument("--json", type=Path, help="write the report there as JSON too")
    parser.add_argument("--worker", choices=WORKERS, default=DAPR, help="who does the work")
    arguments = parser.parse_args()
    names = arguments.workloads or [
        n for n in WORKLOADS if n not in {"history", "idle", "recovery"}
    ]
    unknown = [name for name in names if name not in WORKLOADS]
    if unknown:
        parser.error(f"no workload is called {unknown[0]}; there are {', '.join(WORKLOADS)}")
    results = []
    for name in names:
        print(f"running {name}: {WORKLOADS[name].__doc__}", file=sys.stderr)
        results.append(WORKLOADS[name](arguments.worker))
    figures = {result.workload: result.figures for result in results}
    report = json.dumps({"machine": _machine(arguments.worker), "results": figures}, indent=2)
    print(report)
    if arguments.json is not None:
        arguments.json.write_text(report + "\n", "utf-8")
    Console(stderr=True, width=100).print(_table(results))


if __name__ == "__main__":
    main()
