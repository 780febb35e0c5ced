"""The workloads, run on one engine in one fresh folder; each has a limit in number and in time."""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.peers.busy import Busy
from benchmarks.peers.engine import Engine, Place
from benchmarks.peers.processes import GaveUpError, Processes, Program, cpu_s, memory_bytes
from benchmarks.peers.syncs import TRACER, can_trace, count_in

SYNC_RUNS: Final = 50
WARM_UP_RUNS: Final = 50
WAKE_DEADLINE_S: Final = 45.0
HELLO_IN_FLIGHT: Final = 64
# Fewer where an instance has many steps: what is in flight when the time is up runs to its end.
CHAIN_IN_FLIGHT: Final = 32
FANOUT_IN_FLIGHT: Final = 4
WAKE_IN_FLIGHT: Final = 16
WORKER: Final = "worker"  # how an engine calls the program that does the work, if that is one
CALM_CORES: Final = 0.2
CALM_WINDOW_S: Final = 0.5
CALM_DEADLINE_S: Final = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How long and how much: every part ends when either is reached."""

    seconds: float
    history_short: int
    history_long: int
    waiting: int
    waiting_s: float


FULL: Final = Sizes(seconds=3.0, history_short=100, history_long=400, waiting=1_000, waiting_s=6.0)
QUICK: Final = Sizes(seconds=1.0, history_short=20, history_long=100, waiting=100, waiting_s=2.0)


@dataclass(slots=True)
class Round:
    """What one engine did in one round: its figures by name, and what went wrong."""

    engine: str
    figures: dict[str, float] = field(default_factory=dict)
    syncs: str = ""
    part: str = "launch"
    trouble: str | None = None


def tell(words: str) -> None:
    """Tell how far it is, on standard error."""
    print(words, file=sys.stderr, flush=True)


def measure(
    engine: Engine, sizes: Sizes, *, count_syncs: bool, throughput_alone: bool = False
) -> Round:
    """Run every workload on an engine, once; whatever it starts has ended when this returns.

    With `throughput_alone`, histories, waiting instances and recovery are left out.
    """
    done = Round(engine.name)
    with tempfile.TemporaryDirectory(prefix="peers-") as folder:
        processes = Processes(Path(folder))
        try:
            place = engine.place(Path(folder))
            visit = _Visit(engine, place, processes, sizes, done)
            visit.throughput()
            if not throughput_alone:
                visit.history()
            if count_syncs:
                visit.syncs()
            if not throughput_alone:
                visit.recovery(visit.idle())
        except (GaveUpError, OSError) as fault:
            tell(f"  {engine.name}: {done.part}: {fault}")
            # The report names the trouble; the end of a log is for whoever runs it.
            done.trouble = f"{done.part}: {str(fault).partition(chr(10))[0]}"
        finally:
            processes.kill()
    return done


class _Visit:
    """One engine in one round."""

    def __init__(
        self, engine: Engine, place: Place, processes: Processes, sizes: Sizes, done: Round
    ) -> None:
        self._engine = engine
        self._place = place
        self._processes = processes
        self._sizes = sizes
        self._done = done
        self._load = self._launched()

    def _launched(self) -> Program:
        """Launch; the load is there before, unless it is the engine."""
        if self._engine.embedded:
            self._place.launch(self._processes)
            return self._place.load(self._processes)
        load = self._place.load(self._processes)
        self._place.launch(self._processes)
        return load

    @property
    def _pids(self) -> list[int]:
        return self._processes.tree(without=None if self._engine.embedded else self._load)

    def throughput(self) -> None:
        """Run the workloads that keep it busy, one after the other."""
        self._drive("warm-up", "hello", "x", in_flight=8, seconds=1.0)
        self._done.figures["rest_mib"] = memory_bytes(self._pids) / 2**20
        for part in (self._hello, self._alone, self._chain, self._fanout):
            part()

    def _drive(
        self, prefix: str, workflow: str, value: object, *, in_flight: int, **limits: float
    ) -> tuple[int, float, list[float]]:
        self._done.part = prefix
        order = {"seconds": self._sizes.seconds, "count": 10**9, "first": 0, **limits}
        with self._busy(prefix):
            answer = self._load.order(
                do="run",
                prefix=prefix,
                workflow=workflow,
                value=value,
                expected=value,
                in_flight=in_flight,
                **order,
            )
        latencies: list[float] = answer["latencies_s"]
        return len(latencies), answer["duration_s"], latencies

    @contextmanager
    def _busy(self, part: str) -> Iterator[None]:
        """Note how busy the worker is with a part; nothing if no process is the worker alone."""
        pid = self._processes.pid_of(WORKER)
        if pid is None:
            yield
            return
        with Busy(lambda: cpu_s([pid])) as busy:
            yield
        if busy.percent is not None:
            self._done.figures[f"busy_{part}_percent"] = busy.percent

    def _tell(self, *names: str) -> None:
        figures = ", ".join(f"{name} {self._done.figures[name]:,.2f}" for name in names)
        tell(f"  {self._engine.name}: {figures}")

    def _hello(self) -> None:
        before = cpu_s(self._pids)
        count, duration_s, _ = self._drive("hello", "hello", "x", in_flight=HELLO_IN_FLIGHT)
        self._done.figures["hello_per_s"] = count / duration_s
        self._done.figures["hello_cpu_ms"] = (cpu_s(self._pids) - before) / count * 1_000
        self._tell("hello_per_s", "hello_cpu_ms")

    def _alone(self) -> None:
        _, _, latencies = self._drive("alone", "hello", "x", in_flight=1)
        self._done.figures["alone_p50_ms"] = statistics.median(latencies) * 1_000
        self._tell("alone_p50_ms")

    def _chain(self) -> None:
        count, duration_s, _ = self._drive("chain", "chain", 10, in_flight=CHAIN_IN_FLIGHT)
        self._done.figures["chain10_per_s"] = count * 10 / duration_s
        self._tell("chain10_per_s")

    def _fanout(self) -> None:
        count, duration_s, _ = self._drive("fanout", "fanout", 100, in_flight=FANOUT_IN_FLIGHT)
        self._done.figures["fanout100_per_s"] = count * 100 / duration_s
        self._tell("fanout100_per_s")

    def history(self) -> None:
        """Run one instance of a short history, and one of a long."""
        for name in ("short", "long"):
            length: int = getattr(self._sizes, f"history_{name}")
            _, duration_s, _ = self._drive(f"history-{name}", "chain", length, in_flight=1, count=1)
            self._done.figures[f"history_{name}_ms"] = duration_s / length * 1_000
        self._tell("history_short_ms", "history_long_ms")

    def syncs(self) -> None:
        """Count how often it flushes to disk, launched once more for that."""
        self._done.part = "syncs"
        told = self._place.syncs()
        if not can_trace():
            self._done.syncs = f"{told}; not counted, since strace is missing or not permitted"
            return
        # What is traced is slower; so those that turn out not to sync are not, the second time.
        self._launch_traced("find", lambda name: TRACER)  # noqa: ARG005 - all of them
        syncing = {log.stem for log in self._logs() if count_in([log])}
        self._launch_traced("warm-up", lambda name: TRACER if name in syncing else ())
        before = count_in(self._logs())
        self._drive("syncs", "hello", "x", in_flight=1, count=SYNC_RUNS, seconds=60)
        self._done.figures["syncs_per_hello"] = (count_in(self._logs()) - before) / SYNC_RUNS
        self._done.syncs = told
        self._tell("syncs_per_hello")
        self._processes.kill()
        self._processes.under = lambda name: ()  # noqa: ARG005 - none of them any more

    def _launch_traced(self, prefix: str, under: Callable[[str], Sequence[str]]) -> None:
        """Launch once more, traced by name, and let it become warm."""
        self._processes.kill()
        self._processes.under = under
        self._load = self._launched()
        self._drive(f"syncs-{prefix}", "hello", "x", in_flight=1, count=WARM_UP_RUNS)

    def _logs(self) -> list[Path]:
        return [*self._processes.folder.glob("*.log")]

    def idle(self) -> int:
        """Let instances wait, and return how many do."""
        figures = self._done.figures
        self._done.part = "idle"
        # A fresh process: what the workloads have left free would hide what waiting takes.
        self._processes.kill()
        self._load = self._launched()
        self._drive("warm-up-again", "hello", "x", in_flight=8, count=WARM_UP_RUNS)
        self._done.part = "idle"
        self._calm()
        before = memory_bytes(self._pids)
        answer = self._load.order(
            do="begin",
            prefix="idle",
            first=0,
            count=self._sizes.waiting,
            in_flight=HELLO_IN_FLIGHT,
            seconds=self._sizes.waiting_s,
        )
        waiting = len(answer["latencies_s"])
        self._calm()
        figures["waiting"] = waiting
        figures["idle_kib"] = max(0.0, (memory_bytes(self._pids) - before) / waiting / 1024)
        self._tell("waiting", "idle_kib")
        return waiting

    def recovery(self, waiting: int) -> None:
        """Kill everything, launch again and wake what waits."""
        self._done.part = "recovery"
        self._processes.kill()
        began = time.perf_counter()
        if self._engine.embedded:
            self._load = self._launched()
        else:
            # The load is no part of the engine, so its own start is not counted.
            self._load = self._place.load(self._processes)
            began = time.perf_counter()
            self._place.launch(self._processes)
        self._wake(first=0, count=1)
        self._done.figures["recovered_first_s"] = time.perf_counter() - began
        self._tell("recovered_first_s")
        woken, duration_s = self._wake(first=1, count=waiting - 1)
        self._done.figures["woken_per_s"] = woken / duration_s
        self._tell("woken_per_s")

    def _wake(self, *, first: int, count: int) -> tuple[int, float]:
        with self._busy("woken"):
            answer = self._load.order(
                do="wake",
                prefix="idle",
                first=first,
                count=count,
                in_flight=WAKE_IN_FLIGHT,
                seconds=self._sizes.seconds,
                deadline_s=WAKE_DEADLINE_S,
            )
        return len(answer["latencies_s"]), answer["duration_s"]

    def _calm(self) -> None:
        """Return once the engine has little to do, or after a while."""
        end = time.monotonic() + CALM_DEADLINE_S
        while time.monotonic() < end:
            before = cpu_s(self._pids)
            time.sleep(CALM_WINDOW_S)
            if cpu_s(self._pids) - before < CALM_CORES * CALM_WINDOW_S:
                return
