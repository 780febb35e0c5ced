"""The gRPC door as one object: built from its parts, started, stopped."""

import ssl
from collections.abc import Callable, Mapping, Sequence

from perdure.api.grpc.credentials import tls_context
from perdure.api.grpc.dapr.metadata import Metadata
from perdure.api.grpc.dapr.publishing import Publishing
from perdure.api.grpc.dapr.service import DAPR_SERVICE, dapr_methods
from perdure.api.grpc.dapr.workflows import Workflows
from perdure.api.grpc.doorway import Doorway
from perdure.api.grpc.health import Health
from perdure.api.grpc.methods import Makers, Method
from perdure.api.grpc.options import transport_options
from perdure.api.grpc.reflection import reflection_handlers
from perdure.api.grpc.settings import GrpcSettings
from perdure.api.grpc.streams import WorkerStreams
from perdure.api.grpc.taskhub.changing import Changing
from perdure.api.grpc.taskhub.instances import Instances
from perdure.api.grpc.taskhub.purging import Purging
from perdure.api.grpc.taskhub.reading import Reading
from perdure.api.grpc.taskhub.service import TASKHUB_SERVICE, taskhub_methods
from perdure.api.grpc.taskhub.starting import Starting
from perdure.api.grpc.taskhub.work import Work
from perdure.api.grpc.waits import Waits
from perdure.base.errors import ConfigurationError
from perdure.components.catalog import Catalog
from perdure.components.runtime import Runtime
from perdure.engine.work import Workplace
from perdure.transport.server import TransportServer


class GrpcServer:
    """A server that is started once and stopped once."""

    def __init__(
        self,
        settings: GrpcSettings,
        services: Mapping[str, Sequence[Method]],
        *,
        health: Health,
        streams: WorkerStreams,
        waits: Waits,
    ) -> None:
        """Take the parts; `build_server` makes them."""
        self._settings = settings
        self._services = services
        self._health = health
        self._streams = streams
        self._waits = waits
        self._server: TransportServer | None = None

    @property
    def connected_workers(self) -> int:
        """How many streams of work items are open."""
        return self._streams.count

    async def start(self, port: int) -> int:
        """Listen on every host; return the port, which for 0 is one that was free.

        Raises ConfigurationError if the port is in use or the files of TLS cannot be used.
        """
        assert self._server is None, "a server is started once"
        server = TransportServer(transport_options(self._settings), self._doorway().method_of)
        tls = None if self._settings.tls is None else tls_context(self._settings.tls)
        await self._health.serve(self._services)
        try:
            for host in self._settings.hosts:
                port = await _listen(server, host, port, tls)
        except ConfigurationError:
            await server.stop(0)
            raise
        self._server = server
        return port

    async def stop(self, grace_s: float, hand_out_no_more: Callable[[], None]) -> None:
        """Stop listening, then end the streams with OK, then wait for other calls for so long.

        In that order: a worker whose stream ended with OK connects again, a JavaScript one at
        once, and has to find nobody (behaviour.md section 8, point 17). `hand_out_no_more` is
        called in between, and lets the streams of the workplace end.
        """
        if self._server is None:
            return
        await self._health.stop()
        self._server.stop_listening()
        hand_out_no_more()
        self._waits.end()
        await self._server.stop(grace_s)
        self._server = None

    def _doorway(self) -> Doorway:
        handlers = {
            f"/{service}/{method.name}": method.handler
            for service, methods in self._services.items()
            for method in methods
        }
        handlers |= self._health.handlers()
        handlers |= reflection_handlers(self._services)
        return Doorway(handlers, self._settings.token)


def build_server(
    settings: GrpcSettings, catalog: Catalog, workplace: Workplace, runtime: Runtime
) -> GrpcServer:
    """Return the gRPC door to the components of `catalog` and to the work of `workplace`."""
    makers = Makers(settings.message_bytes_max)
    streams, waits = WorkerStreams(), Waits()
    app_id = runtime.app_id
    instances = Instances(catalog, app_id)
    taskhub = taskhub_methods(
        makers,
        starting=Starting(instances, frozenset(catalog.components)),
        reading=Reading(instances, waits, settings.message_bytes_max // 2),
        changing=Changing(instances, waits),
        purging=Purging(instances),
        work=Work(workplace, streams, settings, app_id),
    )
    dapr = dapr_methods(
        makers,
        Workflows(catalog, settings, app_id),
        Metadata(runtime, catalog),
        Publishing(catalog),
    )
    return GrpcServer(
        settings,
        {TASKHUB_SERVICE: taskhub, DAPR_SERVICE: dapr},
        health=Health(runtime),
        streams=streams,
        waits=waits,
    )


async def _listen(server: TransportServer, host: str, port: int, tls: ssl.SSLContext | None) -> int:
    named = host.removeprefix("[").removesuffix("]")
    try:
        return await server.listen(named, port, tls)
    except OSError as error:
        address = f"[{named}]:{port}" if ":" in named else f"{named}:{port}"
        raise ConfigurationError(
            f"gRPC cannot listen on {address}: the port is in use or the address is not this "
            "machine's; choose another with --dapr-grpc-port"
        ) from error
