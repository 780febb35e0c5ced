"""One worker's stream: what is sent, what is not taken, and that it is closed in the end."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from perdure.api.grpc.streams import Outlet, Pings, WorkerStreams

NO_PINGS = Pings(None, 1)


class Items:
    """A stream of a few items that then waits until it is closed."""

    def __init__(self, *items: bytes) -> None:
        self._items = items
        self._closed = asyncio.Event()
        self.closings = 0
        self.offer: Callable[[bytes], bool] = lambda item: False  # noqa: ARG005 - nobody is there

    async def items(self) -> AsyncIterator[bytes]:
        for item in self._items:
            yield item
        await self._closed.wait()

    def goes_by(self, offer: Callable[[bytes], bool]) -> None:
        self.offer = offer

    def close(self) -> None:
        self.closings += 1
        self._closed.set()


class Channel:
    """What was sent; it takes `room` messages and then no more."""

    def __init__(self, room: int = 100) -> None:
        self.sent: list[bytes] = []
        self._room = room
        self._roomy = asyncio.Event()
        self.changed = asyncio.Event()
        self.accepted = False

    async def accept(self) -> None:
        self.accepted = True

    async def send(self, message: bytes) -> None:
        if len(self.sent) >= self._room:
            await self._roomy.wait()
        self.sent.append(message)
        self.changed.set()

    def send_now(self, message: bytes) -> bool:
        if len(self.sent) >= self._room:
            return False
        self.sent.append(message)
        return True

    def make_room(self) -> None:
        self._room = 100
        self._roomy.set()

    async def until(self, count: int) -> None:
        while len(self.sent) < count:
            self.changed.clear()
            await self.changed.wait()


async def test_items_are_sent_until_the_stream_ends() -> None:
    streams, stream, channel = WorkerStreams(), Items(b"1", b"2"), Channel()
    outlet = Outlet(channel.send, channel.send_now, 1_000_000)
    serving = asyncio.create_task(streams.serve(stream, outlet, NO_PINGS, channel.accept))
    await channel.until(2)
    assert (channel.accepted, streams.count) == (True, 1)
    stream.close()
    await serving
    assert channel.sent == [b"1", b"2"]
    assert streams.count == 0


async def test_a_worker_that_goes_closes_its_stream() -> None:
    streams, stream, channel = WorkerStreams(), Items(b"1"), Channel()
    outlet = Outlet(channel.send, channel.send_now, 1_000_000)
    serving = asyncio.create_task(streams.serve(stream, outlet, NO_PINGS, channel.accept))
    await channel.until(1)
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert stream.closings == 1
    assert streams.count == 0


async def test_a_worker_that_takes_nothing_is_let_go() -> None:
    streams, stream, channel = WorkerStreams(), Items(b"1", b"2", b"3"), Channel(room=1)
    await streams.serve(
        stream, Outlet(channel.send, channel.send_now, 1_000), NO_PINGS, channel.accept
    )
    assert channel.sent == [b"1"]
    assert stream.closings == 1


async def test_pings_fill_the_silence() -> None:
    streams, stream, channel = WorkerStreams(), Items(b"1"), Channel()
    outlet = Outlet(channel.send, channel.send_now, 1_000_000)
    pings = Pings(b"ping", 2_000)
    serving = asyncio.create_task(streams.serve(stream, outlet, pings, channel.accept))
    await channel.until(3)
    stream.close()
    await serving
    assert channel.sent[:3] == [b"1", b"ping", b"ping"]


async def test_a_ping_that_is_not_taken_ends_the_stream() -> None:
    streams, stream, channel = WorkerStreams(), Items(b"1"), Channel(room=1)
    pings = Pings(b"ping", 1_000)
    await streams.serve(
        stream, Outlet(channel.send, channel.send_now, 1_000), pings, channel.accept
    )
    assert channel.sent == [b"1"]


async def test_what_comes_while_nothing_waits_is_sent_in_the_same_turn_of_the_loop() -> None:
    streams, stream, channel = WorkerStreams(), Items(b"1"), Channel(room=2)
    outlet = Outlet(channel.send, channel.send_now, 1_000_000)
    serving = asyncio.create_task(streams.serve(stream, outlet, NO_PINGS, channel.accept))
    await channel.until(1)
    assert stream.offer(b"2")
    assert not stream.offer(b"3"), "the worker takes no more"
    assert channel.sent == [b"1", b"2"]
    stream.close()
    await serving


async def test_nothing_passes_what_waits_to_be_taken() -> None:
    channel = Channel(room=0)
    outlet = Outlet(channel.send, channel.send_now, 1_000_000)
    putting = asyncio.create_task(outlet.put(b"1"))
    await asyncio.sleep(0)
    channel.make_room()
    assert not outlet.offer(b"2")
    await putting
    assert outlet.offer(b"2")
    assert channel.sent == [b"1", b"2"]
