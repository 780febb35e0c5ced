"""A whole server in this process, on ports that the system chose, and who calls it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import grpc
import httpx

from perdure.app.config import load
from perdure.app.server import Server
from perdure.app.stopping import Stopping
from tests.conformance.api.grpc_worker import Worker
from tests.conformance.wire import released

HOST = "127.0.0.1"
DEADLINE_S = 30.0
Unary: TypeAlias = "grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]"


@dataclass(slots=True)
class Running:
    """A server that has started."""

    server: Server
    stopping: Stopping
    http: httpx.AsyncClient
    channel: grpc.aio.Channel
    metadata: tuple[tuple[str, str], ...] = field(default=())

    async def hub(self, method: str, request: Any, reply: Any = None, metadata: Any = ()) -> Any:
        """Call a method of TaskHubSidecarService."""
        unary: Unary = self.channel.unary_unary(f"/TaskHubSidecarService/{method}")
        answer = await unary(
            request.SerializeToString(), timeout=DEADLINE_S, metadata=(*self.metadata, *metadata)
        )
        return answer if reply is None else reply.FromString(answer)

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[Worker]:
        """Connect a worker that does what the test tells it."""
        caller: Any = self
        connected = Worker(caller, b"", self.metadata, released.dapr())
        await connected.connected()
        try:
            yield connected
        finally:
            connected.stream.cancel()

    def of(self, door: str) -> httpx.AsyncClient:
        """A client of another HTTP port than the API's."""
        return client(self.server.port_of(door))

    async def page(self) -> str:
        """What a scrape gets."""
        answer = await self.http.get("/metrics")
        assert answer.status_code == httpx.codes.OK, answer
        return answer.text


def client(port: int, headers: Mapping[str, str] | None = None) -> httpx.AsyncClient:
    """An HTTP client that no proxy of this machine comes between."""
    return httpx.AsyncClient(
        base_url=f"http://{HOST}:{port}", headers=headers, trust_env=False, timeout=DEADLINE_S
    )


@asynccontextmanager
async def running(
    folder: Path,
    environ: Mapping[str, str] | None = None,
    flags: Mapping[str, object] | None = None,
) -> AsyncIterator[Running]:
    """Start a server on the store in `folder`, and stop it."""
    environ = environ or {}
    ports = {"dapr_http_port": 0, "dapr_grpc_port": 0}
    config = load({**ports, "store": str(folder / "store.db"), **(flags or {})}, environ)
    stopping = Stopping()
    server = Server(config, stopping)
    token = environ.get("DAPR_API_TOKEN")
    metadata = (("dapr-api-token", token),) if token else ()
    async with asyncio.timeout(DEADLINE_S):
        await server.start()
    try:
        async with (
            client(server.port_of("http"), dict(metadata)) as http,
            grpc.aio.insecure_channel(f"{HOST}:{server.grpc_port}") as channel,
        ):
            yield Running(server, stopping, http, channel, metadata)
    finally:
        async with asyncio.timeout(DEADLINE_S):
            await server.stop()
