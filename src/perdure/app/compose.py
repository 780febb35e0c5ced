"""The composition root: the one place that names concrete classes and puts them together."""

from dataclasses import dataclass, replace
from typing import Final, Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from perdure.api.grpc.server import GrpcServer, build_server
from perdure.api.grpc.settings import GrpcSettings, TlsFiles
from perdure.api.http.app import build_app
from perdure.api.http.settings import HttpSettings
from perdure.app.config import Config
from perdure.app.process import Process
from perdure.app.public import HealthAndMetadata
from perdure.app.remotes import Remote, answering, remotes_of
from perdure.app.sharing import sharing_of
from perdure.app.stores import open_place
from perdure.app.temporal_files import component_of_type
from perdure.app.triggering import Room, open_room
from perdure.base.errors import ConfigurationError
from perdure.base.limits import RESULT_WAITS_US
from perdure.base.observer import Observer, fan_out
from perdure.base.time import Clock
from perdure.components.catalog import EMBEDDED, Catalog
from perdure.components.embedded import EmbeddedComponent
from perdure.core.access import Access
from perdure.core.status import Status
from perdure.engine.service import Engine
from perdure.engine.settings import EngineSettings
from perdure.engine.work import Workplace
from perdure.moving.promotions import refuse_half_filled
from perdure.observability.component_readings import ComponentReadings
from perdure.observability.journal import Journal
from perdure.observability.lease_readings import LeaseReading, LeaseReadings
from perdure.observability.metrics import CONTENT_TYPE, Metrics
from perdure.observability.readings import EngineReading, Readings, StoreReading
from perdure.observability.trigger_readings import TriggerReadings
from perdure.store.port import Store

RETRY_AFTER_SECONDS: Final = 1
# Of instances that nothing will ever move, none is right; to know of so many is to know enough.
_STUCK_MAX: Final = 1_000
_EXPORT_TIMEOUT_S: Final = 5.0


class Closing(Protocol):
    """Something that takes spans and has to be closed."""

    def close(self, timeout_s: float) -> bool:
        """Let go of what is held within a time; tell whether that was enough."""
        ...


class Running(Workplace, Protocol):
    """What has workflows run, in this process or on a cluster, and hands their work out."""

    async def start(self) -> None:
        """Begin to run."""
        ...

    async def rest(self, timeout_s: float) -> bool:
        """Hand out nothing more; tell whether workers finished what they had in time."""
        ...

    def stop_handing_out(self) -> None:
        """Hand out nothing more and end every stream well."""
        ...

    async def stop(self) -> None:
        """Keep what was handed in, then stop; also where `start` has failed or never was."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Everything that runs, put together and not yet started."""

    engine: Running
    grpc: GrpcServer
    http_app: Starlette
    public_app: HealthAndMetadata
    metrics_app: Starlette
    metrics: Metrics
    spans: Closing | None
    remotes: tuple[Remote, ...]
    room: Room | None


def open_store(config: Config) -> Store:
    """Open the store that the configuration names, or raise a StoreError that says why not."""
    store = open_place(config.store, may_migrate=not config.no_migrate)
    try:
        refuse_half_filled(store)
    except BaseException:
        store.close()
        raise
    return store


def compose(config: Config, store: Store, clock: Clock, process: Process) -> House:
    """Put everything together. Called on the loop that it is to run on."""
    ears = listen(config, process)
    sharing = sharing_of(config, store)
    engine = Engine(_engine_settings(config), store, clock, ears.observer, sharing=sharing)
    ears.metrics.add(readings_of(engine, store))
    if sharing is not None:
        ears.metrics.add(LeaseReadings(sharing.name, lambda: _lease_reading(engine)))
        process.set_extended_metadata("perdureNode", sharing.name)
    remotes = remotes_of(config.temporal, clock, app_id=config.app_id)
    if remotes:
        ears.metrics.add(ComponentReadings(lambda: answering(remotes)))
    embedded = EmbeddedComponent(engine, clock, ears.observer)
    catalog = Catalog({EMBEDDED: embedded, **remotes}, component_of_type(config.temporal))
    room = open_room(config, catalog, clock)
    if room is not None:
        ears.metrics.add(TriggerReadings(room.figures))
        catalog = replace(catalog, publisher=room.publisher, triggers=room)
    return furnish(config, process, ears, catalog, engine, tuple(remotes.values()), room)


@dataclass(frozen=True, slots=True)
class Ears:
    """Who listens to what happens."""

    observer: Observer
    metrics: Metrics
    spans: Closing | None


def listen(config: Config, process: Process) -> Ears:
    """Return the metrics, the journal and, where they are configured, the traces."""
    metrics = Metrics(app_id=config.app_id, namespace=config.namespace, version=process.version)
    listeners: list[Observer] = [metrics, Journal()]
    spans = _add_traces(config, process.version, listeners)
    return Ears(fan_out(listeners), metrics, spans)


