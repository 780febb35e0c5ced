"""One call: a stream of the connection, as the method that answers it sees it."""

import asyncio
from collections import deque
from collections.abc import Callable
from struct import Struct
from typing import Any, Final, NoReturn, Protocol, TypeAlias

import grpc

from perdure.transport import frames as fr
from perdure.transport import headers as hd
from perdure.transport.messages import PREFIX_BYTES, Inbox
from perdure.transport.options import Options
from perdure.transport.outgoing import send_waiting, spend
from perdure.transport.request import Metadata, Request
from perdure.transport.windows import ReceiveWindow, SendWindow
from perdure.transport.wire import Wire

Method: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"

_ENDS: Final = fr.END_HEADERS | fr.END_STREAM
_FULL: Final = "too much waits to be read on this connection: ask for less at once"

# Heads of frames, up to the stream's number.
_BEGIN_HEAD: Final = fr.head(len(hd.INITIAL), fr.HEADERS, fr.END_HEADERS, 0)[:5]
_OK_HEAD: Final = fr.head(len(hd.TRAILERS_OK), fr.HEADERS, _ENDS, 0)[:5]
# Of a DATA frame (length in two parts, kind, flags, stream) and its message (compressed, length).
_MESSAGE_HEAD: Final = Struct(">BHBBIBI")


class Aborted(Exception):
    """The method has ended the call with a status of its own."""


class Owner(Protocol):
    """Who keeps the calls of a connection, as they see it."""

    wire: Wire
    options: Options
    send_window_bytes: int

    def taken(self, call: "Call", size: int) -> None:
        """Note that a message of so many bytes is not kept for the method any more."""
        ...

    def over(self, call: "Call") -> None:
        """Forget a call that has been answered."""
        ...


