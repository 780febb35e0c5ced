"""One call: a stream of the connection, as the method that answers it sees it."""

import asyncio
import zlib
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Final, NoReturn, Protocol

import grpc

from perdure.api.grpc.transport import headers as hd
from perdure.api.grpc.transport.frames import DATA as DATA_FRAME
from perdure.api.grpc.transport.frames import (
    END_HEADERS,
    END_STREAM,
    HEADERS,
    Code,
    frame,
    head,
)
from perdure.api.grpc.transport.windows import ReceiveWindow, SendWindow

_PREFIX_BYTES: Final = 5
Pairs = Iterable[tuple[str, str | bytes]]


class Aborted(Exception):
    """The method has ended the call with a status of its own."""


class Wire(Protocol):
    """The connection as its calls see it."""

    peer: str
    send_window: SendWindow
    frame_bytes_max: int

    def write(self, data: bytes) -> None:
        """Send bytes with whatever else is sent in this turn of the loop."""
        ...

    async def drained(self) -> None:
        """Return when the socket takes more."""
        ...

    def ended(self, call: "Call", code: Code | None) -> None:
        """Forget a call that has been answered; with a code its stream is reset."""
        ...


class Rejection(Exception):
    """The request cannot be taken: the status that says so."""

    def __init__(self, code: grpc.StatusCode, text: str) -> None:
        """Take the status."""
        super().__init__(text)
        self.code = code
        self.text = text


