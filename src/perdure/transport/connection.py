"""One connection: a socket, what is read from it and what is written to it.

Everything that is sent in one turn of the loop goes out in one write. A client that asks and does
not read what it is sent is left; so is one that does not come to the point, and one that has not
been heard of for long and does not answer a ping.
"""

import asyncio
from typing import Final, Protocol, cast

from perdure.base.limits import MIB
from perdure.transport.frames import Code
from perdure.transport.options import Options
from perdure.transport.running import Route
from perdure.transport.session import Session
from perdure.transport.silence import Silence
from perdure.transport.wire import Wire

# Messages wait elsewhere (`wire`), so what waits in the socket is answers to frames.
_OUTPUT_BYTES_MAX: Final = 8 * MIB


class Registry(Protocol):
    """Who knows all connections."""

    def opened(self, connection: "Connection") -> None:
        """A client has connected."""
        ...

    def closing(self, connection: "Connection") -> None:
        """Nothing more is to come from a connection: all it has to do is send what it has."""
        ...

    def closed(self, connection: "Connection") -> None:
        """A connection is gone."""
        ...


class Connection(asyncio.Protocol):
    """One client's connection."""

    def __init__(self, options: Options, route: Route, registry: Registry) -> None:
        """Answer calls by `route`."""
        self._options = options
        self._registry = registry
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._wire = Wire(self._schedule, self._flush)
        self.session = Session(self._wire, options, route, self._close)
        self._closing = False
        self._silence = Silence(options, self.session.ping, self.abort)
        self._impatient: asyncio.TimerHandle | None = None

    # ---- life

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not asserted: uvloop's transports have the methods, and not the base class.
        self._transport = cast("asyncio.Transport", transport)
        self._wire.peer = _peer_of(transport.get_extra_info("peername"))
        self.session.greet()
        self._registry.opened(self)
        tls = transport.get_extra_info("ssl_object")
        if tls is not None and tls.selected_alpn_protocol() != "h2":
            self.session.fail(Code.INADEQUATE_SECURITY, "this port speaks h2, agreed on by ALPN")
            return
        self._silence.begin()
        self._impatient = self._loop.call_later(self._options.patience_s, self._is_slow)

    def data_received(self, data: bytes) -> None:
        if self._closing:
            return  # nothing that could still come would change anything
        self._silence.heard_s = self._loop.time()
        self.session.take(data)
        if self.session.awaits:
            if self._impatient is None:
                self._impatient = self._loop.call_later(self._options.patience_s, self._is_slow)
        elif self._impatient is not None:
            self._impatient.cancel()
            self._impatient = None

    def connection_lost(self, exc: Exception | None) -> None:
        del exc  # whatever it was, the client is gone
        self._silence.end()
        if self._impatient is not None:
            self._impatient.cancel()
        self.session.calls.drop_all()
        self._registry.closed(self)

    def abort(self) -> None:
        """Close at once, whatever was not sent."""
        if self._transport is not None:
            self._transport.abort()

    def _close(self) -> None:
        self._closing = True
        self._flush()
        if self._transport is not None:
            self._transport.close()
            self._registry.closing(self)

    def _is_slow(self) -> None:
        self._impatient = None
        self.session.fail(Code.SETTINGS_TIMEOUT, "go on with what you have begun")

    # ---- output

    def _schedule(self) -> None:
        self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        data = self._wire.take()
        transport = self._transport
        if not data or transport is None or transport.is_closing():
            return
        transport.write(data)
        if transport.get_write_buffer_size() > _OUTPUT_BYTES_MAX:
            transport.abort()

    def pause_writing(self) -> None:
        self._wire.paused = True

    def resume_writing(self) -> None:
        self._wire.paused = False
        self._wire.go_on()


def _peer_of(name: object) -> str:
    match name:
        case (str() as host, int() as port, *_):
            return f"ipv6:[{host}]:{port}" if ":" in host else f"ipv4:{host}:{port}"
        case _:
            return "unknown"
