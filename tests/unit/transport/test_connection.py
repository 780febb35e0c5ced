"""A connection over a transport in memory: what it does by itself, and when it is left."""

import asyncio
from typing import Any

import pytest

from perdure.transport.connection import Connection
from perdure.transport.frames import Code
from tests.unit.transport import http2 as h
from tests.unit.transport.talk import Methods


class Negotiated:
    """What TLS has agreed on."""

    def __init__(self, protocol: str | None) -> None:
        self._protocol = protocol

    def selected_alpn_protocol(self) -> str | None:
        return self._protocol


class Pipe(asyncio.Transport):
    """A socket whose other end takes everything, or nothing once it is `stuck`."""

    def __init__(self, protocol: Connection, **extra: Any) -> None:
        super().__init__({"peername": ("::1", 5, 0, 0)} | extra)
        self._protocol = protocol
        self.sent: list[bytes] = []
        self.held: list[bytes] = []
        self._held_bytes = 0
        self.stuck = False
        self.aborted = False
        self.gone = asyncio.Event()
        self.wrote = asyncio.Event()

    def write(self, data: Any) -> None:
        assert not self.gone.is_set()
        (self.held if self.stuck else self.sent).append(bytes(data))
        self._held_bytes += len(data) if self.stuck else 0
        self.wrote.set()
        if self.get_write_buffer_size() > 65_536:
            self._protocol.pause_writing()

    def get_write_buffer_size(self) -> int:
        return self._held_bytes

    def is_closing(self) -> bool:
        return self.gone.is_set()

    def close(self) -> None:
        if not self.gone.is_set():
            self.gone.set()
            asyncio.get_running_loop().call_soon(self._protocol.connection_lost, None)

    def abort(self) -> None:
        self.aborted = True
        self.close()

    def flow(self) -> None:
        """The other end takes everything again."""
        self.stuck = False
        self.sent += self.held
        self.held.clear()
        self._held_bytes = 0
        self._protocol.resume_writing()

    def heard(self) -> list[h.Received]:
        """What has been sent since."""
        data = b"".join(self.sent)
        self.sent.clear()
        return h.received(data)


class Place:
    """One connection, and who knows of it."""

    def __init__(self, extra: dict[str, Any], **options: Any) -> None:
        self.told: list[str] = []
        self.methods = Methods()
        self.connection = Connection(h.options(**options), self.methods.route, self)
        self.pipe = Pipe(self.connection, **extra)
        self.connection.connection_made(self.pipe)

    def opened(self, connection: Connection) -> None:
        assert connection is not None
        self.told.append("opened")

    def closing(self, connection: Connection) -> None:
        assert connection is self.connection
        self.told.append("closing")

    def closed(self, connection: Connection) -> None:
        assert connection is self.connection
        self.told.append("closed")

    async def ask(self, *data: bytes) -> list[h.Received]:
        for piece in data:
            self.connection.data_received(piece)
        for _ in range(30):
            await asyncio.sleep(0)
        return self.pipe.heard()

    async def until_gone(self) -> list[h.Received]:
        async with asyncio.timeout(20):
            await self.pipe.gone.wait()
        return await self.ask()


def place(extra: dict[str, Any] | None = None, **options: Any) -> Place:
    return Place(extra or {}, **options)


async def test_a_turn_is_one_write() -> None:
    served = place()
    served.connection.data_received(h.GREETING + h.call(1) + h.call(3))
    for _ in range(10):
        await asyncio.sleep(0)
    assert len(served.pipe.sent) == 2, "the greeting, and both answers"
    told = served.pipe.heard()
    assert (h.status(told, 1), h.status(told, 3)) == ((0, ""), (0, ""))
    assert served.methods.calls[0].peer() == "ipv6:[::1]:5"


async def test_the_life_of_a_connection() -> None:
    served = place()
    await served.ask(h.GREETING, h.call(1, b"/t/Hold"))
    served.pipe.close()
    await served.ask()
    assert served.told == ["opened", "closed"]
    assert served.methods.cancelled == 1
    served.methods.release.set()
    assert await served.ask() == []


async def test_what_comes_after_the_end_is_not_read() -> None:
    served = place()
    told = await served.ask(b"GET / HTTP/1.1\r\n\r\n")
    assert (told[-1].kind, told[-1].code) == (h.GOAWAY, Code.PROTOCOL_ERROR)
    assert await served.ask(h.GREETING + h.call(1)) == []
    assert served.told == ["opened", "closing", "closed"]


