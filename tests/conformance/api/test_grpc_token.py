"""The API token over gRPC, and TLS: who is let in, and what the others are told."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2

from perdure.api.grpc.settings import GrpcSettings, TlsFiles
from perdure.base.errors import ConfigurationError
from tests.conformance.api.grpc_door import DEADLINE_S, HOST, Door, Unary, open_door
from tests.conformance.api.grpc_worker import Streamed, worker
from tests.conformance.wire import released

Code = grpc.StatusCode
TOKEN = "s3cret"
KEY = "dapr-api-token"
MISSING = "missing api token in request metadata"
MISMATCH = "authentication error: api token mismatch"
FOLDER = Path(__file__).parent / "tls"
SERVER = TlsFiles(FOLDER / "server.pem", FOLDER / "server.key.pem")
MUTUAL = TlsFiles(FOLDER / "server.pem", FOLDER / "server.key.pem", FOLDER / "authority.pem")


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with open_door(token=TOKEN) as opened:
        yield opened


# ---- the token


def reason_of(error: grpc.aio.AioRpcError) -> str:
    """What the ErrorInfo among the details says."""
    assert error.code() is Code.UNAUTHENTICATED
    assert error.details() == "Unauthorized"
    trailing: Any = dict(error.trailing_metadata() or ())
    status = released.runtime().Status.FromString(trailing["grpc-status-details-bin"])
    assert status.code == 16
    assert status.details[0].type_url == "type.googleapis.com/google.rpc.ErrorInfo"
    info = released.runtime().ErrorInfo.FromString(status.details[0].value)
    return str(info.metadata["reason"])


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ((), MISSING),
        (((KEY, ""),), MISSING),
        (((KEY, "wrong"),), MISMATCH),
        (((KEY, TOKEN + "x"),), MISMATCH),
        (((KEY, TOKEN[:-1]),), MISMATCH),
        ((("authorization", TOKEN),), MISSING),
    ],
)
@pytest.mark.parametrize(
    "path",
    [
        "/TaskHubSidecarService/Hello",
        "/TaskHubSidecarService/StartInstance",
        "/TaskHubSidecarService/CompleteActivityTask",
        "/dapr.proto.runtime.v1.Dapr/GetMetadata",
        "/dapr.proto.runtime.v1.Dapr/StartWorkflowBeta1",
        "/Unknown/Method",
    ],
)
async def test_who_has_no_token_is_turned_away(
    door: Door, path: str, metadata: Any, reason: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await door.call(path, b"", metadata=metadata)
    assert reason_of(caught.value) == reason


@pytest.mark.parametrize("service", ["v1", "v1alpha"])
async def test_streams_need_the_token_too(door: Door, service: str) -> None:
    work: Streamed = door.channel.unary_stream("/TaskHubSidecarService/GetWorkItems")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await anext(aiter(work(b"", timeout=DEADLINE_S)))
    assert reason_of(caught.value) == MISSING
    path = f"/grpc.reflection.{service}.ServerReflection/ServerReflectionInfo"
    # As a call with one request, which looks the same: a client that is turned away while it
    # still writes reports that and not why.
    reflection: Streamed = door.channel.unary_stream(path)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await anext(aiter(reflection(b"", timeout=DEADLINE_S)))
    assert reason_of(caught.value) == MISSING


async def test_who_has_the_token_is_let_in(door: Door) -> None:
    metadata = ((KEY, TOKEN),)
    assert await door.hub("Hello", b"", metadata=metadata) == b""
    async with worker(door, metadata=metadata):
        reply = released.runtime().GetMetadataResponse
        assert (await door.dapr("GetMetadata", b"", reply, metadata)).id == "app"


async def test_health_needs_no_token(door: Door) -> None:
    reply = health_pb2.HealthCheckResponse
    answer = await door.call("/grpc.health.v1.Health/Check", b"", reply)
    assert answer.status == reply.SERVING


def test_the_token_is_not_shown() -> None:
    settings = GrpcSettings(hosts=(HOST,), token=TOKEN, tls=None)
    assert TOKEN not in repr(settings)


# ---- TLS


async def hello(door: Door, credentials: grpc.ChannelCredentials) -> bytes:
    async with grpc.aio.secure_channel(f"localhost:{door.port}", credentials) as channel:
        method: Unary = channel.unary_unary("/TaskHubSidecarService/Hello")
        return bytes(await method(b"", timeout=DEADLINE_S))


def authority() -> bytes:
    return (FOLDER / "authority.pem").read_bytes()


async def test_tls() -> None:
    async with open_door(tls=SERVER) as door:
        assert await hello(door, grpc.ssl_channel_credentials(authority())) == b""
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await door.hub("Hello", b"")  # in plain text
        assert caught.value.code() is Code.UNAVAILABLE


async def test_mutual_tls() -> None:
    key = (FOLDER / "client.key.pem").read_bytes()
    certificate = (FOLDER / "client.pem").read_bytes()
    async with open_door(tls=MUTUAL) as door:
        known = grpc.ssl_channel_credentials(authority(), key, certificate)
        assert await hello(door, known) == b""
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await hello(door, grpc.ssl_channel_credentials(authority()))
        assert caught.value.code() is Code.UNAVAILABLE


@pytest.mark.parametrize(
    ("files", "text"),
    [
        (TlsFiles(FOLDER / "gone.pem", SERVER.key), "gone.pem cannot be read: No such file"),
        (TlsFiles(SERVER.certificate, FOLDER), "private key .*tls cannot be read: Is a directory"),
        (TlsFiles(SERVER.key, SERVER.key), "server.key.pem holds no certificate in PEM form"),
        (TlsFiles(SERVER.certificate, SERVER.certificate), "holds no private key in PEM form"),
        (
            TlsFiles(SERVER.certificate, SERVER.key, SERVER.key),
            "holds no certificate of the clients' authority in PEM form",
        ),
        (
            TlsFiles(SERVER.certificate, FOLDER / "client.key.pem"),
            "client.key.pem is not that of .*server.pem",
        ),
    ],
)
async def test_files_that_cannot_be_used(files: TlsFiles, text: str) -> None:
    with pytest.raises(ConfigurationError, match=text):
        async with open_door(tls=files):
            pytest.fail("the server should not have started")


async def test_files_that_are_damaged(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.pem"
    damaged.write_bytes(authority().replace(b"M", b"!"))
    for files in (
        TlsFiles(damaged, SERVER.key),
        TlsFiles(SERVER.certificate, SERVER.key, damaged),
    ):
        with pytest.raises(ConfigurationError, match=r"damaged.pem .*cannot be used: "):
            async with open_door(tls=files):
                pytest.fail("the server should not have started")
