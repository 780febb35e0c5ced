"""The components that the suite is about, each with a worker that has the same workflows.

`echoes` returns its input, `fails` raises, `waits` returns what the event `go` brings, `works` runs
the activity `act`, `bears` waits for its child `<id>-child`, which is one that `waits`, and
`counts` goes on as new until its input is 0.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final

from perdure.app.clock import SystemClock
from perdure.components.embedded import EmbeddedComponent
from perdure.components.port import InstanceView, ShownEvent, Started, WorkflowComponent
from perdure.core import requests as rq
from perdure.core.events import (
    ChildCompleted,
    ChildCreated,
    Event,
    EventRaised,
    ExecutionStarted,
    TaskCompleted,
    TaskFailed,
    TaskScheduled,
)
from perdure.core.status import Status
from perdure.engine.service import Engine
from perdure.engine.settings import EngineSettings
from perdure.engine.work import Dialect, Profile
from perdure.store.sqlite.store import SqliteStore
from perdure.wire.generated import work_pb2 as pb
from perdure.wire.json_api.history import event_json
from tests.kit import temporal_workflows
from tests.kit.answers import child, complete, continue_as_new, schedule
from tests.kit.asking import Asking
from tests.kit.cluster import Cluster
from tests.kit.recorder import Recorder
from tests.kit.worker import ActivityItem, TurnItem, Worker

APP: Final = "app"
WAIT_US: Final = 60_000_000
# Instances of all tests of a process are in one Temporal namespace: their ids differ.
_numbers = count(1)


def marks(letter: str) -> str:
    """What the ids of one more test begin with."""
    return f"{letter}{next(_numbers)}"


@dataclass(frozen=True, slots=True)
class Subject(Asking):
    """A component under test."""

    kind: str
    component: WorkflowComponent
    working: Callable[[], AbstractAsyncContextManager[object]]
    mark: str  # what the ids of one test begin with

    def id(self, name: str) -> str:
        """An id that no other test uses."""
        return f"{self.mark}-{name}"

    async def start(self, name: str, workflow: str = "waits", **fields: Any) -> str:
        """Start an instance, which must succeed, and return its id."""
        answer = await self.try_start(name, workflow, **fields)
        assert answer == Started(self.id(name)), answer
        return self.id(name)

    async def try_start(self, name: str, workflow: str, **fields: Any) -> Any:
        """Start an instance as the document form does, and return what came of it."""
        defaults = {"app_id": APP, "replace_finished": False}
        request = rq.Start(instance_id=self.id(name), name=workflow, **{**defaults, **fields})
        return await self.component.start(request)

    async def view(self, instance_id: str) -> InstanceView:
        """What readers see of an instance that must be there."""
        view = await self.component.get(instance_id)
        assert view is not None, instance_id
        return view

    async def finished(self, instance_id: str) -> InstanceView:
        """The instance once it has ended."""
        view = await self.component.wait(instance_id, finished=True, timeout_us=WAIT_US)
        assert view is not None, instance_id
        assert view.finished, view
        return view

    async def started(self, instance_id: str) -> InstanceView:
        """The instance once a worker has taken it."""
        view = await self.component.wait(instance_id, finished=False, timeout_us=WAIT_US)
        assert view is not None, instance_id
        assert view.status is not Status.PENDING, view
        return view

    async def events(self, instance_id: str, limit: int = 1_000) -> list[dict[str, Any]]:
        """The whole history, page by page, as an answer shows it."""
        found: list[dict[str, Any]] = []
        after: int | None = 0
        while after is not None:
            page = await self.component.history(instance_id, after_seq=after, limit=limit)
            assert page is not None, instance_id
            assert len(page.events) <= limit
            found += [
                dict(event.members) if isinstance(event, ShownEvent) else event_json(event, seq)
                for seq, event in enumerate(page.events, page.first_seq)
            ]
            after = page.next_after
        return found


@asynccontextmanager
async def embedded(folder: Path) -> AsyncIterator[Subject]:
    """The engine of this process on a SQLite file."""
    store, clock, recorder = SqliteStore(folder / "store.db"), SystemClock(), Recorder()
    engine = Engine(EngineSettings(app_id=APP), store, clock, recorder)
    await engine.start()

    @asynccontextmanager
    async def working() -> AsyncIterator[Worker]:
        profile = Profile(app_id=APP, worker="a worker", dialect=Dialect.DAPR)
        worker = Worker(engine, profile)
        serving = asyncio.create_task(_serve(worker))
        try:
            yield worker
        finally:
            serving.cancel()
            worker.leave()

    try:
        component = EmbeddedComponent(engine, clock, recorder)
        yield Subject("embedded", component, working, marks("e"))
    finally:
        await engine.stop()
        store.close()


@asynccontextmanager
async def temporal(cluster: Cluster) -> AsyncIterator[Subject]:
    """A namespace of a Temporal development server, with a task queue of the test's own."""
    mark = marks("t")
    component = cluster.component(task_queue=mark)

    def working() -> AbstractAsyncContextManager[object]:
        return temporal_workflows.working(cluster.hostport, mark)

    await component.open()
    try:
        yield Subject("temporal", component, working, mark)
    finally:
        await component.close()


async def _serve(worker: Worker) -> None:
    while True:
        match await worker.take():
            case TurnItem() as item:
                await worker.decide(item, *_turn(item))
            case ActivityItem(input='"no"') as item:
                await worker.finish(item, failure="no luck")
            case ActivityItem() as item:
                await worker.finish(item, item.input)


def _turn(item: TurnItem) -> Iterable[pb.Action]:
    events: tuple[Event, ...] = (*item.known, *item.new)
    started = next(event for event in events if isinstance(event, ExecutionStarted))
    return _CODE[started.name](started, events)


def _echoes(started: ExecutionStarted, _: tuple[Event, ...]) -> Iterable[pb.Action]:
    return [complete(1, started.input)]


def _fails(_: ExecutionStarted, __: tuple[Event, ...]) -> Iterable[pb.Action]:
    return [complete(1, status=Status.FAILED, failure="no luck")]


def _waits(_: ExecutionStarted, events: tuple[Event, ...]) -> Iterable[pb.Action]:
    told = [e for e in events if isinstance(e, EventRaised) and e.name == "go"]
    return [complete(1, told[0].input)] if told else []


def _works(started: ExecutionStarted, events: tuple[Event, ...]) -> Iterable[pb.Action]:
    for event in events:
        match event:
            case TaskCompleted():
                return [complete(2, event.result)]
            case TaskFailed():
                return [complete(2, status=Status.FAILED, failure="no luck")]
            case _:
                continue
    if any(isinstance(event, TaskScheduled) for event in events):
        return []
    return [schedule(1, "act", started.input)]


def _bears(started: ExecutionStarted, events: tuple[Event, ...]) -> Iterable[pb.Action]:
    done = [event for event in events if isinstance(event, ChildCompleted)]
    if done:
        return [complete(2, done[0].result)]
    if any(isinstance(event, ChildCreated) for event in events):
        return []
    return [child(1, f"{started.instance_id}-child", "waits")]


def _counts(started: ExecutionStarted, _: tuple[Event, ...]) -> Iterable[pb.Action]:
    left = int(started.input or "0")
    return [continue_as_new(1, str(left - 1))] if left else [complete(1, "0")]


_CODE: Final = {
    "echoes": _echoes,
    "fails": _fails,
    "waits": _waits,
    "works": _works,
    "bears": _bears,
    "counts": _counts,
}
