"""HTTP on sockets that are bound before all else, so that a port in use is told first.

Listening starts with the binding: of two servers that start at the same moment, the second one
must not get as far as the store.
"""

import asyncio
import errno
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import uvicorn
from typing_extensions import override

from perdure.base.errors import ConfigurationError

_TICKS_PER_SECOND = 10


def bind(addresses: Sequence[str], port: int, *, flag: str) -> list[socket.socket]:
    """Listen on a port of every address; port 0 is one port, chosen by the system, for all.

    Raises ConfigurationError that names `flag`, the one to change.
    """
    bound: list[socket.socket] = []
    try:
        for address in addresses:
            bound.append(_bind_one(address, port, flag))
            port = bound[0].getsockname()[1]
    except ConfigurationError:
        for each in bound:
            each.close()
        raise
    return bound


def _bind_one(address: str, port: int, flag: str) -> socket.socket:
    host = address.strip("[]")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as error:
        raise ConfigurationError(
            f"--dapr-listen-addresses {address}: there is no such address: {error.strerror}"
        ) from error
    family, kind, protocol, _name, where = found[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(where)
        listener.listen()
    except OSError as error:
        listener.close()
        raise ConfigurationError(_why_not(error, address, port, flag)) from error
    listener.setblocking(False)
    return listener


def _why_not(error: OSError, address: str, port: int, flag: str) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return (
                f"port {port} is in use; another perdure or daprd may be running; "
                f"choose another with {flag}"
            )
        case errno.EACCES:
            return f"port {port} may not be used by this user; choose one above 1023 with {flag}"
        case errno.EADDRNOTAVAIL:
            return f"--dapr-listen-addresses {address}: is not an address of this machine"
        case _:
            return f"port {port} of {address} cannot be used: {error.strerror}; see {flag}"


class HttpListener(uvicorn.Server):
    """One uvicorn server in a loop that is not its own: it takes no signals and prints nothing."""

    def __init__(self, config: uvicorn.Config, sockets: list[socket.socket]) -> None:
        """Serve on `sockets`; whoever made them closes them."""
        super().__init__(config)
        self._sockets = sockets
        self._stop = asyncio.Event()
        self._ready = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The port, which is the same on every address."""
        port: int = self._sockets[0].getsockname()[1]
        return port

    async def start(self) -> None:
        """Return once requests are answered."""
        self._task = asyncio.create_task(self.serve(self._sockets))
        ready = asyncio.create_task(self._ready.wait())
        await asyncio.wait({self._task, ready}, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if self._task.done():
            await self._task
            raise AssertionError("the HTTP server ended as it began")

    def begin_to_stop(self) -> None:
        """Stop listening; what is under way goes on."""
        self._stop.set()

    def hurry(self) -> None:
        """Wait for nothing any more."""
        self.force_exit = True
        self._stop.set()

    async def stopped(self) -> None:
        """Return once everything under way has ended or its time is over."""
        if self._task is not None:
            # Whoever no longer wants to wait does not end the server by that.
            await asyncio.shield(self._task)

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready.set()

    @override
    async def main_loop(self) -> None:
        # Uvicorn looks ten times a second whether it should stop; here it is told.
        counter = 0
        while not self._stop.is_set():
            await self.on_tick(counter)
            counter += _TICKS_PER_SECOND
            try:
                async with asyncio.timeout(1):
                    await self._stop.wait()
            except TimeoutError:
                continue

    @override
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
