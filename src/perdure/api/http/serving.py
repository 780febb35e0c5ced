"""How uvicorn serves the application: HTTP/1.1 with keep-alive, and a bound on what it reads.

A caller may close its side of the connection when it has sent a whole request, and is answered. Who
has left altogether looks the same until something is written to it; so calls that wait, and only
those, are told (`has_closed`) and answer at once.
"""

import asyncio
from typing import Final

from starlette.requests import Request
from starlette.types import ASGIApp
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# The line and the headers of one request. What comes in one piece is let through.
HEAD_BYTES_MAX: Final = 128 * 1024
KEEP_ALIVE_SECONDS: Final = 75
_CLOSED: Final = "perdure.closed"


async def has_closed(request: Request) -> None:
    """Return when the caller has closed its side: never where that cannot be told."""
    told = request.scope.get("extensions", {}).get(_CLOSED)
    await (asyncio.Event() if told is None else told["event"]).wait()


class BoundedHeads(HttpToolsProtocol):
    """Ends a connection whose request head goes on for too long; it would fill the memory."""

    _in_head = True
    _head_bytes = 0
    _closed: asyncio.Event

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody has come."""
        self._closed = asyncio.Event()
        super().connection_made(transport)

    def eof_received(self) -> bool:  # type: ignore[override]  # asyncio looks at it
        """Answer what was asked for in whole before the peer closed its side, and then close ours.

        The connection ends at once if there is no such thing.
        """
        last = self.pipeline[0][0] if self.pipeline else self.cycle
        if self._in_head or last is None or last.response_complete or last.more_body:
            return False
        last.keep_alive = False
        self._closed.set()
        return True

    def data_received(self, data: bytes) -> None:
        """Take bytes from the peer."""
        began_in_head = self._in_head
        super().data_received(data)
        if not (began_in_head and self._in_head) or self.transport.is_closing():
            return
        self._head_bytes += len(data)
        if self._head_bytes > HEAD_BYTES_MAX:
            self.send_400_response("The head of the request is too large.")

    def on_message_begin(self) -> None:
        """A request begins."""
        self._in_head = True
        self._head_bytes = 0
        super().on_message_begin()
        self.scope["extensions"] = {_CLOSED: {"event": self._closed}}

    def on_headers_complete(self) -> None:
        """The head of a request is complete."""
        self._in_head = False
        super().on_headers_complete()


def uvicorn_config(app: ASGIApp, *, stop_timeout_seconds: int) -> Config:
    """Return how to serve `app`. Sockets are handed to `Server.serve`.

    Long polls that are open when the server stops are cut off after `stop_timeout_seconds`.
    """
    return Config(
        app,
        http=BoundedHeads,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=stop_timeout_seconds,
    )
