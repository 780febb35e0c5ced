"""How a cluster is convinced of who we are: TLS, mutual TLS and an API key, as files say it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from perdure.app.clock import SystemClock
from perdure.app.config import load
from perdure.base.errors import ComponentError, ComponentUnavailable
from perdure.components.temporal.component import TemporalComponent
from tests.conformance.component.test_doors import component_file
from tests.kit.cluster import Cluster

TLS = Path(__file__).resolve().parents[1] / "api" / "tls"
DESCRIBE = "/temporal.api.workflowservice.v1.WorkflowService/DescribeWorkflowExecution"
Seen = dict[str, Any]


@asynccontextmanager
async def guarded(seen: Seen, *, key: str | None = None) -> AsyncIterator[int]:
    """Stand where a cluster would, ask for a certificate, and tell what came."""

    async def describe(_: bytes, context: Any) -> bytes:
        metadata = dict(context.invocation_metadata())
        seen["authorization"] = metadata.get("authorization")
        seen["who"] = [name.decode() for name in context.peer_identities() or ()]
        if key is not None and seen["authorization"] != f"Bearer {key}":
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "who are you?")
        await context.abort(grpc.StatusCode.NOT_FOUND, "workflow not found")
        return b""

    class Everything(grpc.GenericRpcHandler):
        def service(self, details: grpc.HandlerCallDetails) -> Any:
            wanted = details.method == DESCRIBE
            return grpc.unary_unary_rpc_method_handler(describe) if wanted else None

    credentials = grpc.ssl_server_credentials(
        [(_pem("server.key.pem"), _pem("server.pem"))],
        root_certificates=_pem("authority.pem"),
        require_client_auth=key is None,
    )
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Everything(),))
    port = server.add_secure_port("127.0.0.1:0", credentials)
    await server.start()
    try:
        yield port
    finally:
        await server.stop(0)


def _pem(name: str) -> bytes:
    return (TLS / name).read_bytes()


def component(folder: Path, port: int, **metadata: str) -> TemporalComponent:
    """The component that a file with this metadata makes."""
    cluster = Cluster(folder)
    cluster.port = port
    file = component_file(folder, cluster, **metadata)
    [settings] = load({"resources_path": [str(file)], "store": str(folder / "s.db")}, {}).temporal
    return TemporalComponent(settings, SystemClock(), app_id="app")


MUTUAL = {
    "tlsServerCA": str(TLS / "authority.pem"),
    "tlsClientCert": str(TLS / "client.pem"),
    "tlsClientKey": str(TLS / "client.key.pem"),
    "tlsServerName": "localhost",
}


async def test_mutual_tls(tmp_path: Path) -> None:
    seen: Seen = {}
    async with guarded(seen) as port:
        assert await component(tmp_path, port, **MUTUAL).get("a") is None
        assert seen["who"]
        assert seen["authorization"] is None


async def test_pem_may_stand_in_the_file(tmp_path: Path) -> None:
    seen: Seen = {}
    files = {"tlsServerCA": "authority", "tlsClientCert": "client", "tlsClientKey": "client.key"}
    inline = {name: _pem(f"{file}.pem").decode() for name, file in files.items()}
    async with guarded(seen) as port:
        found = component(tmp_path, port, **inline, tlsServerName="localhost")
        assert await found.get("a") is None
        assert seen["who"]


@pytest.mark.parametrize("missing", ["tlsServerCA", "client"])
async def test_without_the_certificates_nobody_gets_in(tmp_path: Path, missing: str) -> None:
    seen: Seen = {}
    given = {name: value for name, value in MUTUAL.items() if missing.lower() not in name.lower()}
    async with guarded(seen) as port:
        with pytest.raises(ComponentUnavailable, match="is away"):
            await component(tmp_path, port, **given).get("a")
    assert not seen


async def test_an_api_key_goes_over_tls(tmp_path: Path) -> None:
    seen: Seen = {}
    trust = {name: MUTUAL[name] for name in ("tlsServerCA", "tlsServerName")}
    async with guarded(seen, key="let me in") as port:
        assert await component(tmp_path, port, apiKey="let me in", **trust).get("a") is None
        assert seen["authorization"] == "Bearer let me in"
        wrong = component(tmp_path, port, apiKey="please", **trust)
        with pytest.raises(ComponentError, match="UNAUTHENTICATED: who are you") as refused:
            await wrong.get("a")
        assert not isinstance(refused.value, ComponentUnavailable)
        assert "please" not in str(refused.value)
