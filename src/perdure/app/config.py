"""Everything a person may set, merged from flags, environment, files and defaults.

A flag wins over the environment, the environment over a file, a file over the default.
"""

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    InstanceOf,
    SecretStr,
    ValidationError,
    field_validator,
)

from perdure.app.component_files import Resources, read_resources
from perdure.app.configuration_file import ConfigurationFile, WorkflowSettings, read_configuration
from perdure.app.options import OPTIONS, Given, gather
from perdure.app.stores import Database, Place, place_of, without_secrets
from perdure.app.temporal_files import read_temporal
from perdure.app.triggering import check_triggers
from perdure.app.units import parse_duration, parse_size
from perdure.base.errors import ConfigurationError
from perdure.base.limits import (
    INSTANCE_ID_BYTES_MAX,
    KIB,
    LEASE_TTL_US,
    LEASE_TTL_US_MAX,
    LEASE_TTL_US_MIN,
    MESSAGE_BYTES_MAX,
    RECEIPTS_KEPT_US,
    STOP_TIMEOUT_US,
    TASKHUB_INSTANCE_ID_BYTES_MAX,
)
from perdure.base.time import SECOND_US
from perdure.components.temporal.settings import TemporalSettings

HTTP_PORT: Final = 3500
GRPC_PORT: Final = 50001
STORE: Final = Path("perdure.db")
# A message has to hold at least what a start needs; gRPC counts its limit in 31 bits.
_BODY_BYTES_MIN: Final = 64 * KIB
_BODY_BYTES_MAX: Final = 2**31 - 1
_STOP_SECONDS_MAX: Final = 3_600


def _size(value: object) -> object:
    size_bytes = parse_size(value) if isinstance(value, str) else value
    if size_bytes is None:
        raise ValueError("expected a size such as 4Mi, 16MB or 4194304")
    return size_bytes


def _receipts(value: object) -> object:
    duration_us = parse_duration(value) if isinstance(value, str) else value
    if not isinstance(duration_us, int) or duration_us < SECOND_US:
        raise ValueError("expected a length of time such as 168h or 30m, of a second or more")
    return duration_us


def _lease_ttl(value: object) -> object:
    duration_us = parse_duration(value) if isinstance(value, str) else value
    if not isinstance(duration_us, int) or not LEASE_TTL_US_MIN <= duration_us <= LEASE_TTL_US_MAX:
        raise ValueError("expected a length of time such as 5s, from 2s to 5m")
    return duration_us


Port = Annotated[int, Field(ge=0, le=65535)]
Size = Annotated[int, BeforeValidator(_size), Field(ge=_BODY_BYTES_MIN, le=_BODY_BYTES_MAX)]
LogLevel = Literal["debug", "info", "warn", "error", "fatal"]
LogFormat = Literal["console", "json"]


