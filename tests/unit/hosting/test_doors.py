"""Doors of an engine in a program: the same workflows, by HTTP and gRPC."""

from pathlib import Path

import httpx
import pytest

import perdure
from perdure import Engine
from perdure.transport.client.channel import Channel
from tests.unit.hosting.programs import registry

MINUTE_S = 60.0


async def test_doors_show_the_same_workflows(tmp_path: Path) -> None:
    engine = Engine(tmp_path / "orders.db", registry=registry(), http=0, grpc=0, api_token="t")
    async with (
        engine,
        httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{engine.http_port}",
            headers={"dapr-api-token": "t"},
            trust_env=False,
        ) as client,
    ):
        answer = await client.post("/v1.0/workflows/add_one/a/start", content="1")
        assert answer.status_code == httpx.codes.ACCEPTED
        assert await engine.handle("a").result(MINUTE_S) == 2
        told = (await client.get("/v1.0/workflows/add_one/a")).json()
        assert told["output"] == 2
        assert (await client.get("/v1.0/healthz")).status_code == httpx.codes.NO_CONTENT
        bare = await client.get("/v1.0/workflows/add_one/a", headers={"dapr-api-token": "no"})
        assert bare.status_code == httpx.codes.UNAUTHORIZED
        assert "perdure" in (await client.get("/metrics")).text
        assert engine.grpc_port is not None
        channel = Channel("127.0.0.1", engine.grpc_port, metadata=(("dapr-api-token", "t"),))
        assert await channel.unary("/TaskHubSidecarService/Hello", b"") == b""
        await channel.close()


async def test_one_door_is_one_door(tmp_path: Path) -> None:
    async with Engine(tmp_path / "orders.db", registry=registry(), grpc=0) as engine:
        assert engine.http_port is None
        assert engine.grpc_port
    async with Engine(tmp_path / "orders.db", registry=registry(), http=0) as engine:
        assert engine.grpc_port is None
        port = engine.http_port
        with pytest.raises(perdure.ConfigurationError, match=f"port {port} is in use"):
            await Engine(tmp_path / "other.db", http=port).open()