class Call:
    """A stream from its first header to its trailers. It is what methods get as their context."""

    def __init__(
        self,
        wire: Wire,
        stream_id: int,
        received: hd.Headers,
        *,
        send_window: int,
        receive_window: int,
        message_bytes_max: int,
    ) -> None:
        """Begin with the request's headers."""
        self._wire = wire
        self.stream_id = stream_id
        self._received = received
        found = dict(received)
        self.path = found.get(":path", "")
        self.encoding = found.get("grpc-encoding", "")
        self.timeout = found.get("grpc-timeout", "")
        kind = found.get("content-type", "")
        self.is_grpc = found.get(":method") == "POST" and kind.startswith("application/grpc")
        self.send_window = SendWindow(send_window)
        self.receive_window = ReceiveWindow(receive_window)
        self._message_bytes_max = message_bytes_max
        self._incoming = bytearray()
        self.messages: deque[bytes] = deque()
        self.half_closed = False  # the client has said all it has to say
        self.done = False
        self.changed: asyncio.Event | None = None
        self.task: asyncio.Task[None] | None = None
        self.deadline: asyncio.TimerHandle | None = None
        self._begun = False
        self._outgoing: deque[memoryview | bytes] = deque()
        self._sent: asyncio.Future[None] | None = None
        self._trailers: bytes | None = None
        self._code: Any = grpc.StatusCode.OK
        self._details = ""
        self.serialize: Callable[[Any], bytes] | None = None

    # ---- what comes in

    def take(self, data: bytes) -> None:
        """Take the bytes of a DATA frame. Raises Rejection if a message cannot be taken."""
        self._incoming += data
        while len(self._incoming) >= _PREFIX_BYTES:
            size = int.from_bytes(self._incoming[1:_PREFIX_BYTES], "big")
            if size > self._message_bytes_max:
                text = f"received message larger than max ({size} vs. {self._message_bytes_max})"
                raise Rejection(grpc.StatusCode.RESOURCE_EXHAUSTED, text)
            if len(self._incoming) < _PREFIX_BYTES + size:
                return
            message = bytes(memoryview(self._incoming)[_PREFIX_BYTES : _PREFIX_BYTES + size])
            if self._incoming[0]:
                message = self._inflated(message)
            del self._incoming[: _PREFIX_BYTES + size]
            self.messages.append(message)
            if self.changed is not None:
                self.changed.set()

    def end_input(self) -> None:
        """Note that the client has half-closed the stream. Raises Rejection if amid a message."""
        self.half_closed = True
        if self._incoming:
            raise Rejection(grpc.StatusCode.INTERNAL, "the request ends in the middle of a message")
        if self.changed is not None:
            self.changed.set()

    def _inflated(self, message: bytes) -> bytes:
        if self.encoding not in {"gzip", "deflate"}:
            text = f"messages compressed with '{self.encoding}' are not taken; use gzip or identity"
            raise Rejection(grpc.StatusCode.UNIMPLEMENTED, text)
        inflater = zlib.decompressobj(zlib.MAX_WBITS | 32)
        try:
            out = inflater.decompress(message, self._message_bytes_max + 1)
        except zlib.error as error:
            raise Rejection(grpc.StatusCode.INTERNAL, "a message cannot be inflated") from error
        if len(out) > self._message_bytes_max:
            text = f"received message larger than max ({self._message_bytes_max})"
            raise Rejection(grpc.StatusCode.RESOURCE_EXHAUSTED, text)
        return out

    # ---- what goes out

    def _begin(self, metadata: Pairs = ()) -> None:
        if not self._begun:
            self._begun = True
            block = hd.initial(metadata) if metadata else hd.INITIAL
            self._wire.write(frame(HEADERS, END_HEADERS, self.stream_id, block))

    def send(self, message: bytes) -> None:
        """Send a message as far as the windows allow; the rest follows when they widen."""
        self._begin()
        self._outgoing.append(b"\x00" + len(message).to_bytes(4, "big") + message)
        self.flush()

    def flush(self) -> None:
        """Send what waits, as far as the windows allow."""
        wire = self._wire
        while self._outgoing and not self.done:
            chunk = self._outgoing[0]
            room = min(self.send_window.left, wire.send_window.left, wire.frame_bytes_max)
            if room <= 0:
                return
            part = chunk[:room]
            if len(part) == len(chunk):
                self._outgoing.popleft()
            else:
                self._outgoing[0] = memoryview(chunk)[room:]
            self.send_window.left -= len(part)
            wire.send_window.left -= len(part)
            wire.write(head(len(part), DATA_FRAME, 0, self.stream_id) + bytes(part))
        if not self._outgoing:
            if self._sent is not None and not self._sent.done():
                self._sent.set_result(None)
            if self._trailers is not None:
                self._finish(self._trailers)

    def end(self, code: int, text: str, metadata: Pairs = ()) -> None:
        """Answer with a status, after all that waits to be sent. The first one counts."""
        if self.done or self._trailers is not None:
            return
        self._trailers = hd.TRAILERS_OK
        if code or text or metadata:
            self._trailers = hd.trailers(code, text, metadata)
        if code:
            self._outgoing.clear()  # what was not sent yet is of no use without its end
        self.flush()

    def _finish(self, trailers: bytes) -> None:
        self._begin()
        flags = END_HEADERS | END_STREAM
        self._wire.write(frame(HEADERS, flags, self.stream_id, trailers))
        self.done = True
        # A client that has not said all is told that nobody listens any more.
        self._wire.ended(self, None if self.half_closed else Code.NO_ERROR)

    def drop(self) -> None:
        """Give the call up: the client has gone, or the connection."""
        self.done = True
        self._outgoing.clear()
        if self._sent is not None and not self._sent.done():
            self._sent.cancel()
        if self.changed is not None:
            self.changed.set()
        if self.task is not None:
            self.task.cancel()

    # ---- what methods use, as gRPC's own context has it

    def invocation_metadata(self) -> hd.Metadata:
        """Return the request's metadata."""
        return hd.metadata_of(self._received)

    def peer(self) -> str:
        """Return where the call comes from."""
        return self._wire.peer

    async def send_initial_metadata(self, metadata: Pairs) -> None:
        """Send the headers of the answer now."""
        self._begin(tuple(metadata))

    async def write(self, message: Any) -> None:
        """Send one message of a stream; returns when it is on its way."""
        if self.done:
            raise asyncio.CancelledError
        self.send(self.serialize(message) if self.serialize is not None else message)
        if self._outgoing:
            self._sent = asyncio.get_running_loop().create_future()
            await self._sent
        await self._wire.drained()

    async def abort(
        self, code: grpc.StatusCode, details: str = "", trailing_metadata: Pairs = ()
    ) -> NoReturn:
        """End the call with a status."""
        self.end(code.value[0], details, tuple(trailing_metadata))
        raise Aborted

    def set_code(self, code: Any) -> None:
        """Set the status that the call will end with."""
        self._code = code

    def set_details(self, details: str) -> None:
        """Set the text beside the status."""
        self._details = details

    def end_as_set(self) -> None:
        """End the call with the status that was set, OK unless it was."""
        self.end(self._code.value[0], self._details)