# ---- those who do not come to the point


@pytest.mark.parametrize(
    "pieces",
    [
        [],
        [h.PREFACE[:10]],
        [h.PREFACE],
        [h.GREETING, h.frame(h.HEADERS, 0, 1, b"a")],
        [h.GREETING, h.frame(h.HEADERS, 0, 1, b"a"), h.frame(h.CONTINUATION, 0, 1, b"a")],
    ],
)
async def test_whoever_does_not_go_on_is_left(pieces: list[bytes]) -> None:
    served = place(patience_s=0.02)
    await served.ask(*pieces)
    told = await served.until_gone()
    assert told[-1].code == Code.SETTINGS_TIMEOUT


async def test_whoever_has_greeted_may_be_quiet() -> None:
    served = place(patience_s=0.02, ping_after_s=0.1)
    await served.ask(h.GREETING)
    served.pipe.wrote.clear()
    async with asyncio.timeout(20):
        await served.pipe.wrote.wait()
    in_pieces = h.frame(h.HEADERS, 0, 1, h.block()), h.frame(h.CONTINUATION, 4, 1)
    (ping,) = await served.ask(*in_pieces)
    assert (ping.kind, ping.flags) == (h.PING, 0), "pinged, long after the patience had ended"
    assert not served.pipe.gone.is_set()


async def test_whoever_does_not_answer_a_ping_is_left() -> None:
    served = place(ping_after_s=0.02, ping_timeout_s=0.02)
    told = await served.ask(h.GREETING, h.call(1, b"/t/Hold"))
    told += await served.until_gone()
    # However late the server itself was: nobody is left who was not asked.
    assert [found.kind for found in told].count(h.PING) == 1
    assert served.pipe.aborted
    assert served.methods.cancelled == 1


async def test_whoever_answers_pings_stays() -> None:
    served = place(ping_after_s=0.05, ping_timeout_s=0.5)
    await served.ask(h.GREETING)
    for _ in range(2):
        served.pipe.wrote.clear()
        async with asyncio.timeout(20):
            await served.pipe.wrote.wait()
        await served.ask(h.frame(h.PING, h.ACK, 0, b"perdure?"))
    assert not served.pipe.gone.is_set()


# ---- those who do not read


@pytest.mark.parametrize("piece", [h.frame(h.PING, 0, 0, bytes(8)), h.call(1, data=None)])
async def test_whoever_asks_and_does_not_read_is_left(piece: bytes) -> None:
    served = place()
    await served.ask(h.GREETING)
    served.pipe.stuck = True
    for number in range(1, 4_000_000, 4_000):
        if piece[3] == h.PING:
            served.connection.data_received(piece * 4_000)
        else:
            calls = (h.call(number + at, data=None) for at in range(0, 4_000, 2))
            served.connection.data_received(b"".join(calls))
        await asyncio.sleep(0)
        if served.pipe.gone.is_set():
            break
    assert served.pipe.aborted
    assert served.pipe.get_write_buffer_size() < 9_000_000


async def test_messages_wait_for_a_socket_that_is_full() -> None:
    served = place()
    await served.ask(h.PREFACE + h.settings((4, 2**31 - 1)) + h.widen(0, 2**31 - 1 - 65_535))
    served.pipe.stuck = True
    await served.ask(h.call(1, b"/t/Stream", b"1000 10000"))
    assert served.methods.begun < 20
    assert served.pipe.get_write_buffer_size() < 150_000
    served.pipe.flow()
    told = await served.ask()
    async with asyncio.timeout(20):
        while h.status(told, 1) is None:
            told += await served.ask()
    assert sum(len(found.payload) for found in told if found.kind == h.DATA) == 10_005_000


# ---- TLS


@pytest.mark.parametrize("protocol", [None, "http/1.1"])
async def test_tls_without_h2_is_refused(protocol: str | None) -> None:
    served = place({"ssl_object": Negotiated(protocol)})
    told = await served.ask(h.GREETING + h.call(1))
    assert told[-1].code == Code.INADEQUATE_SECURITY
    assert served.told == ["opened", "closing", "closed"]
    assert served.methods.calls == []


async def test_tls_with_h2_is_served() -> None:
    served = place({"ssl_object": Negotiated("h2"), "peername": None})
    assert h.status(await served.ask(h.GREETING + h.call(1)), 1) == (0, "")
    assert served.methods.calls[0].peer() == "unknown"
