"""The workloads, each against a fresh `perdure serve` with one kind of worker."""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import Client, Run, at_once, begin, drive
from benchmarks.processes import Usage, usage, worker
from tests.e2e.serving import Server


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the report: the workload's name and its figures by name."""

    workload: str
    figures: dict[str, float]


@dataclass(frozen=True, slots=True)
class Bench:
    """A running server with its worker."""

    server: Server
    server_pid: int
    worker_pid: int

    @property
    def target(self) -> str:
        """Where clients connect."""
        return f"127.0.0.1:{self.server.grpc_port}"


@contextmanager
def bench(folder: Path, kind: str) -> Iterator[Bench]:
    """Start a server on a store of its own, and a worker."""
    server = Server.in_folder(folder, "--log-level", "warn").start()
    try:
        with worker(server, kind) as worker_pid:
            yield Bench(server, server.pid, worker_pid)
    finally:
        server.close()


class Busy:
    """How busy a core each process kept while the load was full, not while it came and went."""

    def __init__(self, place: Bench) -> None:
        """Look at the processes of `place`."""
        self._place = place
        self._notes: list[tuple[float, Usage, Usage]] = []

    def note(self) -> None:
        """Take the figures of this moment."""
        server, sdk = usage(self._place.server_pid), usage(self._place.worker_pid)
        self._notes.append((time.perf_counter(), server, sdk))

    def figures(self) -> dict[str, float]:
        """Return the share of a core between the first note and the last."""
        first, last = self._notes[0], self._notes[-1]
        duration_s = last[0] - first[0]
        return {
            "server_busy_percent": _cpu(first[1], last[1]) / duration_s * 100,
            "worker_busy_percent": _cpu(first[2], last[2]) / duration_s * 100,
        }


def _cpu(before: Usage, after: Usage) -> float:
    return after.cpu_s - before.cpu_s


