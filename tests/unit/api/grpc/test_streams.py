"""One worker's stream: what is sent, what is not taken, and that it is closed in the end."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from perdure.api.grpc.streams import Outlet, Pings, WorkerStreams

NO_PINGS = Pings(None, 1)


class Items:
    """A stream of a few items that then waits until it is closed."""

    def __init__(self, *items: bytes) -> None:
        self._items = items
        self._closed = asyncio.Event()
        self.closings = 0

    async def items(self) -> AsyncIterator[bytes]:
        for item in self._items:
            yield item
        await self._closed.wait()

    def close(self) -> None:
        self.closings += 1
        self._closed.set()


class Channel:
    """What was sent; it takes `room` messages and then no more."""

    def __init__(self, room: int = 100) -> None:
        self.sent: list[bytes] = []
        self._room = room
        self.changed = asyncio.Event()
        self.accepted = False

    async def accept(self) -> None:
        self.accepted = True

    async def send(self, message: bytes) -> None:
        if len(self.sent) >= self._room:
            await asyncio.get_running_loop().create_future()
        self.sent.append(message)
        self.changed.set()

    async def until(self, count: int) -> None:
        while len(self.sent) < count:
            self.changed.clear()
            await self.changed.wait()


async def test_items_are_sent_until_the_stream_ends() -> None:
    streams, stream, channel = WorkerStreams(), Items(b"1", b"2"), Channel()
    outlet = Outlet(channel.send, 1_000_000)
    serving = asyncio.create_task(streams.serve(stream, outlet, NO_PINGS, channel.accept))
    await channel.until(2)
    assert (channel.accepted, streams.count) == (True, 1)
    stream.close()
    await serving
    assert channel.sent == [b"1", b"2"]
    assert streams.count == 0


async def test_a_worker_that_goes_closes_its_stream() -> None:
    streams, stream, channel = WorkerStreams(), Items(b"1"), Channel()
    outlet = Outlet(channel.send, 1_000_000)
    serving = asyncio.create_task(streams.serve(stream, outlet, NO_PINGS, channel.accept))
    await channel.until(1)
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert stream.closings == 1
    assert streams.count == 0


async def test_a_worker_that_takes_nothing_is_let_go() -> None:
    streams, stream, channel = WorkerStreams(), Items(b"1", b"2", b"3"), Channel(room=1)
    await streams.serve(stream, Outlet(channel.send, 1_000), NO_PINGS, channel.accept)
    assert channel.sent == [b"1"]
    assert stream.closings == 1


async def test_pings_fill_the_silence() -> None:
    streams, stream, channel = WorkerStreams(), Items(b"1"), Channel()
    outlet = Outlet(channel.send, 1_000_000)
    pings = Pings(b"ping", 2_000)
    serving = asyncio.create_task(streams.serve(stream, outlet, pings, channel.accept))
    await channel.until(3)
    stream.close()
    await serving
    assert channel.sent[:3] == [b"1", b"ping", b"ping"]


async def test_a_ping_that_is_not_taken_ends_the_stream() -> None:
    streams, stream, channel = WorkerStreams(), Items(b"1"), Channel(room=1)
    pings = Pings(b"ping", 1_000)
    await streams.serve(stream, Outlet(channel.send, 1_000), pings, channel.accept)
    assert channel.sent == [b"1"]
