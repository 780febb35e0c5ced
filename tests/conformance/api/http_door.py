"""A whole server for the tests of the HTTP door: the engine, the door on a socket, a worker."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
from starlette.applications import Starlette
from uvicorn.server import ServerState

from perdure.api.http.app import build_app
from perdure.api.http.serving import BoundedHeads, uvicorn_config
from perdure.api.http.settings import HttpSettings
from perdure.base.observer import NullObserver, Subject
from perdure.components.catalog import EMBEDDED, Catalog
from perdure.components.embedded import EmbeddedComponent
from perdure.components.port import InstanceView, WorkflowComponent
from perdure.core.access import OPEN, Access
from perdure.core.requests import Purge, Refusal, Start, Suspend, Terminate
from perdure.core.status import Status
from perdure.engine.service import Engine
from perdure.engine.settings import EngineSettings
from perdure.engine.work import Profile
from perdure.store.memory.store import MemoryStore
from perdure.wire.generated import work_pb2
from tests.conformance.api.http_scripts import answer

APP_ID = "shop"
ACTIVE = ("PENDING", "RUNNING", "SUSPENDED", "STALLED")
FINISHED = ("COMPLETED", "FAILED", "TERMINATED")
STATES = ACTIVE + FINISHED
SETTINGS = HttpSettings(
    api_token=None,
    allowed_origins=("*",),
    body_bytes_max=1024 * 1024,
    instance_id_bytes_max=64,
    instance_id_extra_characters="",
    retry_after_seconds=2,
)


def type_of(state: str) -> str:
    """Return the workflow type whose instances come into a state."""
    return {"COMPLETED": "Echo", "FAILED": "Fails", "STALLED": "Stalls"}.get(state, "Waits")


class WallClock:
    """The machine's clock; never earlier than it was."""

    def __init__(self) -> None:
        self._latest_us = 0

    def now_us(self) -> int:
        self._latest_us = max(self._latest_us, time.time_ns() // 1_000)
        return self._latest_us


@dataclass
class Process:
    """The process as its doors see it, which remembers what it was asked."""

    app_id: str = APP_ID
    version: str = "1.2.3"
    unready: str | None = None
    workers: int = 0
    extended: dict[str, str] = field(default_factory=dict)
    stops: asyncio.Queue[bool] = field(default_factory=asyncio.Queue)

    def not_ready_because(self) -> str | None:
        return self.unready

    def connected_workers(self) -> int:
        return self.workers

    def extended_metadata(self) -> dict[str, str]:
        return self.extended

    def set_extended_metadata(self, key: str, value: str) -> None:
        self.extended[key] = value

    def request_shutdown(self, *, force: bool) -> None:
        self.stops.put_nowait(force)


class Stalls(NullObserver):
    """Tells when an instance stalls."""

    def __init__(self) -> None:
        self.seen: asyncio.Queue[str] = asyncio.Queue()

    def instance_stalled(
        self, subject: Subject, *, at_us: int, reason: str, description: str
    ) -> None:
        del at_us, reason, description
        self.seen.put_nowait(subject.instance_id)


@dataclass
class Server:
    """A running server and a client that speaks to it."""

    engine: Engine
    component: WorkflowComponent
    process: Process
    stalls: Stalls
    app: Starlette
    base_url: str
    http: httpx.AsyncClient
    custom_status: str | None = None

    async def call(
        self,
        method: str,
        path: str,
        content: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Return the answer to one request; the path goes out as it is written here."""
        target = {"target": path.encode()}
        return await self.http.request(
            method, self.base_url, content=content, headers=headers, extensions=target
        )

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[None]:
        """Have a worker that runs `http_scripts` while inside."""
        stream = self.engine.open_stream(Profile(app_id=APP_ID, worker="test"))
        working = asyncio.ensure_future(self._work(stream.items()))
        try:
            yield
        finally:
            stream.close()
            working.cancel()
            with suppress(asyncio.CancelledError):
                await working

    async def _work(self, items: AsyncIterator[bytes]) -> None:
        async for data in items:
            item = work_pb2.WorkItem.FromString(data)
            if item.HasField("turn"):
                turn = work_pb2.TurnRequest.FromString(item.turn)
                await self.engine.land_turn(answer(turn, item.token, self.custom_status))
            elif item.HasField("activity"):
                await self.engine.complete_activity(_done(item))

    async def bring(self, instance_id: str, state: str, name: str | None = None) -> None:
        """Make an instance and bring it into a state; MISSING makes none."""
        if state != "MISSING":
            name = name or type_of(state)
            started = await self.component.start(
                Start(instance_id=instance_id, name=name, app_id=APP_ID, input='{"a": 1}')
            )
            assert not isinstance(started, Refusal), started
            await _STEPS[state](self, instance_id)

    async def view(self, instance_id: str) -> InstanceView:
        """Return an instance that is there."""
        view = await self.component.get(instance_id)
        assert view is not None, f"{instance_id} is missing"
        return view

    async def reach(self, instance_id: str, *, finished: bool) -> InstanceView:
        """Wait until an instance has started or ended."""
        view = await self.component.wait(instance_id, finished=finished, timeout_us=30_000_000)
        assert view is not None, f"{instance_id} is missing"
        assert view.finished is finished, view
        return view


async def _pending(server: Server, instance_id: str) -> None:
    assert (await server.view(instance_id)).status is Status.PENDING


async def _running(server: Server, instance_id: str) -> None:
    async with server.worker():
        await server.reach(instance_id, finished=False)


async def _ended(server: Server, instance_id: str) -> None:
    async with server.worker():
        await server.reach(instance_id, finished=True)


async def _suspended(server: Server, instance_id: str) -> None:
    await _running(server, instance_id)
    await server.component.suspend(Suspend(instance_id=instance_id))
    assert (await server.view(instance_id)).status is Status.SUSPENDED


async def _terminated(server: Server, instance_id: str) -> None:
    await server.component.terminate(Terminate(instance_id=instance_id, output='"over"'))
    assert (await server.view(instance_id)).status is Status.TERMINATED


async def _stalled(server: Server, instance_id: str) -> None:
    async with server.worker():
        assert await server.stalls.seen.get() == instance_id
    assert (await server.view(instance_id)).status is Status.STALLED


async def _purged(server: Server, instance_id: str) -> None:
    await server.component.purge(Purge(instance_id=instance_id, force=True))
    assert await server.component.get(instance_id) is None


_STEPS: Mapping[str, Callable[[Server, str], Awaitable[None]]] = {
    "PENDING": _pending,
    "RUNNING": _running,
    "COMPLETED": _ended,
    "FAILED": _ended,
    "SUSPENDED": _suspended,
    "TERMINATED": _terminated,
    "STALLED": _stalled,
    "PURGED": _purged,
}


def _done(item: work_pb2.WorkItem) -> bytes:
    task = work_pb2.ActivityRequest.FromString(item.activity)
    done = work_pb2.ActivityAnswer(
        instance_id=task.instance.instance_id, task_id=task.task_id, token=item.token
    )
    done.result.value = '"done"'
    return done.SerializeToString()


@asynccontextmanager
async def serving(
    settings: HttpSettings = SETTINGS,
    wrap: Callable[[WorkflowComponent], WorkflowComponent] = lambda component: component,
    access: Access = OPEN,
) -> AsyncIterator[Server]:
    """Serve on a free port; `wrap` may put something before the engine's component."""
    clock, stalls, process = WallClock(), Stalls(), Process()
    engine = Engine(EngineSettings(app_id=APP_ID), MemoryStore(), clock, stalls)
    await engine.start()
    component = wrap(EmbeddedComponent(engine, clock, stalls))
    app = build_app(settings, Catalog({EMBEDDED: component}, {}, access=access), process)
    # A call may be answered only when the server has waited for something.
    client = httpx.AsyncClient(trust_env=False, timeout=60)
    async with on_socket(app) as base_url, client as http:
        yield Server(engine, component, process, stalls, app, base_url, http)
    await engine.stop()


@asynccontextmanager
async def on_socket(app: Starlette) -> AsyncIterator[str]:
    """Serve an application on a free port of this machine and give its URL."""
    config = uvicorn_config(app, stop_timeout_seconds=1)
    config.load()
    state = ServerState()
    # uvicorn's own loop looks only ten times a second whether it should end.
    server = await asyncio.get_running_loop().create_server(
        lambda: BoundedHeads(config=config, server_state=state, app_state={}),
        "127.0.0.1",
        0,
    )
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for connection in list(state.connections):
            connection.shutdown()
        await asyncio.gather(*state.tasks)


def json_of(response: httpx.Response) -> Any:
    """Return the body of an answer that says that it is JSON."""
    assert response.headers["content-type"] == "application/json", response.headers
    return json.loads(response.content)
