"""The calling half, against our own server, gRPC's, and those that mean harm."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import grpc
import pytest

from perdure.transport.client.call import CallFailed
from perdure.transport.client.channel import Channel
from perdure.transport.server import TransportServer
from tests.unit.transport import http2 as h
from tests.unit.transport.talk import Methods

HOST = "127.0.0.1"
MAX = 4 * 1024 * 1024
FOLDER = Path(__file__).parents[3] / "conformance/api/tls"
DEADLINE_S = 30.0

UNKNOWN, DEADLINE, NOT_FOUND, EXHAUSTED = 2, 4, 5, 8
UNIMPLEMENTED, INTERNAL, UNAVAILABLE = 12, 13, 14


class Served:
    """A server that listens, its methods, and our channel to it."""

    def __init__(self, server: TransportServer, methods: Methods, port: int) -> None:
        self.server = server
        self.methods = methods
        self.port = port
        self.channel = Channel(HOST, port, message_bytes_max=MAX)


async def listen(port: int = 0, tls: ssl.SSLContext | None = None) -> Served:
    methods = Methods()
    server = TransportServer(h.options(message_bytes_max=MAX), methods.route)
    return Served(server, methods, await server.listen(HOST, port, tls))


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    opened = await listen()
    yield opened
    await opened.channel.close()
    await opened.server.stop(1.0)


@asynccontextmanager
async def ends_with(code: int, text: str = "") -> AsyncIterator[list[CallFailed]]:
    caught: list[CallFailed] = []
    with pytest.raises(CallFailed) as raised:
        yield caught
    caught.append(raised.value)
    assert raised.value.code == code, raised.value
    assert text in raised.value.text


@asynccontextmanager
async def raw(answer: Callable[[bytes], bytes]) -> AsyncIterator[Channel]:
    """A server that answers what it reads with whatever bytes a test likes."""
    spoken: list[asyncio.Task[None]] = []

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        spoken.append(asyncio.current_task())  # type: ignore[arg-type]  # a test runs in a task
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                writer.write(answer(data))
        writer.close()

    server = await asyncio.start_server(speak, HOST, 0)
    channel = Channel(HOST, server.sockets[0].getsockname()[1])
    try:
        yield channel
    finally:
        await channel.close()
        await asyncio.gather(*spoken)
        server.close()


# ---- calls


@pytest.mark.parametrize("size", [0, 1, 16_379, 16_380, 65_535, 1_000_000, MAX])
async def test_messages_of_every_size_both_ways(served: Served, size: int) -> None:
    data = bytes(range(256)) * (size // 256) + bytes(size % 256)
    assert await served.channel.unary("/t/Echo", data) == data


async def test_large_messages_at_once(served: Served) -> None:
    texts = [bytes((number,)) * MAX for number in range(12)]
    answers = await asyncio.gather(*(served.channel.unary("/t/Echo", text) for text in texts))
    assert answers == texts


async def test_many_calls_share_one_connection(served: Served) -> None:
    sent = [str(number).encode() for number in range(1_000)]
    waiting = [asyncio.create_task(served.channel.unary("/t/Hold", each)) for each in sent]
    await served.methods.until("begun", 1_000)
    assert len({call.peer() for call in served.methods.calls}) == 1
    served.methods.release.set()
    assert await asyncio.gather(*waiting) == sent


async def test_a_failure_has_its_code_its_text_and_its_metadata(served: Served) -> None:
    async with ends_with(NOT_FOUND, "not 100% here") as caught:
        await served.channel.unary("/t/Abort", b"")
    assert ("end-bin", b"\xff") in caught[0].metadata


async def test_metadata_goes_with_every_call() -> None:
    opened = await listen()
    channel = Channel(HOST, opened.port, metadata=(("dapr-api-token", "secret"),))
    await channel.unary("/t/Echo", b"", metadata=(("traceparent", "00-1"), ("some-bin", b"\x00")))
    seen = opened.methods.calls[0].invocation_metadata()
    assert {("dapr-api-token", "secret"), ("traceparent", "00-1"), ("some-bin", b"\0")} <= {*seen}
    await channel.close()
    await opened.server.stop(1.0)


async def test_an_answer_that_is_too_large_is_refused_and_the_connection_stays() -> None:
    opened = await listen()
    channel = Channel(HOST, opened.port, message_bytes_max=100_000)
    async with ends_with(EXHAUSTED, "larger than max"):
        await channel.unary("/t/Large", b"100001")
    assert await channel.unary("/t/Echo", b"abc") == b"abc"
    assert len({call.peer() for call in opened.methods.calls}) == 1
    await channel.close()
    await opened.server.stop(1.0)


# ---- time


async def test_a_call_that_takes_too_long_fails_and_is_given_up(served: Served) -> None:
    async with ends_with(DEADLINE):
        await served.channel.unary("/t/Hold", b"", timeout_s=0.05)
    await served.methods.until("cancelled", 1)


@pytest.mark.parametrize(
    ("timeout_s", "told"), [(0.0302, b"31m"), (0.03, b"30m"), (0.000_01, b"1m")]
)
async def test_a_server_is_told_no_less_time_than_there_is(timeout_s: float, told: bytes) -> None:
    # Dapr's sidecar resets a call when its time is up: before ours is, that was a failure.
    heard = bytearray()

    def listens(data: bytes) -> bytes:
        heard.extend(data)
        return h.settings() if data.startswith(b"PRI") else b""

    async with raw(listens) as channel:
        await channel._connected()  # noqa: SLF001 - or all of the time would go by before a word
        async with ends_with(DEADLINE):
            await channel.unary("/t/Echo", b"", timeout_s=timeout_s)
    # A literal: its name, the length of its value, and that.
    assert b"grpc-timeout" + bytes((len(told),)) + told in heard


async def test_a_call_whose_caller_goes_away_is_given_up(served: Served) -> None:
    waiting = asyncio.create_task(served.channel.unary("/t/Hold", b""))
    await served.methods.until("begun", 1)
    waiting.cancel()
    await served.methods.until("cancelled", 1)


# ---- streams


async def test_a_stream_gives_its_messages_in_order(served: Served) -> None:
    stream = served.channel.stream("/t/Stream", b"300 20000")
    assert [each[0] async for each in stream] == [number % 256 for number in range(300)]


async def test_a_stream_is_read_no_faster_than_it_is_asked_for(served: Served) -> None:
    channel = Channel(HOST, served.port, message_bytes_max=100_000)
    stream = channel.stream("/t/Stream", b"1000 100000")
    assert len(await anext(stream)) == 100_000
    # What lies between is what the windows allow, not the whole of it.
    assert served.methods.begun < 100
    await stream.aclose()
    await served.methods.until("closed", 1)
    await channel.close()


async def test_a_stream_that_is_left_is_given_up_on_the_other_side(served: Served) -> None:
    stream = served.channel.stream("/t/Stream", b"1000000 10")
    assert len(await anext(stream)) == 10
    await stream.aclose()
    await served.methods.until("closed", 1)


# ---- connections


async def test_nobody_listens() -> None:
    opened = await listen()
    await opened.server.stop(0.0)
    async with ends_with(UNAVAILABLE, f"no connection to {HOST}:{opened.port}"):
        await opened.channel.unary("/t/Echo", b"")
    await opened.channel.close()


async def test_the_time_of_a_call_is_up_although_it_has_not_connected() -> None:
    """A server that takes connections and says nothing: the handshake of TLS never ends."""
    with socket.create_server((HOST, 0)) as silent:
        port = silent.getsockname()[1]
        channel = Channel(HOST, port, tls=ssl.create_default_context())
        async with ends_with(DEADLINE, "no answer within 0.05 s"):
            await channel.unary("/t/Echo", b"", timeout_s=0.05)
        await channel.close()


async def test_it_connects_again_when_the_server_is_back() -> None:
    first = await listen()
    channel = first.channel
    waiting = asyncio.create_task(channel.unary("/t/Hold", b""))
    await first.methods.until("begun", 1)
    await first.server.stop(0.0)
    async with ends_with(UNAVAILABLE):
        await waiting
    async with ends_with(UNAVAILABLE):
        await channel.unary("/t/Echo", b"")
    second = await listen(first.port)
    assert await channel.unary("/t/Echo", b"again") == b"again"
    await channel.close()
    await second.server.stop(1.0)


async def test_a_server_that_leaves_ends_the_calls_it_has(served: Served) -> None:
    waiting = asyncio.create_task(served.channel.unary("/t/Hold", b"kept"))
    await served.methods.until("begun", 1)
    stopping = asyncio.create_task(served.server.stop(DEADLINE_S))
    await asyncio.sleep(0)
    served.methods.release.set()
    assert await waiting == b"kept"
    await stopping


async def test_a_closed_channel_makes_no_calls(served: Served) -> None:
    await served.channel.close()
    async with ends_with(UNAVAILABLE, "closed"):
        await served.channel.unary("/t/Echo", b"")


async def test_tls() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(FOLDER / "server.pem", FOLDER / "server.key.pem")
    context.set_alpn_protocols(["h2"])
    opened = await listen(tls=context)
    mine = ssl.create_default_context(cafile=str(FOLDER / "authority.pem"))
    mine.set_alpn_protocols(["h2"])
    channel = Channel("localhost", opened.port, tls=mine)
    assert await channel.unary("/t/Echo", bytes(MAX)) == bytes(MAX)
    await channel.close()
    await opened.server.stop(1.0)


# ---- gRPC's own server


async def test_the_released_server_answers_calls_and_streams() -> None:
    async def echo(data: bytes, context: Any) -> bytes:
        await context.send_initial_metadata((("begin", "1"),))
        return data

    async def stream(data: bytes, _context: Any) -> AsyncIterator[bytes]:
        for _ in range(100):
            yield data

    async def refuse(_data: bytes, context: Any) -> bytes:
        await context.abort(grpc.StatusCode.NOT_FOUND, "nicht hier: \u00e4")
        return b""

    server = grpc.aio.server()
    handlers: dict[str, Any] = {
        "Echo": grpc.unary_unary_rpc_method_handler(echo),
        "Stream": grpc.unary_stream_rpc_method_handler(stream),
        "Refuse": grpc.unary_unary_rpc_method_handler(refuse),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("t", handlers),))
    port = server.add_insecure_port(f"{HOST}:0")
    await server.start()
    channel = Channel(HOST, port)
    assert await channel.unary("/t/Echo", bytes(3_000_000)) == bytes(3_000_000)
    assert [each async for each in channel.stream("/t/Stream", b"x" * 50_000)] == [
        b"x" * 50_000
    ] * 100
    async with ends_with(NOT_FOUND, "nicht hier: \u00e4"):
        await channel.unary("/t/Refuse", b"")
    async with ends_with(UNIMPLEMENTED):
        await channel.unary("/t/Nothing", b"")
    await channel.close()
    await server.stop(None)


# ---- those that mean harm


async def test_a_server_of_something_else() -> None:
    async with (
        raw(lambda _: b"HTTP/1.1 400 Bad Request\r\n\r\n") as channel,
        ends_with(INTERNAL, "the server broke the protocol"),
    ):
        await channel.unary("/t/Echo", b"", timeout_s=DEADLINE_S)


@pytest.mark.parametrize(
    "harm",
    [
        h.frame(h.DATA, 0, 1, bytes(16_385)),
        h.frame(h.CONTINUATION, h.END_HEADERS, 1, b""),
        h.frame(h.HEADERS, h.END_HEADERS, 1, b"\xff\xff\xff\xff\xff\xff"),
        h.frame(h.SETTINGS, 0, 0, b"12345"),
        h.frame(h.WINDOW, 0, 0, b"\x7f\xff\xff\xff"),
    ],
)
async def test_a_broken_frame_ends_the_calls_with_a_word(harm: bytes) -> None:
    async with (
        raw(lambda _: h.settings() + harm) as channel,
        ends_with(INTERNAL, "the server broke the protocol"),
    ):
        await channel.unary("/t/Echo", b"", timeout_s=DEADLINE_S)


@pytest.mark.parametrize(
    ("status", "code"), [(b"404", UNIMPLEMENTED), (b"503", UNAVAILABLE), (b"200", UNKNOWN)]
)
async def test_an_answer_of_plain_http_is_a_failure(status: bytes, code: int) -> None:
    length = bytes((len(status),))
    block = b"\x08" + length + status + b"\x0f\x10\x09text/html"
    answer = h.settings() + h.frame(h.HEADERS, h.END_HEADERS, 1, block)
    async with (
        raw(lambda data: answer if b"/t/Echo" in data else b"") as channel,
        ends_with(code, "does not speak gRPC"),
    ):
        await channel.unary("/t/Echo", b"", timeout_s=DEADLINE_S)


async def test_a_reset_call_fails() -> None:
    answer = h.settings() + h.frame(h.RST, 0, 1, b"\0\0\0\x07")
    async with (
        raw(lambda data: answer if b"/t/Echo" in data else b"") as channel,
        ends_with(UNAVAILABLE, "reset"),
    ):
        await channel.unary("/t/Echo", b"", timeout_s=DEADLINE_S)


async def test_an_answer_without_a_status_is_a_failure() -> None:
    answer = h.settings() + h.frame(h.DATA, h.END_STREAM, 1, b"\0\0\0\0\0")
    async with (
        raw(lambda data: answer if b"/t/Echo" in data else b"") as channel,
        ends_with(INTERNAL, "without a status"),
    ):
        await channel.unary("/t/Echo", b"", timeout_s=DEADLINE_S)
