"""The engine by itself: no network and no SDK, only requests, turns, activities and the store.

`python -m benchmarks.engine [COUNT]` runs `hello` (start, one activity, done) through an engine on
a SQLite file (WAL, synchronous=FULL) and prints workflows per second and CPU per workflow. With
`--profile FILE` the run is profiled with cProfile.
"""

import argparse
import asyncio
import cProfile
import json
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import uvloop

from perdure.base.observer import fan_out
from perdure.core import requests as rq
from perdure.engine.service import Engine
from perdure.engine.settings import EngineSettings
from perdure.engine.work import Profile, Stream
from perdure.observability.metrics import Metrics
from perdure.store.memory.store import MemoryStore
from perdure.store.port import Store
from perdure.store.sqlite.store import SqliteStore
from perdure.wire.generated import work_pb2 as pb

APP = "bench"


class Clock:
    """The wall clock."""

    def now_us(self) -> int:
        return time.time_ns() // 1_000


def _turn_answer(request: pb.TurnRequest, token: str) -> bytes:
    answer = pb.TurnAnswer(instance_id=request.instance_id, token=token)
    action = answer.actions.add()
    if not request.past:
        action.id = 1
        action.schedule_task.name = "hi"
        action.schedule_task.input.value = '"x"'
        action.schedule_task.execution_id = b"0b0e42c1-0e29-4b2c-9e1f-6a0a3ff5a9b1"
    else:
        action.id = 2
        action.complete.status = 1
        action.complete.result.value = '"hello x"'
    return answer.SerializeToString()


def _check(task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        task.result()


async def _work(engine: Engine, stream: Stream) -> None:
    tasks: set[asyncio.Task[None]] = set()
    async for data in stream.items():
        item = pb.WorkItem.FromString(data)
        if item.HasField("turn"):
            request = pb.TurnRequest.FromString(item.turn)
            coming = engine.complete_turn(_turn_answer(request, item.token))
        else:
            activity = pb.ActivityRequest.FromString(item.activity)
            answer = pb.ActivityAnswer(
                instance_id=activity.instance.instance_id,
                task_id=activity.task_id,
                token=item.token,
            )
            answer.result.value = '"hello x"'
            coming = engine.complete_activity(answer.SerializeToString())
        task = asyncio.create_task(coming)
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        task.add_done_callback(_check)


async def run(store: Store, count: int, in_flight: int) -> dict[str, float]:
    """Run `count` instances and return the figures."""
    metrics = Metrics(app_id=APP, namespace="default", version="0")
    engine = Engine(EngineSettings(app_id=APP), store, Clock(), fan_out([metrics]))
    await engine.start()
    stream = engine.open_stream(Profile(app_id=APP, worker="bench"))
    worker = asyncio.create_task(_work(engine, stream))
    numbers = iter(range(count))

    async def client() -> None:
        for number in numbers:
            instance_id = f"run-{number}"
            await engine.begin(
                rq.Start(instance_id=instance_id, name="hello", app_id=APP, input='"x"')
            )
            await engine.wait(instance_id, finished=True, timeout_us=None)

    cpu, began = time.process_time(), time.perf_counter()
    thread = time.thread_time()
    await asyncio.gather(*(client() for _ in range(in_flight)))
    duration_s = time.perf_counter() - began
    cpu_s, thread_s = time.process_time() - cpu, time.thread_time() - thread
    stream.close()
    await worker
    await engine.stop()
    return {
        "workflows_per_s": count / duration_s,
        "cpu_us_per_workflow": cpu_s / count * 1e6,
        "loop_cpu_us_per_workflow": thread_s / count * 1e6,
        "rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", nargs="?", type=int, default=5_000)
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--store", choices=("sqlite", "memory"), default="sqlite")
    parser.add_argument("--profile")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        make: dict[str, Callable[[], Store]] = {
            "sqlite": lambda: SqliteStore(Path(folder) / "bench.db"),
            "memory": MemoryStore,
        }
        store = make[args.store]()
        profiler = cProfile.Profile() if args.profile else None
        if profiler is not None:
            profiler.enable()
        figures = uvloop.run(run(store, args.count, args.in_flight))
        if profiler is not None:
            profiler.disable()
            profiler.dump_stats(args.profile)
        store.close()
    print(json.dumps({name: round(value, 1) for name, value in figures.items()}))


if __name__ == "__main__":
    main()
