"""Listening, and stopping in good order."""

import asyncio
import errno
import socket
import ssl
from typing import Final

from perdure.transport.connection import Connection
from perdure.transport.options import Options
from perdure.transport.running import Route

# How long a connection may take to send what it has left to say, once the server is stopping.
LINGER_S: Final = 0.5

_BACKLOG: Final = 1_024
# An address that a name stands for, of a kind that this machine does not have.
_NOT_HERE: Final = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})


class TransportServer:
    """Serves one table of methods on any number of addresses."""

    def __init__(self, options: Options, route: Route) -> None:
        """Answer calls by `route`."""
        self._options = options
        self._route = route
        self._listeners: list[asyncio.Server] = []
        self._stopping = False
        self._serving: set[Connection] = set()
        self._leaving: set[Connection] = set()
        self._changed = asyncio.Event()

    async def listen(self, host: str, port: int, tls: ssl.SSLContext | None) -> int:
        """Listen on every address of a host, and return the port. Raises OSError.

        For port 0 it is one that was free on the first address.
        """
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        missing: OSError | None = None
        listening = False
        for address in dict.fromkeys(str(info[4][0]) for info in found):
            try:
                port = await self._listen(address, port, tls)
                listening = True
            except OSError as error:
                if error.errno not in _NOT_HERE:
                    raise
                missing = error
        if not listening:
            raise missing or OSError(f"{host} has no address")
        return port

    async def _listen(self, address: str, port: int, tls: ssl.SSLContext | None) -> int:
        server = await asyncio.get_running_loop().create_server(
            self._accept,
            address,
            port,
            ssl=tls,
            reuse_port=False,
            backlog=_BACKLOG,
            ssl_handshake_timeout=None if tls is None else self._options.patience_s,
            ssl_shutdown_timeout=None if tls is None else LINGER_S,
        )
        self._listeners.append(server)
        bound: int = server.sockets[0].getsockname()[1]
        return bound

    def stop_listening(self) -> None:
        """Accept no more connections, and on those there are no more calls."""
        self._stopping = True
        for server in self._listeners:
            server.close()
        for connection in list(self._serving):
            connection.session.go_away()

    async def stop(self, grace_s: float) -> None:
        """Stop listening, wait so long for the calls under way, then give the rest up."""
        self.stop_listening()
        await self._until_empty(self._serving, grace_s)
        for connection in list(self._serving):
            connection.session.give_up()
        await self._until_empty(self._leaving, LINGER_S)
        for connection in (*self._serving, *self._leaving):
            connection.abort()

    async def _until_empty(self, connections: set[Connection], seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                while connections:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return

    # ---- the connections

    def _accept(self) -> Connection:
        return Connection(self._options, self._route, self)

    def opened(self, connection: Connection) -> None:
        """A client has connected."""
        self._serving.add(connection)
        if self._stopping:
            # Accepted before the stop; with TLS it may have taken until now to be one.
            connection.session.go_away()

    def closing(self, connection: Connection) -> None:
        """Nothing more is to come from a connection: all it has to do is send what it has."""
        if connection in self._serving:
            self._serving.discard(connection)
            self._leaving.add(connection)
            self._changed.set()

    def closed(self, connection: Connection) -> None:
        """A connection is gone."""
        self._serving.discard(connection)
        self._leaving.discard(connection)
        self._changed.set()
