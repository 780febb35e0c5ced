"""A session without a socket, and the methods that answer in the tests."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc

from perdure.transport.call import Call, Method
from perdure.transport.session import Session
from perdure.transport.wire import Wire
from tests.unit.transport import http2 as h


class Methods:
    """What is served, and what happened to it."""

    def __init__(self) -> None:
        self.begun = 0
        self.cancelled = 0
        self.closed = 0
        self.calls: list[Call] = []
        self.release = asyncio.Event()
        self.changed = asyncio.Event()
        self._served: dict[str, Method] = {
            "/t/Echo": grpc.unary_unary_rpc_method_handler(self.echo),
            "/t/Hold": grpc.unary_unary_rpc_method_handler(self.hold),
            "/t/Stubborn": grpc.unary_unary_rpc_method_handler(self.stubborn),
            "/t/Fail": grpc.unary_unary_rpc_method_handler(self.fail),
            "/t/Large": grpc.unary_unary_rpc_method_handler(self.large),
            "/t/Abort": grpc.unary_unary_rpc_method_handler(self.abort),
            "/t/Typed": grpc.unary_unary_rpc_method_handler(self.typed, int, _text),
            "/t/TypedStream": grpc.unary_stream_rpc_method_handler(self.typed_stream, int, _text),
            "/t/Stream": grpc.unary_stream_rpc_method_handler(self.stream),
            "/t/Chat": grpc.stream_stream_rpc_method_handler(self.chat),
            "/t/Count": grpc.stream_unary_rpc_method_handler(self.count),
        }

    def route(self, call: Call) -> Method:
        """What answers a call; an unknown path is a fault of the test."""
        return self._served[call.path]

    async def echo(self, data: bytes, call: Call) -> bytes:
        self.calls.append(call)
        return data

    async def hold(self, data: bytes, call: Call) -> bytes:
        """Answers when it is released, and counts how often it was cancelled."""
        self.calls.append(call)
        self.begun += 1
        self.changed.set()
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.changed.set()
        return data

    async def stubborn(self, data: bytes, call: Call) -> bytes:
        """Answers although it was cancelled."""
        try:
            await self.hold(data, call)
        except asyncio.CancelledError:
            await call.send_initial_metadata(())
        return b"too late"

    async def fail(self, data: bytes, _call: Call) -> bytes:
        raise ValueError(data)

    async def abort(self, _data: bytes, call: Call) -> bytes:
        """Begins its answer with metadata, and ends it with a status and more of it."""
        await call.send_initial_metadata([("begin", "1")])
        await call.abort(grpc.StatusCode.NOT_FOUND, "not 100% here", [("end-bin", b"\xff")])

    async def typed(self, number: int, _call: Call) -> int:
        return number + 1

    async def typed_stream(self, number: int, call: Call) -> None:
        """Answers by writing, not by yielding."""
        for more in range(number):
            await call.write(more)

    async def large(self, data: bytes, _call: Call) -> bytes:
        return bytes(int(data))

    async def stream(self, data: bytes, call: Call) -> AsyncIterator[bytes]:
        """So many messages of such a size."""
        self.calls.append(call)
        count, size = (int(part) for part in data.split())
        try:
            for number in range(count):
                self.begun += 1
                self.changed.set()
                yield bytes((number % 256,)) * size
        finally:
            self.closed += 1
            self.changed.set()

    async def chat(self, requests: AsyncIterator[bytes], _call: Call) -> AsyncIterator[bytes]:
        async for data in requests:
            yield data[::-1]

    async def count(self, requests: AsyncIterator[bytes], _call: Call) -> bytes:
        await self.release.wait()
        return str(sum([len(data) async for data in requests])).encode()

    async def until(self, name: str, value: int) -> None:
        """Return when a count has come so far."""
        async with asyncio.timeout(20):
            while getattr(self, name) < value:
                self.changed.clear()
                await self.changed.wait()


class Talk:
    """What is said to a session, and what comes back."""

    def __init__(self, **options: Any) -> None:
        self.methods = Methods()
        self.closed = 0
        self._out = bytearray()
        self.wire = Wire(_later, self._push)
        self.session = Session(self.wire, h.options(**options), self.methods.route, self._close)

    def say(self, *data: bytes) -> list[h.Received]:
        """Say something; what comes back at once."""
        for piece in data:
            self.session.take(piece)
        return self.heard()

    async def ask(self, *data: bytes) -> list[h.Received]:
        """Say something; what has come back when all methods have done what they can."""
        return self.say(*data) + await self.later()

    async def later(self) -> list[h.Received]:
        """What has come back when all methods have done what they can."""
        for _ in range(30):
            await asyncio.sleep(0)
        return self.heard()

    def heard(self) -> list[h.Received]:
        """What has come back since."""
        self._push()
        data = bytes(self._out)
        self._out.clear()
        return h.received(data)

    def _push(self) -> None:
        self._out += self.wire.take()

    def _close(self) -> None:
        self.closed += 1


def _text(number: int) -> bytes:
    return str(number).encode()


def _later() -> None:
    """Nothing is pushed before the test asks for it."""
