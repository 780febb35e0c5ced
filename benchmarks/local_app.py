"""An application for benchmarks of the engine by itself: generators, and activities in place."""

import asyncio
import threading
import time
from collections.abc import Callable, Generator, Hashable, Sequence
from queue import SimpleQueue

from benchmarks.engine import APP, Clock
from benchmarks.inprocess_app import Load
from perdure.base.observer import fan_out
from perdure.core.actions import Action, Complete, Decision, ScheduleTask
from perdure.core.events import Event, ExecutionStarted, TaskCompleted
from perdure.core.requests import Start
from perdure.core.status import Status
from perdure.engine.local import Errand, LocalApp
from perdure.engine.service import Engine
from perdure.engine.settings import EngineSettings
from perdure.engine.work import Profile
from perdure.store.port import Store

Code = Callable[[str | None], Generator[int, None, str]]


def hello(text: str | None) -> Generator[int, None, str]:
    """Run one activity."""
    yield 1
    return f"hello {text}"


def chain(length: int) -> Code:
    """Return a workflow that runs so many activities, one after the other."""

    def run(text: str | None) -> Generator[int, None, str]:
        for _ in range(length):
            yield 1
        return f"{length} {text}"

    return run


def fanout(width: int) -> Code:
    """Return a workflow that runs so many activities at once."""

    def run(text: str | None) -> Generator[int, None, str]:
        yield width
        return f"{width} {text}"

    return run


class _Run:
    """One workflow's code, and how far it has come."""

    def __init__(self, code: Generator[int, None, str]) -> None:
        self.code = code
        self.awaited = 0
        self.next_id = 0
        self.seen = 0


class LocalApplication:
    """Workflows by name; every activity says hello, in a task of the loop or in a thread."""

    def __init__(self, workflows: dict[str, Code], *, threads: int = 0) -> None:
        self.app: LocalApp
        self._workflows = workflows
        self._runs: dict[Hashable, _Run] = {}
        self._loop = asyncio.get_running_loop()
        self._orders: SimpleQueue[Errand | None] = SimpleQueue()
        self._ended: list[Errand] = []
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(threads)]
        self._tasks: set[asyncio.Task[None]] = set()
        for thread in self._threads:
            thread.start()

    def decide(
        self,
        key: Hashable,
        past_length: int,
        past: Callable[[], Sequence[Event]],
        new: Sequence[Event],
        _propagated: bytes | None,
    ) -> Decision | str:
        run = self._runs.get(key)
        if run is None or run.seen != past_length:
            run = self._let_go_on(None, past())[0] if past_length else None
        run, actions = self._let_go_on(run, new)
        run.seen = past_length + len(new) + len(actions)
        self._runs[key] = run
        return Decision(actions=tuple(actions))

    def _let_go_on(
        self, run: _Run | None, events: Sequence[Event]
    ) -> tuple[_Run, Sequence[Action]]:
        actions: list[Action] = []
        for event in events:
            match event:
                case ExecutionStarted():
                    run = _Run(self._workflows[event.name](event.input))
                    self._advance(run, actions)
                case TaskCompleted():
                    assert run is not None
                    run.awaited -= 1
                    if not run.awaited:
                        self._advance(run, actions)
                case _:
                    pass
        assert run is not None
        return run, actions

    def _advance(self, run: _Run, actions: list[Action]) -> None:
        run.next_id += 1
        try:
            width = run.code.send(None)
        except StopIteration as end:
            actions.append(Complete(id=run.next_id, status=Status.COMPLETED, result=end.value))
            return
        run.awaited = width
        actions.extend(
            ScheduleTask(id=run.next_id + offset, name="hi", input='"x"') for offset in range(width)
        )
        run.next_id += width - 1

    def forget(self, key: Hashable) -> None:
        self._runs.pop(key, None)

    def run(self, errand: Errand) -> None:
        if self._threads:
            self._orders.put(errand)
            return
        task = self._loop.create_task(self._say_hello(errand))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _say_hello(self, errand: Errand) -> None:
        self.app.completed(errand, '"hello x"')

    def _work(self) -> None:
        while (errand := self._orders.get()) is not None:
            first = not self._ended
            self._ended.append(errand)
            if first:
                self._loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        while self._ended:
            self.app.completed(self._ended.pop(), '"hello x"')

    def close(self) -> None:
        for _ in self._threads:
            self._orders.put(None)


async def bare(store: Store, load: Load) -> dict[str, float]:
    """Run a load on an engine that has nothing around it."""
    engine = Engine(EngineSettings(app_id=APP), store, Clock(), fan_out([]))
    await engine.start()
    codes = {"hello": hello, "hello_in_a_thread": hello}
    code = codes.get(load.workflow) or {"chain": chain, "fanout": fanout}[load.workflow](
        load.activities
    )
    in_threads = 8 if load.workflow.endswith("thread") else 0
    work = LocalApplication({"wf": code}, threads=in_threads)
    work.app = engine.attach(Profile(app_id=APP, worker="bench"), work)
    numbers = iter(range(load.count))
    latencies: list[float] = []

    async def client() -> None:
        for number in numbers:
            began = time.perf_counter()
            start = Start(instance_id=f"run-{number}", name="wf", app_id=APP, input='"x"')
            await engine.begin(start)
            await engine.wait(start.instance_id, finished=True, timeout_us=None)
            latencies.append(time.perf_counter() - began)

    cpu, began = time.process_time(), time.perf_counter()
    thread = time.thread_time()
    await asyncio.gather(*(client() for _ in range(load.in_flight)))
    duration_s = time.perf_counter() - began
    cpu_s, thread_s = time.process_time() - cpu, time.thread_time() - thread
    work.app.close()
    work.close()
    await engine.stop()
    store.close()
    latencies.sort()
    return {
        "workflows_per_s": load.count / duration_s,
        "activities_per_s": load.count * load.activities / duration_s,
        "p50_ms": latencies[len(latencies) // 2] * 1e3,
        "cpu_us_per_workflow": cpu_s / load.count * 1e6,
        "loop_cpu_us_per_workflow": thread_s / load.count * 1e6,
    }
