"""Listening, and stopping in good order."""

import asyncio
import ssl

from perdure.api.grpc.transport.calls import Options, Route
from perdure.api.grpc.transport.connection import Connection


class TransportServer:
    """Serves one table of methods on any number of addresses."""

    def __init__(self, options: Options, route: Route) -> None:
        """Answer calls by `route`."""
        self._options = options
        self._route = route
        self._listeners: list[asyncio.Server] = []
        self._connections: set[Connection] = set()
        self._empty = asyncio.Event()
        self._empty.set()

    async def listen(self, host: str, port: int, tls: ssl.SSLContext | None) -> int:
        """Listen on an address, and return the port. Raises OSError."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            self._accept, host, port, ssl=tls, reuse_port=False, backlog=1_024
        )
        self._listeners.append(server)
        bound: int = server.sockets[0].getsockname()[1]
        return bound

    def stop_listening(self) -> None:
        """Accept no more connections, and on those there are no more calls."""
        for server in self._listeners:
            server.close()
        for connection in list(self._connections):
            connection.go_away()

    async def stop(self, grace_s: float) -> None:
        """Stop listening, wait so long for the calls under way, then give the rest up."""
        self.stop_listening()
        try:
            await asyncio.wait_for(self._empty.wait(), grace_s)
        except TimeoutError:
            for connection in list(self._connections):
                connection.give_up()
        for server in self._listeners:
            await server.wait_closed()

    def _accept(self) -> Connection:
        connection = Connection(self._options, self._route, self._left)
        self._connections.add(connection)
        self._empty.clear()
        return connection

    def _left(self, connection: Connection) -> None:
        self._connections.discard(connection)
        if not self._connections:
            self._empty.set()
