"""The gRPC door on a real port, over the real engine and the memory store; and who calls it."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import grpc
import pytest

from perdure.api.grpc.server import GrpcServer, build_server
from perdure.api.grpc.settings import GrpcSettings
from perdure.base.observer import NullObserver
from perdure.components.catalog import Catalog
from perdure.components.embedded import EmbeddedComponent
from perdure.core.access import OPEN, Access
from perdure.engine.service import Engine
from perdure.engine.settings import EngineSettings
from perdure.store.memory.store import MemoryStore
from perdure.store.port import Store
from tests.conformance.wire import released

HOST: Final = "127.0.0.1"
APP_ID: Final = "app"
DEADLINE_S: Final = 20.0

Metadata = Sequence[tuple[str, str | bytes]]
Unary: TypeAlias = "grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]"


class WallClock:
    """The wall clock, which never goes back."""

    def __init__(self) -> None:
        self._last_us = 0

    def now_us(self) -> int:
        self._last_us = max(self._last_us, time.time_ns() // 1_000)
        return self._last_us


class Watcher(NullObserver):
    """Counts the workers that came and went, and tells whoever waits for that."""

    def __init__(self) -> None:
        self.connected = 0
        self.disconnected = 0
        self._changed = asyncio.Event()

    def worker_connected(self, worker: str, *, app_id: str, dialect: str) -> None:
        del worker, app_id, dialect
        self.connected += 1
        self._changed.set()

    def worker_disconnected(self, worker: str, *, app_id: str, outstanding: int) -> None:
        del worker, app_id, outstanding
        self.disconnected += 1
        self._changed.set()

    async def until_gone(self, count: int) -> None:
        """Return when so many workers have gone."""
        async with asyncio.timeout(DEADLINE_S):
            while self.disconnected < count:
                self._changed.clear()
                await self._changed.wait()


@dataclass(slots=True)
class LocalRuntime:
    """The running server, as far as it is one in a test."""

    engine: Engine
    app_id: str = APP_ID
    version: str = "0.0.0-test"
    not_ready: str | None = None
    shutdowns: list[bool] = field(default_factory=list)
    extended: dict[str, str] = field(default_factory=dict)

    def not_ready_because(self) -> str | None:
        return self.not_ready

    def connected_workers(self) -> int:
        return self.engine.figures()["streams"]

    def extended_metadata(self) -> dict[str, str]:
        return dict(self.extended)

    def set_extended_metadata(self, key: str, value: str) -> None:
        self.extended[key] = value

    def request_shutdown(self, *, force: bool) -> None:
        self.shutdowns.append(force)


@dataclass(slots=True)
class Door:
    """An open door: its parts, and a channel to it."""

    server: GrpcServer
    engine: Engine
    component: EmbeddedComponent
    runtime: LocalRuntime
    watcher: Watcher
    port: int
    channel: grpc.aio.Channel

    async def call(
        self, path: str, request: Any, reply: Any = None, metadata: Metadata = ()
    ) -> Any:
        """Call a unary method; what it answers, parsed if `reply` is a message."""
        data = request if isinstance(request, bytes) else request.SerializeToString()
        method: Unary = self.channel.unary_unary(path)
        answer = await method(data, timeout=DEADLINE_S, metadata=tuple(metadata))
        assert isinstance(answer, bytes)
        return answer if reply is None else reply.FromString(answer)

    async def hub(
        self, method: str, request: Any, reply: Any = None, metadata: Metadata = ()
    ) -> Any:
        """Call a method of TaskHubSidecarService."""
        return await self.call(f"/TaskHubSidecarService/{method}", request, reply, metadata)

    async def dapr(
        self, method: str, request: Any, reply: Any = None, metadata: Metadata = ()
    ) -> Any:
        """Call a method of Dapr's own service."""
        path = f"/dapr.proto.runtime.v1.Dapr/{method}"
        return await self.call(path, request, reply, metadata)

    async def start(self, instance_id: str, name: str = "flow", **fields: Any) -> str:
        """Start an instance as a TaskHub client does."""
        family = released.dapr()
        request = family.CreateInstanceRequest(instanceId=instance_id, name=name, **fields)
        reply = await self.hub("StartInstance", request, family.CreateInstanceResponse)
        return str(reply.instanceId)

    async def state(self, instance_id: str, *, payloads: bool = True) -> Any:
        """What GetInstance answers."""
        return await self._ask("GetInstance", instance_id, payloads=payloads)

    async def finished(self, instance_id: str, *, payloads: bool = True) -> Any:
        """What WaitForInstanceCompletion answers."""
        return await self._ask("WaitForInstanceCompletion", instance_id, payloads=payloads)

    async def started(self, instance_id: str, *, payloads: bool = False) -> Any:
        """What WaitForInstanceStart answers."""
        return await self._ask("WaitForInstanceStart", instance_id, payloads=payloads)

    async def _ask(self, method: str, instance_id: str, *, payloads: bool) -> Any:
        family = released.dapr()
        request = family.GetInstanceRequest(instanceId=instance_id, getInputsAndOutputs=payloads)
        return await self.hub(method, request, family.GetInstanceResponse)


@asynccontextmanager
async def open_door(
    store: Store | None = None, access: Access = OPEN, **settings: Any
) -> AsyncIterator[Door]:
    """Open a door with these settings, and close it again."""
    chosen = GrpcSettings(**({"hosts": (HOST,), "token": None, "tls": None} | settings))
    bytes_max = chosen.message_bytes_max
    clock, observer = WallClock(), Watcher()
    engine_settings = EngineSettings(app_id=APP_ID, message_bytes_max=bytes_max)
    engine = Engine(engine_settings, store or MemoryStore(), clock, observer)
    component = EmbeddedComponent(engine, clock, observer)
    runtime = LocalRuntime(engine)
    catalog = Catalog({component.name: component}, {}, access=access)
    server = build_server(chosen, catalog, engine, runtime)
    await engine.start()
    try:
        port = await server.start(0)
        async with grpc.aio.insecure_channel(f"{HOST}:{port}") as channel:
            yield Door(server, engine, component, runtime, observer, port, channel)
    finally:
        await server.stop(1.0, engine.stop_handing_out)
        await engine.stop()


@asynccontextmanager
async def refused(code: grpc.StatusCode, *texts: str) -> AsyncIterator[None]:
    """Expect a call to end with this status, and every text among its details."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        yield
    details = caught.value.details() or ""
    assert caught.value.code() is code, f"{caught.value.code()}: {details}"
    for text in texts:
        assert text in details, details