class Call:
    """A stream from its first header to its trailers: what methods get as their context."""

    __slots__ = (
        "_begun",
        "_id",
        "_outgoing",
        "_owner",
        "_sent",
        "_trailers",
        "_waiting_bytes",
        "_wire",
        "changed",
        "deadline",
        "done",
        "half_closed",
        "inbox",
        "method",
        "path",
        "receive_window",
        "received_bytes",
        "request",
        "send_window",
        "serialize",
        "stream_id",
        "task",
    )

    def __init__(self, owner: Owner, stream_id: int, request: Request) -> None:
        """Begin with the request's headers."""
        options = owner.options
        self._owner = owner
        self._wire = owner.wire
        self._id = stream_id.to_bytes(4, "big")
        self.stream_id = stream_id
        self.request = request
        self.path = request.path
        self.inbox = Inbox(request.encoding, options.message_bytes_max)
        self.send_window = SendWindow(owner.send_window_bytes)
        self.receive_window = ReceiveWindow(options.window_bytes)
        self.half_closed = False  # the client has said all it has to say
        self.received_bytes = 0  # of DATA
        self.done = False
        self.method: Method | None = None
        self.serialize: Callable[[Any], bytes] | None = None
        self.changed: asyncio.Event | None = None
        self.task: asyncio.Task[None] | None = None
        self.deadline: asyncio.TimerHandle | None = None
        self._begun = False
        self._outgoing: deque[memoryview] | None = None
        self._waiting_bytes = 0
        self._sent: asyncio.Future[None] | None = None
        self._trailers: bytes | None = None

    # ---- what goes out

    @property
    def ended(self) -> bool:
        """Whether it is decided how the call ends, if not sent yet."""
        return self.done or self._trailers is not None

    def send(self, message: bytes) -> None:
        """Send a message as far as the windows allow; the rest follows when they widen."""
        if self.ended:
            return
        size = PREFIX_BYTES + len(message)
        if self._fits(size):
            self._begin()
            self._wire.write(self._framed(message))
        elif self._wire.room.take(size):
            self._begin()
            if self._outgoing is None:
                self._outgoing = deque()
            # In two, because a large message is not copied only to stand behind its prefix.
            self._outgoing.append(memoryview(b"\x00" + len(message).to_bytes(4, "big")))
            self._outgoing.append(memoryview(message))
            self._waiting_bytes += size
            self.flush()
        else:
            self.cut(grpc.StatusCode.RESOURCE_EXHAUSTED, _FULL)

    def offer(self, message: bytes) -> bool:
        """Send a message if it can go out whole and now; False if not, and then nothing is sent."""
        if self.ended or not self._fits(PREFIX_BYTES + len(message)):
            return False
        self._begin()
        self._wire.write(self._framed(message))
        return True

    def answer(self, message: bytes) -> None:
        """Answer with one message and OK."""
        if self.ended:
            return
        if self._begun or not self._fits(PREFIX_BYTES + len(message)):
            self.send(message)
            self.end(0, "")
            return
        head, tail = (_BEGIN_HEAD, self._id, hd.INITIAL), (_OK_HEAD, self._id, hd.TRAILERS_OK)
        self._wire.write(b"".join((*head, self._framed(message), *tail)))
        self._finish()

    def end(self, code: int, text: str, metadata: hd.Pairs = ()) -> None:
        """End with a status. OK waits for its messages to be sent; a failure drops them."""
        if self.done or (self._trailers is not None and not code):
            return
        block = hd.trailers(code, text, metadata) if code or text or metadata else hd.TRAILERS_OK
        if not code:
            self._begin()
            self._trailers = block
            if not self._waiting_bytes:
                self._finish(block)
            return
        self._let_go()
        # A failure before anything else is one block alone.
        self._finish(block if self._begun else hd.INITIAL + block)

    def refuse(self, text: str) -> None:
        """Answer a request that is none of gRPC: a status of HTTP, and a line of text."""
        assert not self._begun, "nothing was answered yet"
        self._begun = True
        head = hd.refusal(self.request.http_status)
        self._wire.write(fr.frame(fr.HEADERS, fr.END_HEADERS, self.stream_id, head))
        self._trailers = hd.trailers(grpc.StatusCode.UNKNOWN.value[0], text)
        line = text.encode() + b"\n"
        if self._wire.room.take(len(line)):
            self._outgoing, self._waiting_bytes = deque((memoryview(line),)), len(line)
            self.flush()
        else:
            self._finish(self._trailers)

    def cut(self, code: grpc.StatusCode, text: str, metadata: hd.Pairs = ()) -> None:
        """End with a failure, whatever the method is at."""
        self.end(code.value[0], text, metadata)
        if self.task is not None:
            self.task.cancel()

    def drop(self) -> None:
        """Give the call up without a word: the client has gone, or its stream is reset."""
        self.done = True
        self._let_go()
        if self.task is not None:
            self.task.cancel()

    def flush(self) -> None:
        """Send what waits, as far as the windows and the socket allow."""
        if self._outgoing and not send_waiting(self, self._wire, self._outgoing):
            return
        if self._waiting_bytes:
            self._all_sent()

    def _fits(self, size: int) -> bool:
        """Whether so many bytes can be sent at once and now."""
        wire = self._wire
        return (
            not self._waiting_bytes
            and not wire.paused
            and size <= self.send_window.left
            and size <= wire.window.left
            and size <= wire.frame_bytes_max
        )

    def _framed(self, message: bytes) -> bytes:
        """Return a frame with one whole message, for which there is room."""
        size = PREFIX_BYTES + len(message)
        spend(self, self._wire, size)
        stream_id, length = self.stream_id, len(message)
        head = _MESSAGE_HEAD.pack(size >> 16, size & 0xFFFF, fr.DATA, 0, stream_id, 0, length)
        return head + message

    def _begin(self, metadata: hd.Pairs = ()) -> None:
        if not self._begun:
            self._begun = True
            block = hd.initial(metadata) if metadata else hd.INITIAL
            self._wire.write(fr.frame(fr.HEADERS, fr.END_HEADERS, self.stream_id, block))

    def _all_sent(self) -> None:
        self._wire.room.give(self._waiting_bytes)
        self._waiting_bytes = 0
        if self._sent is not None and not self._sent.done():
            self._sent.set_result(None)
        if self._trailers is not None:
            self._finish(self._trailers)

    def _finish(self, block: bytes | None = None) -> None:
        """Note that all is said; with a block, say it."""
        if block is not None:
            self._wire.write(fr.frame(fr.HEADERS, _ENDS, self.stream_id, block))
        self.done = True
        self._owner.over(self)

    def _let_go(self) -> None:
        """Drop what waits to be sent."""
        if self._outgoing:
            self._outgoing.clear()
            self._wire.forget(self)
        self._wire.room.give(self._waiting_bytes)
        self._waiting_bytes = 0
        if self._sent is not None and not self._sent.done():
            self._sent.cancel()

    # ---- what methods use, as gRPC's own context has it

    def next_message(self) -> bytes:
        """Return the oldest message that has come in."""
        message, size = self.inbox.pop()
        self._owner.taken(self, size)
        return message

    def invocation_metadata(self) -> Metadata:
        """Return the request's metadata."""
        return self.request.metadata

    def peer(self) -> str:
        """Return where the call comes from."""
        return self._wire.peer

    async def send_initial_metadata(self, metadata: hd.Pairs) -> None:
        """Send the headers of the answer now."""
        if not self.ended:
            self._begin(tuple(metadata))

    async def write(self, message: Any) -> None:
        """Send one message of a stream; returns when it is on its way.

        Raises CancelledError if the call is over, for whatever reason.
        """
        self.send(message if self.serialize is None else self.serialize(message))
        if self._waiting_bytes:
            self._sent = asyncio.get_running_loop().create_future()
            await self._sent
        elif self.done:
            raise asyncio.CancelledError

    async def abort(
        self, code: grpc.StatusCode, details: str = "", trailing_metadata: hd.Pairs = ()
    ) -> NoReturn:
        """End the call with a status."""
        self.end(code.value[0], details, tuple(trailing_metadata))
        raise Aborted
