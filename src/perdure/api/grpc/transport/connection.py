"""One connection: a socket, what is read from it and what is written to it.

Everything that is sent in one turn of the loop goes out in one write. A client that asks and
does not read what it is sent is left; so is one that has not been heard of for long and does
not answer a ping.
"""

import asyncio
from collections.abc import Callable
from typing import Final, cast

import grpc

from perdure.api.grpc.transport import frames as fr
from perdure.api.grpc.transport.call import Call
from perdure.api.grpc.transport.calls import CALLS_MAX, Calls, Options, Route
from perdure.api.grpc.transport.frames import Code, ConnectionFault
from perdure.api.grpc.transport.reader import FrameReader
from perdure.api.grpc.transport.windows import SendWindow
from perdure.base.limits import MIB

_OUTPUT_BYTES_MAX: Final = 64 * MIB
_STOPPING: Final = "the server is stopping"


class Connection(asyncio.Protocol):
    """One client's connection."""

    def __init__(
        self, options: Options, route: Route, left: Callable[["Connection"], None]
    ) -> None:
        """Answer calls by `route`; `left` is called once when the connection is gone."""
        self._options = options
        self._left = left
        self.peer = "unknown"
        self.frame_bytes_max = fr.FRAME_BYTES_MIN_MAX
        self.send_window = SendWindow(fr.WINDOW_DEFAULT)
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._reader = FrameReader(options.header_bytes_max)
        self._calls = Calls(self, options, route)
        self._out: list[bytes] = []
        self._flushing = False
        self._paused: asyncio.Future[None] | None = None
        self._closing = False
        self._heard_s = self._loop.time()
        self._pinger: asyncio.TimerHandle | None = None

    # ---- life

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not asserted: uvloop's transports have the methods, and not the base class.
        self._transport = cast("asyncio.Transport", transport)
        self.peer = _peer_of(transport.get_extra_info("peername"))
        options = self._options
        self.write(
            fr.settings(
                {
                    fr.MAX_CONCURRENT_STREAMS: CALLS_MAX,
                    fr.INITIAL_WINDOW_SIZE: options.window_bytes,
                    fr.MAX_HEADER_LIST_SIZE: options.header_bytes_max,
                }
            )
        )
        self.write(fr.window_update(0, options.connection_window_bytes - fr.WINDOW_DEFAULT))
        self._pinger = self._loop.call_later(options.ping_after_s, self._is_quiet)

    def data_received(self, data: bytes) -> None:
        self._heard_s = self._loop.time()
        try:
            for frame in self._reader.feed(data):
                if frame.kind == fr.GOAWAY:
                    self.go_away()
                else:
                    self._calls.take(frame)
        except ConnectionFault as fault:
            self.write(fr.goaway(self._calls.last_stream, fault.code, fault.text))
            self._close()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc  # whatever it was, the client is gone
        if self._pinger is not None:
            self._pinger.cancel()
        self.resume_writing()
        self._calls.drop_all()
        self._left(self)

    def go_away(self) -> None:
        """Take no more calls, and close when those under way have ended."""
        if not self._closing:
            self._closing = self._calls.refusing = True
            self.write(fr.goaway(self._calls.last_stream, Code.NO_ERROR))
        if not self._calls:
            self._close()

    def give_up(self) -> None:
        """End every call that is still under way, and close."""
        self._calls.end_all(grpc.StatusCode.UNAVAILABLE, _STOPPING)
        self._close()

    def idle(self) -> None:
        """Close if no more calls are to come."""
        if self._closing:
            self._close()

    def ended(self, call: Call, code: Code | None) -> None:
        """Forget a call that has been answered; with a code its stream is reset."""
        self._calls.ended(call, code)

    def _close(self) -> None:
        self._closing = self._calls.refusing = True
        self._flush()
        if self._transport is not None:
            self._transport.close()

    def _is_quiet(self) -> None:
        """Ping a client that has said nothing for long, and leave one that does not answer."""
        options = self._options
        quiet_s = self._loop.time() - self._heard_s
        if quiet_s >= options.ping_after_s + options.ping_timeout_s:
            if self._transport is not None:
                self._transport.abort()
            return
        if quiet_s >= options.ping_after_s:
            self.write(fr.frame(fr.PING, 0, 0, b"perdure?"))
            next_s = options.ping_timeout_s
        else:
            next_s = options.ping_after_s - quiet_s
        self._pinger = self._loop.call_later(max(next_s, 0.01), self._is_quiet)

    # ---- output

    def write(self, data: bytes) -> None:
        """Send bytes with whatever else is sent in this turn of the loop."""
        self._out.append(data)
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        transport = self._transport
        if transport is None or transport.is_closing() or not self._out:
            self._out.clear()
            return
        data = self._out[0] if len(self._out) == 1 else b"".join(self._out)
        self._out.clear()
        transport.write(data)
        if transport.get_write_buffer_size() > _OUTPUT_BYTES_MAX:
            transport.abort()

    def pause_writing(self) -> None:
        if self._paused is None:
            self._paused = self._loop.create_future()

    def resume_writing(self) -> None:
        paused, self._paused = self._paused, None
        if paused is not None and not paused.done():
            paused.set_result(None)

    async def drained(self) -> None:
        """Return when the socket takes more."""
        if self._paused is not None:
            await asyncio.shield(self._paused)


def _peer_of(name: object) -> str:
    match name:
        case (str() as host, int() as port, *_):
            return f"ipv6:[{host}]:{port}" if ":" in host else f"ipv4:{host}:{port}"
        case _:
            return "unknown"