class Config(BaseModel):
    """What the server is to be. Port 0 lets the system choose one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    app_id: Annotated[str, Field(min_length=1, max_length=256)] = "perdure"
    namespace: str = "default"
    http_port: Port = HTTP_PORT
    grpc_port: Port = GRPC_PORT
    public_port: Port | None = None
    metrics_port: Port | None = None
    listen_addresses: Annotated[tuple[str, ...], Field(min_length=1)] = ("127.0.0.1",)
    resources_paths: tuple[Path, ...] = ()
    configuration_file: Path | None = None
    store: Annotated[InstanceOf[Path] | InstanceOf[Database], BeforeValidator(place_of)] = STORE
    no_migrate: bool = False
    api_token: SecretStr | None = None
    message_bytes_max: Size = MESSAGE_BYTES_MAX
    allowed_origins: str | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_client_ca: Path | None = None
    instance_id_bytes_max: Annotated[int, Field(ge=1, le=TASKHUB_INSTANCE_ID_BYTES_MAX)] = (
        INSTANCE_ID_BYTES_MAX
    )
    instance_id_extra_characters: Annotated[str, Field(max_length=64)] = ""
    receipts_us: Annotated[int, BeforeValidator(_receipts)] = RECEIPTS_KEPT_US
    node_name: Annotated[str | None, Field(min_length=1, max_length=256)] = None
    lease_ttl_us: Annotated[int, BeforeValidator(_lease_ttl)] = LEASE_TTL_US
    stop_seconds: Annotated[int, Field(ge=0, le=_STOP_SECONDS_MAX)] = STOP_TIMEOUT_US // SECOND_US
    log_level: LogLevel = "info"
    log_format: LogFormat = "console"
    log_as_json: bool = False
    otel_endpoint: str | None = None
    otel_sampling_rate: Annotated[float, Field(ge=0, le=1)] = 1.0
    workflow: WorkflowSettings = WorkflowSettings()
    component_names: frozenset[str] = frozenset()
    temporal: tuple[InstanceOf[TemporalSettings], ...] = ()
    resources: InstanceOf[Resources] = Field(default_factory=Resources)
    warnings: tuple[str, ...] = ()

    @field_validator("log_level", mode="before")
    @classmethod
    def _level_as_we_write_it(cls, value: object) -> object:
        text = str(value).lower()
        return "warn" if text == "warning" else text

    @field_validator("instance_id_extra_characters")
    @classmethod
    def _characters_that_a_path_can_hold(cls, value: str) -> str:
        if any(
            letter in "/?#%" or not letter.isprintable() or letter.isspace() for letter in value
        ):
            raise ValueError(
                "expected characters that a path can hold, so none of / ? # % and space"
            )
        return value

    @field_validator("otel_endpoint")
    @classmethod
    def _address_of_a_collector(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("expected an address such as http://localhost:4318")
        return value

    @property
    def writes_json(self) -> bool:
        """Whether log lines are JSON."""
        return self.log_as_json or self.log_format == "json"

    @property
    def is_loopback_only(self) -> bool:
        """Whether nobody but this machine can reach the server."""
        return all(_is_loopback(address) for address in self.listen_addresses)


def load(flags: Mapping[str, object], environ: Mapping[str, str]) -> Config:
    """Return the configuration that flags, environment and the files they name come to.

    `flags` are named as `--dapr-http-port` is, `dapr_http_port`; None is "not given". Raises
    ConfigurationError, which says which flag, variable, or place in a file is to blame.
    """
    given = gather(flags, environ)
    config = _validated(given)
    _check_together(config, given)
    if config.configuration_file is not None:
        file = read_configuration(config.configuration_file)
        config = _validated(given | _from_file(file, config.configuration_file, given))
        config = config.model_copy(update={"workflow": file.workflow, "warnings": file.warnings})
    resources = read_resources(
        config.resources_paths,
        app_id=config.app_id,
        namespace=config.namespace,
        environ=environ,
    )
    temporal = read_temporal(resources.components)
    unused = [text for each in temporal for text in resources.components[each.name].unused()]
    config = config.model_copy(
        update={
            "component_names": frozenset(resources.names),
            "resources": resources,
            "temporal": temporal,
        }
    )
    warnings = (*config.warnings, *resources.warnings, *unused, *check_triggers(config))
    return config.model_copy(update={"warnings": warnings})


def _validated(given: Mapping[str, Given]) -> Config:
    try:
        return Config.model_validate({field: each.value for field, each in given.items()})
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        field = str(first["loc"][0])
        each = given[field]
        # A token is never repeated, not even in an error.
        shown = "" if field == "api_token" else f" {without_secrets(str(each.value))}"
        said = first["msg"].removeprefix("Value error, ").replace("Input should", "should")
        raise ConfigurationError(f"{each.source}{shown}: {said}") from error


def _from_file(file: ConfigurationFile, path: Path, given: Mapping[str, Given]) -> dict[str, Given]:
    if file.tracing is None:
        return {}
    offered = {
        "otel_endpoint": file.tracing.endpoint,
        "otel_sampling_rate": file.tracing.sampling_rate,
    }
    return {
        field: Given(value, f"{path}: spec.tracing")
        for field, value in offered.items()
        if value is not None and field not in given
    }


def _check_together(config: Config, given: Mapping[str, Given]) -> None:
    """Check what no option can know alone, and that the files it names are there."""
    if (config.tls_cert is None) != (config.tls_key is None):
        raise ConfigurationError("--tls-cert and --tls-key go together; give both or neither")
    if config.tls_client_ca is not None and config.tls_cert is None:
        raise ConfigurationError("--tls-client-ca needs --tls-cert and --tls-key as well")
    for field in ("tls_cert", "tls_key", "tls_client_ca"):
        file = getattr(config, field)
        if file is not None and not file.is_file():
            raise ConfigurationError(f"{given[field].source} {file}: there is no such file")
    _check_ports(config)
    _check_store(config.store)


def _check_ports(config: Config) -> None:
    flags = {option.field: option.flag for option in OPTIONS}
    taken: dict[int, str] = {}
    for field in ("http_port", "grpc_port", "public_port", "metrics_port"):
        port = getattr(config, field)
        flag = str(flags[field])
        if port in taken:
            raise ConfigurationError(
                f"{flag} {port}: is the same as {taken[port]}; give each a port of its own"
            )
        if port:
            taken[port] = flag


def _check_store(store: Place) -> None:
    if isinstance(store, Database):
        return
    if store.is_dir():
        raise ConfigurationError(f"--store {store}: is a folder; give the path of a file in it")
    if not store.parent.is_dir():
        raise ConfigurationError(
            f"--store {store}: there is no folder {store.parent}; create it first"
        )


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return address == "localhost"
