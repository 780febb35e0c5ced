"""Both doors before a room of triggers with the broker in memory."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import grpc
import httpx

from perdure.api.grpc.server import build_server
from perdure.api.grpc.settings import GrpcSettings
from perdure.api.http.app import build_app
from perdure.app.component_files import Resources, read_resources
from perdure.app.triggering import Room, open_room
from perdure.base.observer import NullObserver
from perdure.components.catalog import EMBEDDED, Catalog
from perdure.components.embedded import EmbeddedComponent
from perdure.engine.service import Engine
from perdure.engine.settings import EngineSettings
from perdure.store.memory.store import MemoryStore
from tests.conformance.api.grpc_door import DEADLINE_S, HOST, Unary
from tests.conformance.api.http_door import APP_ID, SETTINGS, Process, WallClock, on_socket

RESOURCES = """\
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: messages}
spec: {type: pubsub.in-memory, version: v1}
---
apiVersion: perdure.io/v1alpha1
kind: WorkflowTrigger
metadata: {name: orders}
spec:
  source: {pubsub: messages, topic: orders}
  action: start
  workflow: order
  instanceID: data.id
  keep: 1h
  retry: {attempts: 1}
"""


@dataclass(slots=True)
class Config:
    """What of the configuration concerns triggers."""

    resources: Resources
    app_id: str = APP_ID
    instance_id_bytes_max: int = 64
    instance_id_extra_characters: str = ""
    message_bytes_max: int = 1_000_000


@dataclass(slots=True)
class MessageDoor:
    """Open doors: an HTTP client, a gRPC channel, and what stands behind them."""

    http: httpx.AsyncClient
    channel: grpc.aio.Channel
    component: EmbeddedComponent
    room: Room | None

    async def call(
        self,
        method: str,
        path: str,
        content: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Return the answer to one HTTP request."""
        return await self.http.request(method, path, content=content, headers=headers)

    async def dapr(self, method: str, request: Any, metadata: Any = ()) -> bytes:
        """Return the answer of a method of Dapr's service."""
        call: Unary = self.channel.unary_unary(f"/dapr.proto.runtime.v1.Dapr/{method}")
        return await call(request.SerializeToString(), timeout=DEADLINE_S, metadata=metadata)

    async def publish(self, data: str, content_type: str = "application/json") -> None:
        """Publish to the topic `orders`."""
        headers = {"content-type": content_type}
        answer = await self.call("POST", "/v1.0/publish/messages/orders", data, headers)
        assert answer.status_code == 204, answer.text

    async def until(self, met: Callable[[Any], object], path: str = "/v1.0/triggers/orders") -> Any:
        """Ask until the answer is as wanted, and return it."""
        async with asyncio.timeout(DEADLINE_S):
            while not met(found := (await self.call("GET", path)).json()):  # noqa: ASYNC110 - over HTTP
                await asyncio.sleep(0)
        return found


@asynccontextmanager
async def message_door(folder: Path, resources: str = RESOURCES) -> AsyncIterator[MessageDoor]:
    """Open both doors; with no resources there is no room."""
    (folder / "all.yaml").write_text(resources)
    clock, process = WallClock(), Process()
    engine = Engine(EngineSettings(app_id=APP_ID), MemoryStore(), clock, NullObserver())
    await engine.start()
    component = EmbeddedComponent(engine, clock, NullObserver())
    catalog = Catalog({EMBEDDED: component}, {})
    config = Config(read_resources([folder / "all.yaml"], app_id=APP_ID))
    room = open_room(config, catalog, clock)
    if room is not None:
        catalog = replace(catalog, publisher=room.publisher, triggers=room)
        await room.start()
    settings = GrpcSettings(hosts=(HOST,), token=None, tls=None)
    server = build_server(settings, catalog, engine, process)
    port = await server.start(0)
    try:
        async with (
            on_socket(build_app(SETTINGS, catalog, process)) as url,
            httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as http,
            grpc.aio.insecure_channel(f"{HOST}:{port}") as channel,
        ):
            yield MessageDoor(http, channel, component, room)
    finally:
        if room is not None:
            await room.stop()
            await room.close()
        await server.stop(1.0, engine.stop_handing_out)
        await engine.stop()
