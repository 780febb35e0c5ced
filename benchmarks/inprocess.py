"""Workflows in this process, as a user writes them: `perdure.Engine` on a SQLite file, fsync on.

`python -m benchmarks.inprocess [WORKLOAD ...]` runs workloads (hello, chain10, fanout100,
one-at-a-time, threads, chain1000, chain5000), each in a process of its own, and prints one line of
JSON for each. `recovery` leaves 10,000 instances waiting and measures how soon one of them goes on
in a new process, `idle` how much memory 100,000 of them take. With `--bare` the engine is measured
by itself, with the smallest application that can be attached to it.
"""

import argparse
import json
import multiprocessing
import resource
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import uvloop

from benchmarks import inprocess_app
from benchmarks.local_app import bare
from perdure.store.sqlite.store import SqliteStore

KINDS = [*inprocess_app.LOADS, "recovery", "idle"]
WAITING = 10_000
IDLE = 100_000


def measure(kind: str, folder: str, *, is_bare: bool) -> dict[str, float]:
    """Measure one workload; to be called in a process of its own."""
    path = Path(folder) / "bench.db"
    match kind:
        case "recovery":
            return {"seconds": uvloop.run(inprocess_app.recover(path))}
        case "leave waiting":
            uvloop.run(inprocess_app.wait(path, WAITING))
            return {}
        case "idle":
            uvloop.run(inprocess_app.wait(path, IDLE))
            return {"rss_mib": _rss_mib()}
        case _ if is_bare:
            with_store = bare(SqliteStore(path), inprocess_app.LOADS[kind])
            return uvloop.run(with_store) | {"rss_mib": _rss_mib()}
        case _:
            figures = uvloop.run(inprocess_app.run(path, inprocess_app.LOADS[kind]))
            return figures | {"rss_mib": _rss_mib()}


def _rss_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workload", nargs="*", choices=[*KINDS, []], default=["hello"])
    parser.add_argument("--bare", action="store_true", help="the engine by itself")
    args = parser.parse_args()
    for name in args.workload:
        with tempfile.TemporaryDirectory() as folder:
            if name == "recovery":
                _apart("leave waiting", folder, is_bare=args.bare)
            figures = _apart(name, folder, is_bare=args.bare)
        print(json.dumps({"workload": name} | {k: round(v, 2) for k, v in figures.items()}))


def _apart(kind: str, folder: str, *, is_bare: bool) -> dict[str, float]:
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=fresh) as pool:
        return pool.submit(measure, kind, folder, is_bare=is_bare).result()


if __name__ == "__main__":
    main()
