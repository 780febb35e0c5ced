"""The server under clients of the released gRPC library."""

import asyncio
import gzip
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from perdure.transport.server import TransportServer
from tests.unit.transport import http2 as h
from tests.unit.transport.talk import Methods

HOST = "127.0.0.1"
DEADLINE_S = 30.0
MAX = 4 * 1024 * 1024
LIMITS = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
FOLDER = Path(__file__).parents[2] / "conformance/api/tls"
Code = grpc.StatusCode


class Served:
    """A server that listens, its methods, and a channel to it."""

    def __init__(self, server: TransportServer, methods: Methods, port: int) -> None:
        self.server = server
        self.methods = methods
        self.port = port
        self.channel = grpc.aio.insecure_channel(f"{HOST}:{port}", options=LIMITS)

    async def call(self, name: str, data: bytes = b"", **more: Any) -> bytes:
        method: Any = self.channel.unary_unary(f"/t/{name}")
        answer = await method(data, **({"timeout": DEADLINE_S} | more))
        assert isinstance(answer, bytes)
        return answer


@asynccontextmanager
async def serving(tls: ssl.SSLContext | None = None, host: str = HOST) -> AsyncIterator[Served]:
    methods = Methods()
    server = TransportServer(h.options(message_bytes_max=MAX), methods.route)
    port = await server.listen(host, 0, tls)
    served = Served(server, methods, port)
    try:
        yield served
    finally:
        await served.channel.close()
        await server.stop(1.0)


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serving() as opened:
        yield opened


@asynccontextmanager
async def ends_with(code: grpc.StatusCode, text: str = "") -> AsyncIterator[None]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        yield
    assert caught.value.code() is code
    assert text in (caught.value.details() or "")


# ---- calls


