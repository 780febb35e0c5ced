"""One call as its caller sees it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Final

import grpc

from perdure.transport import frames as fr
from perdure.transport.messages import PREFIX_BYTES, Inbox, Rejection
from perdure.transport.outgoing import send_waiting, spend
from perdure.transport.request import Metadata
from perdure.transport.windows import ReceiveWindow, SendWindow
from perdure.transport.wire import Wire

UNAVAILABLE: Final = grpc.StatusCode.UNAVAILABLE.value[0]
INTERNAL: Final = grpc.StatusCode.INTERNAL.value[0]


class CallFailed(Exception):
    """A call that did not end with OK: the status as gRPC numbers it, its text and metadata."""

    def __init__(self, code: int, text: str, metadata: Metadata = ()) -> None:
        """Take what the other side said, or what became of the connection."""
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text
        self.metadata = metadata


class ClientCall:
    """A stream from its request to its trailers."""

    __slots__ = (
        "_changed",
        "_consumed",
        "_fault",
        "_inbox",
        "_outgoing",
        "_wire",
        "done",
        "receive_window",
        "send_window",
        "stream_id",
    )

    def __init__(
        self,
        wire: Wire,
        stream_id: int,
        *,
        send_window_bytes: int,
        window_bytes: int,
        message_bytes_max: int,
        consumed: Callable[["ClientCall", int], None],
    ) -> None:
        """Begin; `consumed` is told of bytes that the caller has taken."""
        self._wire = wire
        self.stream_id = stream_id
        self.send_window = SendWindow(send_window_bytes)
        self.receive_window = ReceiveWindow(window_bytes)
        self._inbox = Inbox("", message_bytes_max)
        self._outgoing: deque[memoryview] = deque()
        self._changed: asyncio.Future[None] | None = None
        self._consumed = consumed
        self._fault: CallFailed | None = None
        self.done = False

    # ---- what goes out

    def send(self, message: bytes) -> None:
        """Send the one message of the request, as far as the windows allow, and then the rest."""
        prefix = b"\x00" + len(message).to_bytes(4, "big")
        wire, size = self._wire, PREFIX_BYTES + len(message)
        room = min(self.send_window.left, wire.window.left, wire.frame_bytes_max)
        if size <= room and not wire.paused:
            spend(self, wire, size)
            wire.write(fr.head(size, fr.DATA, fr.END_STREAM, self.stream_id), prefix, message)
            return
        self._outgoing.extend((memoryview(prefix), memoryview(message)))
        self.flush()

    def flush(self) -> None:
        """Send what waits, as far as the windows and the socket allow."""
        send_waiting(self, self._wire, self._outgoing, last_flags=fr.END_STREAM)

    # ---- what comes in

    def take(self, data: bytes) -> None:
        """Take a piece of the answer."""
        try:
            self._inbox.take(data)
        except Rejection as rejection:
            self.end(CallFailed(rejection.code.value[0], rejection.text))
            return
        if self._inbox:
            self._wake()

    def end(self, fault: CallFailed | None) -> None:
        """Note how the call ended: with OK, or a fault. Only the first word counts."""
        if self.done:
            return
        self.done = True
        if fault is None and self._inbox.is_amid:
            fault = CallFailed(INTERNAL, "the answer ends in the middle of a message")
        self._fault = fault
        self._outgoing.clear()
        self._wire.forget(self)
        self._wake()

    def _wake(self) -> None:
        if self._changed is not None and not self._changed.done():
            self._changed.set_result(None)

    # ---- what the caller waits for

    async def answer(self) -> bytes:
        """Return the one message of the answer. Raises CallFailed."""
        while not self.done:
            await self._change()
        if self._fault is not None:
            raise self._fault
        if len(self._inbox) != 1:
            raise CallFailed(INTERNAL, f"the answer has {len(self._inbox)} messages, not one")
        message, _ = self._inbox.pop()
        return message

    async def messages(self) -> AsyncIterator[bytes]:
        """Yield the messages of the answer as they come. Raises CallFailed at the end."""
        while True:
            while self._inbox:
                message, size = self._inbox.pop()
                self._consumed(self, size)
                yield message
            if self.done:
                break
            await self._change()
        if self._fault is not None:
            raise self._fault

    async def _change(self) -> None:
        self._changed = asyncio.get_running_loop().create_future()
        try:
            await self._changed
        finally:
            self._changed = None
