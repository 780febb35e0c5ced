"""The application of the benchmarks as a user writes it, and what is done with it."""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

from perdure import ActivityContext, Engine, WorkflowContext
from perdure.workflow import gather


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """So many instances of one workflow, so many of them at a time."""

    workflow: str
    count: int
    in_flight: int
    activities: int = 1
    input: object = "x"


LOADS = {
    "hello": Load(workflow="hello", count=10_000, in_flight=64),
    "hello-256": Load(workflow="hello", count=20_000, in_flight=256),
    "chain10": Load(workflow="chain", count=2_000, in_flight=64, activities=10, input=10),
    "fanout100": Load(workflow="fanout", count=200, in_flight=8, activities=100, input=100),
    "one-at-a-time": Load(workflow="hello", count=1_000, in_flight=1),
    "threads": Load(workflow="hello_in_a_thread", count=5_000, in_flight=64),
    "chain1000": Load(workflow="chain", count=1, in_flight=1, activities=1_000, input=1_000),
    "chain5000": Load(workflow="chain", count=1, in_flight=1, activities=5_000, input=5_000),
}


def application(path: Path) -> Engine:  # noqa: C901 - it only registers
    """Return an engine on a file, with everything registered."""
    engine = Engine(path)

    @engine.activity
    async def say_hello(ctx: ActivityContext, name: str) -> str:
        return f"hello {name}"

    @engine.activity
    def say_hello_in_a_thread(ctx: ActivityContext, name: str) -> str:
        return f"hello {name}"

    @engine.workflow
    async def hello(ctx: WorkflowContext, name: str) -> str:
        return await ctx.call_activity(say_hello, name)

    @engine.workflow
    async def hello_in_a_thread(ctx: WorkflowContext, name: str) -> str:
        return await ctx.call_activity(say_hello_in_a_thread, name)

    @engine.workflow
    async def chain(ctx: WorkflowContext, length: int) -> str:
        told = "x"
        for _ in range(length):
            told = await ctx.call_activity(say_hello, "x")
        return told

    @engine.workflow
    async def fanout(ctx: WorkflowContext, width: int) -> int:
        told = await gather(*(ctx.call_activity(say_hello, "x") for _ in range(width)))
        return len(told)

    @engine.workflow
    async def waiting(ctx: WorkflowContext, name: str) -> str:
        return str(await ctx.wait_for_external_event("go"))

    return engine


async def run(path: Path, load: Load) -> dict[str, float]:
    """Run a load on a file and return its figures."""
    latencies: list[float] = []
    async with application(path) as engine:
        numbers = iter(range(load.count))

        async def client() -> None:
            for number in numbers:
                began = time.perf_counter()
                handle = await engine.start(load.workflow, load.input, id=f"run-{number}")
                await handle.result()
                latencies.append(time.perf_counter() - began)

        cpu, began = time.process_time(), time.perf_counter()
        thread = time.thread_time()
        await asyncio.gather(*(client() for _ in range(load.in_flight)))
        duration_s = time.perf_counter() - began
        cpu_s, thread_s = time.process_time() - cpu, time.thread_time() - thread
    latencies.sort()
    return {
        "workflows_per_s": load.count / duration_s,
        "activities_per_s": load.count * load.activities / duration_s,
        "p50_ms": latencies[len(latencies) // 2] * 1e3,
        "p99_ms": latencies[len(latencies) * 99 // 100] * 1e3,
        "cpu_us_per_workflow": cpu_s / load.count * 1e6,
        "loop_cpu_us_per_workflow": thread_s / load.count * 1e6,
    }


async def wait(path: Path, count: int) -> None:
    """Leave so many instances behind that wait for an event."""
    async with application(path) as engine:
        for first in range(0, count, 1_000):
            names = [f"w-{number}" for number in range(first, min(first + 1_000, count))]
            handles = await asyncio.gather(
                *(engine.start("waiting", "x", id=each) for each in names)
            )
            await asyncio.gather(*(handle.wait_for_start() for handle in handles))


async def recover(path: Path) -> float:
    """Return how many seconds it takes to open a file and have an instance of it go on."""
    began = time.perf_counter()
    async with application(path) as engine:
        await engine.raise_event("w-0", "go", "on")
        await engine.handle("w-0").result()
        return time.perf_counter() - began
