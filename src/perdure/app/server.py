"""The server as one object: everything opened in order, and closed in the order that loses nothing.

Stopping goes from the outside in: messages are no longer taken, HTTP stops listening and work is no
longer handed out, then the workers get a moment for what they have in hand, then gRPC stops
listening and their streams end well, then requests under way are answered, then what was handed to
the committer lands, and the store is let go of last.
"""

import asyncio
import socket
import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

from starlette.types import ASGIApp

import perdure
from perdure.api.http.app import end_waits
from perdure.api.http.serving import uvicorn_config
from perdure.app.clock import SystemClock
from perdure.app.compose import House, compose, open_store
from perdure.app.config import Config
from perdure.app.listening import HttpListener, bind
from perdure.app.process import Process
from perdure.app.stopping import Stopping
from perdure.app.stores import keeping_of, warnings_of
from perdure.base.limits import STOP_DRAIN_US
from perdure.base.time import SECOND_US
from perdure.observability.logs import logger
from perdure.store.port import Store

# Of the time for stopping, what is kept back for the last commits and spans.
_RESERVE_S: Final = 2.0
# An HTTP request takes milliseconds; what takes longer is a long poll, which may be asked again.
_HTTP_GRACE_S: Final = 2

_log = logger("perdure.runtime")


class Server:
    """A server that is started once and stopped once, in whichever state it is."""

    def __init__(self, config: Config, stopping: Stopping) -> None:
        """Take the configuration; nothing is opened before `start`."""
        self.config = config
        self.grpc_port = 0
        self._stopping = stopping
        self._process = Process(
            app_id=config.app_id, version=perdure.__version__, stopping=stopping
        )
        self._sockets: dict[str, list[socket.socket]] = {}
        self._listeners: dict[str, HttpListener] = {}
        self._store: Store | None = None
        self._house: House | None = None

    def port_of(self, door: str) -> int:
        """Return the port of `http`, `public` or `metrics`."""
        return self._listeners[door].port

    @property
    def doors(self) -> Iterable[str]:
        """Which HTTP listeners there are."""
        return self._listeners.keys()

    async def start(self) -> None:
        """Open everything; raises ConfigurationError or StoreError and then holds nothing."""
        try:
            await self._open()
        except BaseException:
            await self.stop()
            raise
        self._process.started = True

    @property
    def keeping(self) -> Mapping[str, str]:
        """What keeps the workflows, and how, for people."""
        return keeping_of(self.config.store, self._store)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What about that a person should know."""
        return warnings_of(self._store)

    def _build(self) -> House:
        """Open what keeps the workflows, and put everything together around it."""
        self._store = open_store(self.config)
        return compose(self.config, self._store, SystemClock(), self._process)

    async def _open(self) -> None:
        config = self.config
        # The ports come first: who starts a second server by mistake is to read of the port.
        for door, port, flag in (
            ("http", config.http_port, "--dapr-http-port"),
            ("public", config.public_port, "--dapr-public-port"),
            ("metrics", config.metrics_port, "--metrics-port"),
        ):
            if port is not None:
                self._sockets[door] = bind(config.listen_addresses, port, flag=flag)
        self._house = self._build()
        apps: dict[str, ASGIApp] = {
            "http": self._house.http_app,
            "public": self._house.public_app,
            "metrics": self._house.metrics_app,
        }
        grace_s = min(config.stop_seconds, _HTTP_GRACE_S)
        for door, bound in self._sockets.items():
            served = uvicorn_config(apps[door], stop_timeout_seconds=grace_s)
            self._listeners[door] = HttpListener(served, bound)
        await self._house.engine.start()
        for remote in self._house.remotes:
            await remote.open()
        self.grpc_port = await self._house.grpc.start(config.grpc_port)
        for listener in self._listeners.values():
            await listener.start()
        # Messages come last: what they lead to is to find everything open.
        if self._house.room is not None:
            await self._house.room.start()

    async def ended(self) -> None:
        """Return when somebody wishes a stop, or when a listener ends without that."""
        wish = asyncio.ensure_future(self._stopping.requested.wait())
        ends = [asyncio.ensure_future(each.stopped()) for each in self._listeners.values()]
        await asyncio.wait([wish, *ends], return_when=asyncio.FIRST_COMPLETED)
        if not wish.done():
            self._stopping.exit_code = 1
            self._stopping.request("an HTTP listener ended by itself")
        for each in (wish, *ends):
            each.cancel()

    async def stop(self) -> None:
        """Close everything within the configured time, or at once when hurried."""
        end_s = time.monotonic() + self.config.stop_seconds
        try:
            await self._stop_sources(end_s)
            await self._close_doors(end_s)
        finally:
            for bound in self._sockets.values():
                for each in bound:
                    each.close()
            if self._house is not None:
                if self._house.room is not None:
                    await self._house.room.close()
                for remote in self._house.remotes:
                    await remote.close()
                await self._house.engine.stop()
            if self._store is not None:
                self._store.close()
            if self._house is not None and self._house.spans is not None:
                left_s = 0 if self._stopping.hurried.is_set() else end_s - time.monotonic()
                await asyncio.to_thread(self._house.spans.close, max(left_s, 0))

    async def _stop_sources(self, end_s: float) -> None:
        """Take no more messages; what is on disk has a moment to be acknowledged."""
        if self._house is None or self._house.room is None:
            return
        stopping = asyncio.ensure_future(self._house.room.stop())
        hurry: asyncio.Future[Any] = asyncio.ensure_future(self._stopping.hurried.wait())
        left_s = max(end_s - _RESERVE_S - time.monotonic(), 0) / 2
        await asyncio.wait({stopping, hurry}, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
        hurry.cancel()
        if stopping.done():
            await stopping
        else:
            _log.warning("a source takes too long to stop; its messages will come again")
            stopping.cancel()

    async def _close_doors(self, end_s: float) -> None:
        listeners = self._listeners.values()
        for listener in listeners:
            listener.begin_to_stop()
        if self._house is not None:
            end_waits(self._house.http_app)
        doors = [self._close_grpc(end_s), *(listener.stopped() for listener in listeners)]
        closing: asyncio.Future[Any] = asyncio.gather(*doors)
        hurry: asyncio.Future[Any] = asyncio.ensure_future(self._stopping.hurried.wait())
        left_s = max(end_s - _RESERVE_S / 2 - time.monotonic(), 0)
        await asyncio.wait({closing, hurry}, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
        hurry.cancel()
        if closing.done():
            await closing
            return
        if not self._stopping.hurried.is_set():
            _log.warning("calls under way are cut off", after_seconds=self.config.stop_seconds)
        closing.cancel()
        for listener in listeners:
            listener.hurry()
        ends = (listener.stopped() for listener in listeners)
        await asyncio.gather(closing, *ends, return_exceptions=True)

    async def _close_grpc(self, end_s: float) -> None:
        if self._house is None:
            return
        # What is at a worker now would be run again after the start: it gets a moment to finish.
        rest_s = min(STOP_DRAIN_US / SECOND_US, max(end_s - time.monotonic(), 0) / 4)
        await self._house.engine.rest(rest_s)
        left_s = end_s - time.monotonic()
        grace_s = max(left_s - _RESERVE_S, left_s / 2, 0)
        await self._house.grpc.stop(grace_s, self._house.engine.stop_handing_out)
