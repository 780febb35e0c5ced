"""gRPC's interoperability cases that apply, by their own names, with gRPC's released client.

What does not apply: everything about authentication of Google's, load balancing and caching; and
compression of answers, which no method asks for.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from perdure.transport.call import Call, Method
from perdure.transport.options import Options
from perdure.transport.server import TransportServer

OPTIONS = Options(
    message_bytes_max=4_000_000,
    header_bytes_max=50_000,
    patience_s=60.0,
    ping_after_s=60.0,
    ping_timeout_s=60.0,
)
HOST = "127.0.0.1"
DEADLINE_S = 30.0
SERVICE = "/grpc.testing.TestService"
LARGE_REQUEST, LARGE_ANSWER = 271_828, 314_159
REQUESTS = [27_182, 8, 1_828, 45_904]
ANSWERS = [31_415, 9, 2_653, 58_979]
SPECIAL = "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001f608\t\n"
INITIAL, TRAILING = "x-grpc-test-echo-initial", "x-grpc-test-echo-trailing-bin"


async def empty(_data: bytes, _call: Call) -> bytes:
    return b""


async def unary(data: bytes, call: Call) -> bytes:
    """Answers with as many bytes as the first line says, after it has echoed metadata."""
    metadata = dict(call.invocation_metadata())
    if INITIAL in metadata:
        await call.send_initial_metadata([(INITIAL, metadata[INITIAL])])
    size, _, _ = data.partition(b"\n")
    if TRAILING in metadata:
        call.send(bytes(int(size)))
        call.end(0, "", [(TRAILING, metadata[TRAILING])])
    return bytes(int(size))


async def status(data: bytes, call: Call) -> bytes:
    await call.abort(grpc.StatusCode.UNKNOWN, data.decode())


async def aggregate(requests: AsyncIterator[bytes], _call: Call) -> bytes:
    return str(sum([len(data) async for data in requests])).encode()


async def answers(data: bytes, _call: Call) -> AsyncIterator[bytes]:
    for size in data.split():
        yield bytes(int(size))


async def pingpong(requests: AsyncIterator[bytes], _call: Call) -> AsyncIterator[bytes]:
    async for data in requests:
        size, _, _ = data.partition(b"\n")
        yield bytes(int(size))


METHODS: dict[str, Method] = {
    "EmptyCall": grpc.unary_unary_rpc_method_handler(empty),
    "UnaryCall": grpc.unary_unary_rpc_method_handler(unary),
    "Status": grpc.unary_unary_rpc_method_handler(status),
    "StreamingInputCall": grpc.stream_unary_rpc_method_handler(aggregate),
    "StreamingOutputCall": grpc.unary_stream_rpc_method_handler(answers),
    "FullDuplexCall": grpc.stream_stream_rpc_method_handler(pingpong),
}


async def nothing(_data: Any, call: Call) -> bytes:
    await call.abort(grpc.StatusCode.UNIMPLEMENTED, f"there is no {call.path}")


UNKNOWN: Method = grpc.unary_unary_rpc_method_handler(nothing)


def route(call: Call) -> Method:
    service, _, name = call.path.rpartition("/")
    return METHODS.get(name, UNKNOWN) if service == SERVICE else UNKNOWN


@pytest.fixture
async def channel() -> AsyncIterator[Any]:
    server = TransportServer(OPTIONS, route)
    port = await server.listen(HOST, 0, None)
    async with grpc.aio.insecure_channel(f"{HOST}:{port}") as opened:
        yield opened
    await server.stop(1.0)


async def requests(sizes: list[int]) -> AsyncIterator[bytes]:
    for size in sizes:
        yield bytes(size)


async def test_empty_unary(channel: Any) -> None:
    assert await channel.unary_unary(f"{SERVICE}/EmptyCall")(b"", timeout=DEADLINE_S) == b""


async def test_large_unary(channel: Any) -> None:
    request = f"{LARGE_ANSWER}\n".encode().ljust(LARGE_REQUEST)
    answer = await channel.unary_unary(f"{SERVICE}/UnaryCall")(request, timeout=DEADLINE_S)
    assert answer == bytes(LARGE_ANSWER)


async def test_client_compressed_unary(channel: Any) -> None:
    request = f"{LARGE_ANSWER}\n".encode().ljust(LARGE_REQUEST)
    call = channel.unary_unary(f"{SERVICE}/UnaryCall")
    for way in (grpc.Compression.Gzip, grpc.Compression.NoCompression):
        answer = await call(request, timeout=DEADLINE_S, compression=way)
        assert answer == bytes(LARGE_ANSWER)


async def test_client_streaming(channel: Any) -> None:
    call = channel.stream_unary(f"{SERVICE}/StreamingInputCall")
    assert await call(requests(REQUESTS), timeout=DEADLINE_S) == b"74922"


async def test_server_streaming(channel: Any) -> None:
    call = channel.unary_stream(f"{SERVICE}/StreamingOutputCall")
    asked = " ".join(map(str, ANSWERS)).encode()
    assert [len(each) async for each in call(asked, timeout=DEADLINE_S)] == ANSWERS


async def test_ping_pong(channel: Any) -> None:
    call = channel.stream_stream(f"{SERVICE}/FullDuplexCall")(timeout=DEADLINE_S)
    for size, wanted in zip(REQUESTS, ANSWERS, strict=True):
        await call.write(f"{wanted}\n".encode().ljust(size))
        assert len(await call.read()) == wanted
    await call.done_writing()
    assert await call.read() is grpc.aio.EOF
    assert await call.code() is grpc.StatusCode.OK


async def test_empty_stream(channel: Any) -> None:
    call = channel.stream_stream(f"{SERVICE}/FullDuplexCall")(timeout=DEADLINE_S)
    await call.done_writing()
    assert await call.read() is grpc.aio.EOF
    assert await call.code() is grpc.StatusCode.OK


async def test_custom_metadata(channel: Any) -> None:
    metadata = ((INITIAL, "test_initial_metadata_value"), (TRAILING, b"\xab\xab\xab"))
    call = channel.unary_unary(f"{SERVICE}/UnaryCall")(
        b"9\n", metadata=metadata, timeout=DEADLINE_S
    )
    assert await call == bytes(9)
    assert dict(await call.initial_metadata())[INITIAL] == metadata[0][1]
    assert dict(await call.trailing_metadata())[TRAILING] == metadata[1][1]


@pytest.mark.parametrize("text", ["test status message", SPECIAL])
async def test_status_code_and_message_and_special_status_message(channel: Any, text: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await channel.unary_unary(f"{SERVICE}/Status")(text.encode(), timeout=DEADLINE_S)
    assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.UNKNOWN, text)


@pytest.mark.parametrize("path", [f"{SERVICE}/UnimplementedCall", "/grpc.testing.Other/Call"])
async def test_unimplemented_method_and_service(channel: Any, path: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await channel.unary_unary(path)(b"", timeout=DEADLINE_S)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_cancel_after_begin(channel: Any) -> None:
    call = channel.stream_unary(f"{SERVICE}/StreamingInputCall")(timeout=DEADLINE_S)
    await call.wait_for_connection()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert await call.code() is grpc.StatusCode.CANCELLED


async def test_cancel_after_first_response(channel: Any) -> None:
    call = channel.stream_stream(f"{SERVICE}/FullDuplexCall")(timeout=DEADLINE_S)
    await call.write(b"31415\n".ljust(27_182))
    assert len(await call.read()) == ANSWERS[0]
    call.cancel()
    assert await call.code() is grpc.StatusCode.CANCELLED


async def test_timeout_on_sleeping_server(channel: Any) -> None:
    call = channel.stream_stream(f"{SERVICE}/FullDuplexCall")(timeout=0.05)
    with pytest.raises(grpc.aio.AioRpcError):
        await call.read()
    assert await call.code() is grpc.StatusCode.DEADLINE_EXCEEDED
