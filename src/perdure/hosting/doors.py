"""Doors on an engine in a program's own process: HTTP and gRPC, as `perdure serve` has them."""

import asyncio
import socket
from typing import Final

import perdure
from perdure.api.http.app import end_waits
from perdure.api.http.serving import uvicorn_config
from perdure.app.compose import Ears, House, furnish, readings_of
from perdure.app.config import Config
from perdure.app.listening import HttpListener, bind
from perdure.app.process import Process
from perdure.app.stopping import Stopping
from perdure.base.observer import Observer
from perdure.base.time import SECOND_US
from perdure.components.catalog import EMBEDDED, Catalog
from perdure.components.port import WorkflowComponent
from perdure.engine.service import Engine
from perdure.hosting.settings import HostSettings
from perdure.observability.metrics import Metrics
from perdure.store.port import Store

_HTTP_GRACE_S: Final = 2


class Doors:
    """The doors that the settings name. Opened once and closed once."""

    def __init__(self, settings: HostSettings) -> None:
        """Listen on the HTTP port at once, so that a port in use is told before all else.

        Raises ConfigurationError if it is in use.
        """
        self._settings = settings
        self.stopping = Stopping()
        self._process = Process(
            app_id=settings.app_id, version=perdure.__version__, stopping=self.stopping
        )
        self.metrics = Metrics(
            app_id=settings.app_id, namespace="default", version=perdure.__version__
        )
        self._sockets: list[socket.socket] = []
        if settings.http is not None:
            self._sockets = bind([settings.host], settings.http, flag="http=")
        self._listener: HttpListener | None = None
        self._house: House | None = None
        self._grpc_port: int | None = None

    @property
    def http_port(self) -> int | None:
        """The port of HTTP, if there is one."""
        return None if self._listener is None else self._listener.port

    @property
    def grpc_port(self) -> int | None:
        """The port of gRPC, if there is one."""
        return self._grpc_port

    async def open(
        self, engine: Engine, component: WorkflowComponent, store: Store, observer: Observer
    ) -> None:
        """Let others in. Raises ConfigurationError if the gRPC port is in use."""
        settings = self._settings
        self.metrics.add(readings_of(engine, store))
        config = Config.model_validate(
            {
                "app_id": settings.app_id,
                "http_port": settings.http or 0,
                "grpc_port": settings.grpc or 0,
                "listen_addresses": (settings.host,),
                "api_token": settings.api_token,
            }
        )
        house = self._house = furnish(
            config,
            self._process,
            Ears(observer, self.metrics, None),
            Catalog({EMBEDDED: component}, {}),
            engine,
            (),
        )
        if settings.grpc is not None:
            self._grpc_port = await house.grpc.start(settings.grpc)
        if settings.http is not None:
            served = uvicorn_config(house.http_app, stop_timeout_seconds=_HTTP_GRACE_S)
            self._listener = HttpListener(served, self._sockets)
            await self._listener.start()
        self._process.started = True

    def begin_to_close(self) -> None:
        """Let nobody in any more by HTTP; what is under way goes on."""
        if self._listener is not None:
            self._listener.begin_to_stop()
        if self._house is not None:
            end_waits(self._house.http_app)

    async def close(self, engine: Engine | None, grace_us: int) -> None:
        """Let nobody in any more, end workers' streams well, and wait so long for calls."""
        if self._house is not None and engine is not None:
            await self._house.grpc.stop(grace_us / SECOND_US, engine.stop_handing_out)
        if self._listener is not None:
            try:
                async with asyncio.timeout(_HTTP_GRACE_S + 1):
                    await self._listener.stopped()
            except TimeoutError:
                self._listener.hurry()
                await self._listener.stopped()
        for each in self._sockets:
            each.close()
