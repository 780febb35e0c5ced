"""A connection knows whether its cluster answers, whatever the answer is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest

from perdure.app.clock import SystemClock
from perdure.base.errors import ComponentError, ComponentUnavailable
from perdure.components.temporal.component import TemporalComponent
from perdure.components.temporal.connection import Connection
from perdure.components.temporal.settings import TemporalSettings
from tests.kit.brokers.process import HOST
from tests.kit.cluster import Cluster


def connection(settings: TemporalSettings) -> Connection:
    return Connection(settings, SystemClock())


@asynccontextmanager
async def answering(port: int, code: grpc.StatusCode) -> AsyncIterator[None]:
    """Stand where a cluster would, and say the same of every namespace."""

    async def refuse(_: bytes, context: Any) -> bytes:
        await context.abort(code, "so it is")
        return b""

    class Namespaces(grpc.GenericRpcHandler):
        def service(self, details: grpc.HandlerCallDetails) -> Any:
            wanted = str(details.method).endswith("/DescribeNamespace")
            return grpc.unary_unary_rpc_method_handler(refuse) if wanted else None

    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Namespaces(),))
    assert server.add_insecure_port(f"{HOST}:{port}") == port
    await server.start()
    try:
        yield
    finally:
        await server.stop(0)


@pytest.mark.parametrize(
    "code", [grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.RESOURCE_EXHAUSTED]
)
async def test_a_cluster_that_lets_us_do_nothing_is_not_away(
    tmp_path: Path, code: grpc.StatusCode
) -> None:
    cluster = Cluster(tmp_path)
    found = connection(cluster.settings())
    await found.check()
    assert found.trouble is not None
    async with answering(cluster.port, code):
        await found.check()
        assert found.trouble is None


async def test_an_address_that_is_none_is_a_fault_in_words(tmp_path: Path) -> None:
    settings = replace(Cluster(tmp_path).settings(), hostport="two words:7233")
    found = connection(settings)
    await found.check()
    assert found.trouble is not None
    assert "invalid target URL" in found.trouble
    with pytest.raises(ComponentError, match=r"two words:7233.*invalid target URL") as caught:
        await TemporalComponent(settings, SystemClock(), app_id="app").get("a")
    assert not isinstance(caught.value, ComponentUnavailable)
