"""Every option there is: its flag, the environment variables that set it, and what it is for."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from perdure.base.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Option:
    """One option. `field` is its name in `Config`; where it has no flag, `flag` is None."""

    field: str
    flag: str | None
    environment: tuple[str, ...] = ()

    @property
    def key(self) -> str | None:
        """The flag's name as `load` expects it, `dapr_http_port` for `--dapr-http-port`."""
        return None if self.flag is None else self.flag.removeprefix("--").replace("-", "_")


@dataclass(frozen=True, slots=True)
class Given:
    """A value that somebody gave, and where: a flag, a variable or a file."""

    value: object
    source: str


# Names that daprd or OpenTelemetry know come first, then our own.
OPTIONS: Final = (
    Option("app_id", "--app-id", ("DAPR_APP_ID", "APP_ID")),
    Option("namespace", None, ("NAMESPACE",)),
    Option("http_port", "--dapr-http-port", ("DAPR_HTTP_PORT",)),
    Option("grpc_port", "--dapr-grpc-port", ("DAPR_GRPC_PORT",)),
    Option("public_port", "--dapr-public-port", ("DAPR_PUBLIC_PORT",)),
    Option("metrics_port", "--metrics-port", ("DAPR_METRICS_PORT",)),
    Option("listen_addresses", "--dapr-listen-addresses", ("DAPR_LISTEN_ADDRESSES",)),
    Option("resources_paths", "--resources-path", ("PERDURE_RESOURCES_PATH",)),
    Option("configuration_file", "--config", ("PERDURE_CONFIG",)),
    Option("store", "--store", ("PERDURE_STORE",)),
    Option("no_migrate", "--no-migrate", ("PERDURE_NO_MIGRATE",)),
    Option("api_token", None, ("DAPR_API_TOKEN",)),
    Option("message_bytes_max", "--max-body-size", ("PERDURE_MAX_BODY_SIZE",)),
    Option("allowed_origins", "--allowed-origins", ("PERDURE_ALLOWED_ORIGINS",)),
    Option("tls_cert", "--tls-cert", ("PERDURE_TLS_CERT",)),
    Option("tls_key", "--tls-key", ("PERDURE_TLS_KEY",)),
    Option("tls_client_ca", "--tls-client-ca", ("PERDURE_TLS_CLIENT_CA",)),
    Option("instance_id_bytes_max", "--instance-id-max-bytes", ("PERDURE_INSTANCE_ID_MAX_BYTES",)),
    Option(
        "instance_id_extra_characters",
        "--instance-id-extra-characters",
        ("PERDURE_INSTANCE_ID_EXTRA_CHARACTERS",),
    ),
    Option("node_name", "--node-name", ("PERDURE_NODE_NAME",)),
    Option("lease_ttl_us", "--lease-ttl", ("PERDURE_LEASE_TTL",)),
    Option("receipts_us", "--receipts-kept", ("PERDURE_RECEIPTS_KEPT",)),
    Option("stop_seconds", "--dapr-graceful-shutdown-seconds", ("DAPR_GRACEFUL_SHUTDOWN_SECONDS",)),
    Option("log_level", "--log-level", ("PERDURE_LOG_LEVEL",)),
    Option("log_format", "--log-format", ("PERDURE_LOG_FORMAT",)),
    Option("log_as_json", "--log-as-json", ("PERDURE_LOG_AS_JSON",)),
    Option(
        "otel_endpoint",
        "--otel-endpoint",
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"),
    ),
    Option("otel_sampling_rate", "--otel-sampling-rate", ("OTEL_TRACES_SAMPLER_ARG",)),
)

# Another spelling of a flag, as `daprd` has it.
_SYNONYMS: Final = {"graceful_shutdown_seconds": "dapr_graceful_shutdown_seconds"}
_LISTS: Final = {"resources_paths": os.pathsep, "listen_addresses": ","}


def gather(flags: Mapping[str, object], environ: Mapping[str, str]) -> dict[str, Given]:
    """Return what was given, by field: a flag wins over the environment.

    None, an empty list and an empty variable are "not given". Raises ConfigurationError for a
    flag that there is not.
    """
    by_key = {_SYNONYMS.get(key, key): value for key, value in flags.items()}
    unknown = by_key.keys() - {option.key for option in OPTIONS}
    if unknown:
        name = min(unknown).replace("_", "-")
        raise ConfigurationError(f"--{name}: there is no such flag; see `perdure serve --help`")
    found = ((option, _given(option, by_key, environ)) for option in OPTIONS)
    return {option.field: given for option, given in found if given is not None}


def _given(option: Option, flags: Mapping[str, object], environ: Mapping[str, str]) -> Given | None:
    if option.key is not None and option.flag is not None:
        value = flags.get(option.key)
        if value not in (None, (), []):
            return Given(_split(option.field, value), option.flag)
    for variable in option.environment:
        if environ.get(variable):
            return Given(_split(option.field, environ[variable]), variable)
    return None


def _split(field: str, value: object) -> object:
    separator = _LISTS.get(field)
    if separator is None or not isinstance(value, str):
        return value
    return [part.strip() for part in value.split(separator) if part.strip()]
