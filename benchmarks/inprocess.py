"""Workflows in this process: no network, no bytes on the way, only the engine and the store.

`python -m benchmarks.inprocess [WORKLOAD ...]` runs workloads (hello, chain10, fanout100, ...) on a
SQLite file (WAL, synchronous=FULL) and prints one line of JSON for each.
"""

import argparse
import asyncio
import cProfile
import json
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import uvloop

from benchmarks.engine import APP, Clock
from benchmarks.local_app import Code, LocalApplication, chain, fanout, hello
from perdure.base.observer import fan_out
from perdure.core import requests as rq
from perdure.engine.service import Engine
from perdure.engine.settings import EngineSettings
from perdure.engine.work import Profile
from perdure.observability.metrics import Metrics
from perdure.store.memory.store import MemoryStore
from perdure.store.port import Store
from perdure.store.sqlite.store import SqliteStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """So many instances of one workflow, so many of them at a time."""

    code: Code
    count: int
    in_flight: int
    activities: int
    threads: int = 0


WORKLOADS = {
    "hello": Workload(code=hello, count=20_000, in_flight=64, activities=1),
    "hello-256": Workload(code=hello, count=20_000, in_flight=256, activities=1),
    "chain10": Workload(code=chain(10), count=4_000, in_flight=64, activities=10),
    "fanout100": Workload(code=fanout(100), count=300, in_flight=8, activities=100),
    "one-at-a-time": Workload(code=hello, count=1_000, in_flight=1, activities=1),
    "threads": Workload(code=hello, count=10_000, in_flight=64, activities=1, threads=8),
    "chain10-threads": Workload(
        code=chain(10), count=1_500, in_flight=64, activities=10, threads=8
    ),
    "chain1000": Workload(code=chain(1_000), count=1, in_flight=1, activities=1_000),
    "chain5000": Workload(code=chain(5_000), count=1, in_flight=1, activities=5_000),
}


async def run(store: Store, load: Workload, *, metrics: bool) -> dict[str, float]:
    """Run a workload and return its figures."""
    observers = [Metrics(app_id=APP, namespace="default", version="0")] if metrics else []
    engine = Engine(EngineSettings(app_id=APP), store, Clock(), fan_out(observers))
    await engine.start()
    work = LocalApplication({"wf": load.code}, threads=load.threads)
    work.app = engine.attach(Profile(app_id=APP, worker="bench"), work)
    numbers = iter(range(load.count))
    latencies: list[float] = []

    async def client() -> None:
        for number in numbers:
            began = time.perf_counter()
            instance_id = f"run-{number}"
            await engine.begin(
                rq.Start(instance_id=instance_id, name="wf", app_id=APP, input='"x"')
            )
            await engine.wait(instance_id, finished=True, timeout_us=None)
            latencies.append(time.perf_counter() - began)

    cpu, began = time.process_time(), time.perf_counter()
    thread = time.thread_time()
    await asyncio.gather(*(client() for _ in range(load.in_flight)))
    duration_s = time.perf_counter() - began
    cpu_s, thread_s = time.process_time() - cpu, time.thread_time() - thread
    work.app.close()
    work.close()
    await engine.stop()
    latencies.sort()
    return {
        "workflows_per_s": load.count / duration_s,
        "activities_per_s": load.count * load.activities / duration_s,
        "p50_ms": latencies[len(latencies) // 2] * 1e3,
        "p99_ms": latencies[len(latencies) * 99 // 100] * 1e3,
        "cpu_us_per_workflow": cpu_s / load.count * 1e6,
        "loop_cpu_us_per_workflow": thread_s / load.count * 1e6,
        "rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workload", nargs="*", choices=[*WORKLOADS, []], default=["hello"])
    parser.add_argument("--store", choices=("sqlite", "memory"), default="sqlite")
    parser.add_argument("--metrics", action="store_true", help="count as a server does")
    parser.add_argument("--profile", help="where to write what cProfile has seen")
    args = parser.parse_args()
    for name in args.workload:
        with tempfile.TemporaryDirectory() as folder:
            make: dict[str, Callable[[], Store]] = {
                "sqlite": lambda folder=folder: SqliteStore(Path(folder) / "bench.db"),  # type: ignore[misc]
                "memory": MemoryStore,
            }
            store = make[args.store]()
            profiler = cProfile.Profile() if args.profile else None
            if profiler is not None:
                profiler.enable()
            figures = uvloop.run(run(store, WORKLOADS[name], metrics=args.metrics))
            if profiler is not None:
                profiler.disable()
                profiler.dump_stats(args.profile)
            store.close()
        rounded = {key: round(value, 2) for key, value in figures.items()}
        print(json.dumps({"workload": name} | rounded), flush=True)


if __name__ == "__main__":
    main()