def furnish(  # noqa: PLR0913, PLR0917 - all that a house is made of
    config: Config,
    process: Process,
    ears: Ears,
    catalog: Catalog,
    engine: Running,
    remotes: tuple[Remote, ...],
    room: Room | None = None,
) -> House:
    """Return a house with its doors, to the components of `catalog` and the work of `engine`."""
    catalog = replace(catalog, access=access_of(config))
    grpc_server = build_server(_grpc_settings(config), catalog, engine, process)
    process.count_workers = lambda: grpc_server.connected_workers
    metrics_route = _metrics_route(ears.metrics)
    return House(
        engine=engine,
        grpc=grpc_server,
        http_app=build_app(
            _http_settings(config, token=True),
            catalog,
            process,
            further_routes=[metrics_route],
            webhooks=() if room is None else room.routes,
            open_paths=() if room is None else room.open_paths,
        ),
        public_app=HealthAndMetadata(
            build_app(_http_settings(config, token=False), catalog, process)
        ),
        metrics_app=Starlette(routes=[metrics_route]),
        metrics=ears.metrics,
        spans=ears.spans,
        remotes=remotes,
        room=room,
    )


def access_of(config: Config) -> Access:
    """Return what apps may do to workflows of other apps."""
    return Access(tuple(config.resources.policies))


def _add_traces(config: Config, version: str, listeners: list[Observer]) -> Closing | None:
    if config.otel_endpoint is None:
        return None
    try:
        # An optional family of libraries is loaded only when it is configured.
        from perdure.observability import exporting, traces
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"traces are to be sent to {config.otel_endpoint}, and {error.name} is not installed; "
            "install perdure[otel]"
        ) from error
    exporter = traces.otlp_exporter(config.otel_endpoint, timeout_s=_EXPORT_TIMEOUT_S)
    sink = exporting.BatchSink(exporter)
    listeners.append(
        traces.Traces(
            sink,
            app_id=config.app_id,
            namespace=config.namespace,
            version=version,
            sampling_rate=config.otel_sampling_rate,
        )
    )
    return sink


def _engine_settings(config: Config) -> EngineSettings:
    workflow = config.workflow
    return EngineSettings(
        app_id=config.app_id,
        message_bytes_max=config.message_bytes_max,
        turns_max=workflow.turns_max,
        activities_max=workflow.activities_max,
        turns_max_by_name=workflow.turns_max_by_name,
        activities_max_by_name=workflow.activities_max_by_name,
        retention_us=workflow.retention_us,
        receipts_us=config.receipts_us,
        access=access_of(config),
        result_waits_us=RESULT_WAITS_US,
        trace_all=config.otel_endpoint is not None and config.otel_sampling_rate > 0,
    )


def _token(config: Config) -> str | None:
    return None if config.api_token is None else config.api_token.get_secret_value()


def _http_settings(config: Config, *, token: bool) -> HttpSettings:
    origins = (origin.strip() for origin in (config.allowed_origins or "").split(","))
    return HttpSettings(
        api_token=_token(config) if token else None,
        allowed_origins=tuple(origin for origin in origins if origin),
        body_bytes_max=config.message_bytes_max,
        instance_id_bytes_max=config.instance_id_bytes_max,
        instance_id_extra_characters=config.instance_id_extra_characters,
        retry_after_seconds=RETRY_AFTER_SECONDS,
    )


def _grpc_settings(config: Config) -> GrpcSettings:
    tls = None
    if config.tls_cert is not None and config.tls_key is not None:
        tls = TlsFiles(config.tls_cert, config.tls_key, config.tls_client_ca)
    return GrpcSettings(
        hosts=config.listen_addresses,
        token=_token(config),
        tls=tls,
        message_bytes_max=config.message_bytes_max,
        instance_id_bytes_max=config.instance_id_bytes_max,
        instance_id_extra_characters=config.instance_id_extra_characters,
    )


def readings_of(engine: Engine, store: Store) -> Readings:
    """Return what metrics read of an engine and its store when they are asked for."""
    return Readings(lambda: _engine_reading(engine), lambda: _store_reading(store))


def _engine_reading(engine: Engine) -> EngineReading:
    figures = engine.figures()
    return EngineReading(
        ready_turns=figures["ready_turns"],
        ready_activities=figures["ready_activities"],
        outstanding_turns=figures["outstanding_turns"],
        outstanding_activities=figures["outstanding_activities"],
        open_streams=figures["streams"],
        residents=figures["residents"],
    )


def _lease_reading(engine: Engine) -> LeaseReading:
    figures = engine.leases
    assert figures is not None, "whoever shares a store has leases"
    return LeaseReading(
        held=figures.held,
        taken=figures.taken,
        taken_over=figures.taken_over,
        given_back=figures.given_back,
        lost=figures.lost,
    )


def _store_reading(store: Store) -> StoreReading:
    counts = store.counts()
    return StoreReading(
        instances={status.name: counts.get(status, 0) for status in Status},
        stuck=len(store.stuck(_STUCK_MAX)),
    )


def _metrics_route(metrics: Metrics) -> Route:
    async def page(_request: Request) -> Response:
        return Response(await metrics.page(), headers={"Content-Type": CONTENT_TYPE})

    return Route("/metrics", page, methods=["GET"])