def _figures(place: Bench, run: Run, before: tuple[Usage, Usage], steps: int) -> dict[str, float]:
    """Return the figures of a run; `steps` is how many activities each instance has."""
    server, sdk = usage(place.server_pid), usage(place.worker_pid)
    count = len(run.latencies_s)
    cuts = statistics.quantiles(run.latencies_s, n=100)
    return {
        "workflows_per_s": count / run.duration_s,
        "activities_per_s": count * steps / run.duration_s,
        "p50_ms": cuts[49] * 1_000,
        "p99_ms": cuts[98] * 1_000,
        "server_cpu_ms_per_workflow": _cpu(before[0], server) / count * 1_000,
        "worker_cpu_ms_per_workflow": _cpu(before[1], sdk) / count * 1_000,
        "server_rss_mib": server.rss_bytes / 2**20,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A workload that runs many instances of one workflow to their end."""

    workflow: str
    value: object
    steps: int
    count: int
    in_flight: int


def _run(name: str, kind: str, shape: Shape) -> Result:
    async def measure(place: Bench) -> dict[str, float]:
        client = Client(place.target)
        warm_up = min(50, shape.count)
        await drive(client, shape.workflow, shape.value, count=warm_up, in_flight=8, prefix="warm")
        before = usage(place.server_pid), usage(place.worker_pid)
        busy = Busy(place)
        run = await drive(
            client,
            shape.workflow,
            shape.value,
            count=shape.count,
            in_flight=shape.in_flight,
            prefix="run",
            full=busy.note,
        )
        await client.close()
        return _figures(place, run, before, shape.steps) | busy.figures()

    with tempfile.TemporaryDirectory() as folder, bench(Path(folder), kind) as place:
        return Result(name, asyncio.run(measure(place)))


def hello(kind: str) -> Result:
    """2,000 instances of one activity, 64 in flight."""
    return _run(
        "hello", kind, Shape(workflow="hello", value="x", steps=1, count=2_000, in_flight=64)
    )


def hello_alone(kind: str) -> Result:
    """200 instances of one activity, one at a time."""
    return _run(
        "hello_alone", kind, Shape(workflow="hello", value="x", steps=1, count=200, in_flight=1)
    )


def chain10(kind: str) -> Result:
    """200 instances of ten activities one after the other, 64 in flight."""
    return _run(
        "chain10", kind, Shape(workflow="chain", value=10, steps=10, count=200, in_flight=64)
    )


def fanout100(kind: str) -> Result:
    """30 instances of a hundred activities at once, 8 in flight."""
    return _run(
        "fanout100", kind, Shape(workflow="fanout", value=100, steps=100, count=30, in_flight=8)
    )


def history(kind: str) -> Result:
    """One instance of 1,000 activities in a row, then one of 5,000: the server's time for each."""

    async def measure(place: Bench) -> dict[str, float]:
        client = Client(place.target)
        figures: dict[str, float] = {}
        await drive(client, "chain", 10, count=5, in_flight=1, prefix="warm")
        for length in (1_000, 5_000):
            before = usage(place.server_pid)
            busy = Busy(place)
            busy.note()
            run = await drive(
                client, "chain", length, count=1, in_flight=1, prefix=f"long-{length}"
            )
            busy.note()
            server = usage(place.server_pid)
            busy_percent = busy.figures()["worker_busy_percent"]
            figures[f"worker_busy_percent_{length}"] = busy_percent
            figures[f"server_cpu_ms_per_activity_{length}"] = _cpu(before, server) / length * 1_000
            figures[f"ms_per_activity_{length}"] = run.duration_s / length * 1_000
        figures["server_cpu_ratio"] = (
            figures["server_cpu_ms_per_activity_5000"] / figures["server_cpu_ms_per_activity_1000"]
        )
        await client.close()
        return figures

    with tempfile.TemporaryDirectory() as folder, bench(Path(folder), kind) as place:
        return Result("history", asyncio.run(measure(place)))


def idle(kind: str) -> Result:
    """100,000 instances that wait for an event: what they cost in memory, and one is woken."""
    count = 100_000

    async def measure(place: Bench) -> dict[str, float]:
        client = Client(place.target)
        empty = usage(place.server_pid)
        await begin(client, "wait", count=count, in_flight=64)
        await client.start("last", "wait", None)
        await _all_wait(place.server, count + 1)
        full = usage(place.server_pid)
        await client.raise_event("idle-0", "go")
        await client.complete("idle-0")
        await client.close()
        return {
            "instances": count,
            "server_rss_mib_empty": empty.rss_bytes / 2**20,
            "server_rss_mib": full.rss_bytes / 2**20,
            "kib_per_instance": (full.rss_bytes - empty.rss_bytes) / count / 1024,
        }

    with tempfile.TemporaryDirectory() as folder, bench(Path(folder), kind) as place:
        return Result("idle", asyncio.run(measure(place)))


def recovery(kind: str) -> Result:
    """10,000 waiting instances, kill -9, and a start: how soon one goes on, how many then do.

    The worker is a new one, so that no SDK's pauses before it connects again are measured.
    """
    count, woken = 10_000, 2_000

    async def fill(server: Server) -> None:
        client = Client(f"127.0.0.1:{server.grpc_port}")
        await begin(client, "wait", count=count, in_flight=64)
        await _all_wait(server, count)
        await client.close()

    async def wake(server: Server) -> float:
        client = Client(f"127.0.0.1:{server.grpc_port}")
        began = time.perf_counter()
        await client.raise_event("idle-0", "go")
        await client.complete("idle-0")
        await client.close()
        return time.perf_counter() - began

    with tempfile.TemporaryDirectory() as folder:
        server = Server.in_folder(Path(folder), "--log-level", "warn").start()
        try:
            with worker(server, kind):
                asyncio.run(fill(server))
            server.kill()
            began = time.perf_counter()
            server.start()
            ready_s = time.perf_counter() - began
            with worker(server, kind) as worker_pid:
                joined_s = time.perf_counter() - began
                turn_s = asyncio.run(wake(server))
                busy = asyncio.run(_wake_many(Bench(server, server.pid, worker_pid), woken))
        finally:
            server.close()
    figures = {
        "instances": count,
        "server_ready_s": ready_s,
        "worker_joined_s": joined_s,
        "event_to_completed_s": turn_s,
        "kill_to_completed_s": joined_s + turn_s,
        **busy,
    }
    return Result("recovery", figures)


async def _wake_many(place: Bench, woken: int) -> dict[str, float]:
    """Wake so many that wait, 64 at a time."""
    client = Client(place.target)
    busy = Busy(place)

    async def one(number: int) -> None:
        await client.raise_event(f"idle-{number}", "go")
        await client.complete(f"idle-{number}")

    began = time.perf_counter()
    await at_once(one, range(1, woken + 1), 64, busy.note)
    duration_s = time.perf_counter() - began
    await client.close()
    return {"woken_per_s": woken / duration_s, **busy.figures()}


async def _all_wait(server: Server, count: int) -> None:
    """Return when every instance has had its first turn."""
    while True:
        text = server.request("GET", "/metrics").text
        lines = [line for line in text.splitlines() if "instances{" in line]
        running = sum(float(line.split()[-1]) for line in lines if 'status="RUNNING"' in line)
        if running >= count:
            return
        await asyncio.sleep(2)


WORKLOADS: dict[str, Callable[[str], Result]] = {
    "hello": hello,
    "hello_alone": hello_alone,
    "chain10": chain10,
    "fanout100": fanout100,
    "history": history,
    "idle": idle,
    "recovery": recovery,
}