@pytest.mark.parametrize("size", [0, 1, 16_379, 16_380, 65_535, 1_000_000, MAX])
async def test_messages_of_every_size_both_ways(served: Served, size: int) -> None:
    data = bytes(range(256)) * (size // 256) + bytes(size % 256)
    assert await served.call("Echo", data) == data


async def test_large_messages_at_once(served: Served) -> None:
    texts = [bytes((number,)) * MAX for number in range(12)]
    answers = await asyncio.gather(*(served.call("Echo", text) for text in texts))
    assert answers == texts
    assert served.methods.calls[0].inbox.held == 0


async def test_a_message_that_is_too_large(served: Served) -> None:
    async with ends_with(Code.RESOURCE_EXHAUSTED, "larger than max (4194305 vs. 4194304)"):
        await served.call("Echo", bytes(MAX + 1))
    assert await served.call("Echo", b"abc") == b"abc"


@pytest.mark.parametrize("way", [grpc.Compression.Gzip, grpc.Compression.Deflate])
async def test_compressed_messages(served: Served, way: grpc.Compression) -> None:
    assert await served.call("Echo", bytes(100_000), compression=way) == bytes(100_000)
    async with ends_with(Code.RESOURCE_EXHAUSTED, "larger than max"):
        await served.call("Echo", bytes(MAX + 1), compression=way)
    assert len(gzip.compress(bytes(MAX + 1))) < 10_000


async def test_a_thousand_calls_at_once(served: Served) -> None:
    waiting = [
        asyncio.create_task(served.call("Hold", str(number).encode())) for number in range(1_000)
    ]
    await served.methods.until("begun", 1_000)
    assert await served.call("Echo", b"between") == b"between"
    served.methods.release.set()
    assert await asyncio.gather(*waiting) == [str(number).encode() for number in range(1_000)]


async def test_a_stream_of_answers(served: Served) -> None:
    method: Any = served.channel.unary_stream("/t/Stream")
    sizes = [len(message) async for message in method(b"5000 300", timeout=DEADLINE_S)]
    assert sizes == [300] * 5_000


async def test_large_answers_to_a_slow_reader(served: Served) -> None:
    method: Any = served.channel.unary_stream("/t/Stream")
    stream = aiter(method(f"40 {MAX}".encode(), timeout=DEADLINE_S))
    assert len(await anext(stream)) == MAX
    assert served.methods.begun < 40, "the others are not even made yet"
    assert sum([len(message) async for message in stream]) == 39 * MAX


async def test_a_conversation(served: Served) -> None:
    method: Any = served.channel.stream_stream("/t/Chat")
    stream = method(timeout=DEADLINE_S)
    for text in (b"abc", b"", bytes(200_000)):
        await stream.write(text)
        assert await stream.read() == text[::-1]
    await stream.done_writing()
    assert await stream.read() is grpc.aio.EOF
    assert await stream.code() is Code.OK


async def test_a_stream_of_requests(served: Served) -> None:
    served.methods.release.set()
    method: Any = served.channel.stream_unary("/t/Count")
    pieces = [bytes(100_000)] * 200
    assert await method(iter(pieces), timeout=DEADLINE_S) == b"20000000"


async def test_a_call_that_is_cancelled(served: Served) -> None:
    method: Any = served.channel.unary_unary("/t/Hold")
    call = method(b"", timeout=DEADLINE_S)
    waiting = asyncio.ensure_future(call)
    await served.methods.until("begun", 1)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await served.methods.until("cancelled", 1)
    assert await served.call("Echo", b"on") == b"on"
    assert served.methods.cancelled == 1


async def test_a_call_that_is_too_late(served: Served) -> None:
    await served.call("Echo")
    async with ends_with(Code.DEADLINE_EXCEEDED):
        await served.call("Hold", timeout=0.5)
    await served.methods.until("cancelled", 1)
    assert await served.call("Echo", b"on", timeout=10**7) == b"on"


@pytest.mark.parametrize("text", [b"99999999H", b"never", b"1", b"-1S"])
async def test_timeouts_that_are_huge_or_none(served: Served, text: bytes) -> None:
    reader, writer = await asyncio.open_connection(HOST, served.port)
    writer.write(h.GREETING + h.call(1, more=[(b"grpc-timeout", text)]))
    told = b""
    async with asyncio.timeout(DEADLINE_S):
        while b"grpc-status\x010" not in told:
            told += await reader.read(1_000)
    writer.close()


async def test_metadata_and_failures(served: Served) -> None:
    await served.call("Echo", metadata=(("a", "1"), ("a", "2"), ("x-bin", b"\0\xff")))
    found = served.methods.calls[0].invocation_metadata()
    assert [value for key, value in found if key in {"a", "x-bin"}] == ["1", "2", b"\0\xff"]
    async with ends_with(Code.INTERNAL, "the server failed"):
        await served.call("Fail")


async def test_a_client_that_vanishes(served: Served) -> None:
    reader, writer = await asyncio.open_connection(HOST, served.port)
    writer.write(h.GREETING + h.call(1, b"/t/Hold") + h.call(3, b"/t/Stream", b"100000 10000"))
    await served.methods.until("begun", 2)
    assert await reader.read(1)
    writer.transport.abort()
    await served.methods.until("cancelled", 1)
    await served.methods.until("closed", 1)


# ---- addresses


async def test_both_addresses_of_a_name_have_one_port() -> None:
    families = {info[0] for info in socket.getaddrinfo("localhost", 0, type=socket.SOCK_STREAM)}
    assert families
    async with serving(host="localhost") as served:
        for family in families:
            address = "::1" if family is socket.AF_INET6 else HOST
            _, writer = await asyncio.open_connection(address, served.port)
            writer.close()


async def test_a_port_has_one_server(served: Served) -> None:
    second = TransportServer(h.options(), served.methods.route)
    with pytest.raises(OSError, match="address already in use"):
        await second.listen(HOST, served.port, None)
    with pytest.raises(OSError, match="address already in use"):
        await second.listen("0.0.0.0", served.port, None)
    await second.stop(0)


@pytest.mark.parametrize("host", ["no.such.host.invalid", "192.0.2.1"])
async def test_an_address_that_is_not_here(host: str) -> None:
    server = TransportServer(h.options(), Methods().route)
    with pytest.raises(OSError, match=r"address|known|service"):
        await server.listen(host, 0, None)


# ---- the stop


async def stopped_in(server: TransportServer, grace_s: float) -> float:
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    await server.stop(grace_s)
    return loop.time() - began_s


async def test_a_stop_does_not_wait_for_those_who_do_nothing(served: Served) -> None:
    await served.call("Echo")
    _, idle = await asyncio.open_connection(HOST, served.port)
    assert await stopped_in(served.server, DEADLINE_S) < DEADLINE_S / 2
    idle.close()
    async with ends_with(Code.UNAVAILABLE):
        await served.call("Echo")


async def test_a_stop_waits_for_calls(served: Served) -> None:
    call = asyncio.create_task(served.call("Hold", b"abc"))
    await served.methods.until("begun", 1)
    stop = asyncio.create_task(served.server.stop(DEADLINE_S))
    await asyncio.sleep(0)
    served.methods.release.set()
    assert await call == b"abc"
    await stop


async def test_a_stop_does_not_wait_for_ever(served: Served) -> None:
    call = asyncio.create_task(served.call("Hold"))
    await served.methods.until("begun", 1)
    assert await stopped_in(served.server, 0.05) < DEADLINE_S
    async with ends_with(Code.UNAVAILABLE, "the server is stopping"):
        await call
    assert served.methods.cancelled == 1


async def test_a_stop_does_not_wait_for_those_who_do_not_read(served: Served) -> None:
    reader, writer = await asyncio.open_connection(HOST, served.port, limit=1)
    wide = h.PREFACE + h.settings((4, 2**31 - 1)) + h.widen(0, 2**31 - 1 - 65_535)
    writer.write(wide + h.call(1, b"/t/Stream", b"1000 1000000"))
    await served.methods.until("begun", 2)
    assert await stopped_in(served.server, 0.05) < DEADLINE_S / 2
    await served.methods.until("closed", 1)
    writer.close()
    del reader


# ---- TLS


def server_context(*, mutual: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(FOLDER / "server.pem", FOLDER / "server.key.pem")
    context.set_alpn_protocols(["h2"])
    if mutual:
        context.load_verify_locations(FOLDER / "authority.pem")
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def credentials(*, mutual: bool = False) -> grpc.ChannelCredentials:
    key = (FOLDER / "client.key.pem").read_bytes() if mutual else None
    chain = (FOLDER / "client.pem").read_bytes() if mutual else None
    return grpc.ssl_channel_credentials((FOLDER / "authority.pem").read_bytes(), key, chain)


@pytest.mark.parametrize("mutual", [False, True])
async def test_tls(mutual: bool) -> None:
    async with serving(server_context(mutual=mutual)) as served:
        target = f"localhost:{served.port}"
        async with grpc.aio.secure_channel(
            target, credentials(mutual=mutual), options=LIMITS
        ) as channel:
            echo: Any = channel.unary_unary("/t/Echo")
            assert await echo(bytes(MAX), timeout=DEADLINE_S) == bytes(MAX)
            # The client keeps its connection, idle.
            assert await stopped_in(served.server, DEADLINE_S) < DEADLINE_S / 2


async def test_mutual_tls_without_a_certificate() -> None:
    async with serving(server_context(mutual=True)) as served:
        channel = grpc.aio.secure_channel(f"localhost:{served.port}", credentials())
        echo: Any = channel.unary_unary("/t/Echo")
        async with ends_with(Code.UNAVAILABLE):
            await echo(b"", timeout=DEADLINE_S)
        await channel.close()


async def test_tls_without_alpn_is_refused() -> None:
    context = ssl.create_default_context(cafile=FOLDER / "authority.pem")
    async with serving(server_context()) as served:
        reader, writer = await asyncio.open_connection(
            HOST, served.port, ssl=context, server_hostname="localhost"
        )
        writer.write(h.GREETING)
        async with asyncio.timeout(DEADLINE_S):
            told = h.received(await reader.read())
        assert (told[-1].kind, told[-1].code) == (h.GOAWAY, 12)
        writer.close()


async def test_whoever_connects_while_the_server_stops_is_sent_away() -> None:
    context = ssl.create_default_context(cafile=FOLDER / "authority.pem")
    context.set_alpn_protocols(["h2"])
    async with serving(server_context()) as served:
        reader, writer = await asyncio.open_connection(HOST, served.port)
        for _ in range(10):
            await asyncio.sleep(0)  # accepted by now, and not shaken hands with
        served.server.stop_listening()
        await writer.start_tls(context, server_hostname="localhost")
        async with asyncio.timeout(DEADLINE_S):
            told = h.received(await reader.read())
        assert (told[-1].kind, told[-1].code) == (h.GOAWAY, 0)
        writer.close()


async def test_a_stop_does_not_wait_for_a_handshake() -> None:
    async with serving(server_context()) as served:
        reader, writer = await asyncio.open_connection(HOST, served.port)
        assert await stopped_in(served.server, DEADLINE_S) < DEADLINE_S / 2
        writer.close()
        del reader
