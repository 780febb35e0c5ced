"""The flags of a server, as one table: `serve` and `run` take the same ones.

A flag that is not given is left out of what is handed to `perdure.app.config`, which knows the
environment variables and the defaults; the defaults named here are told to people only.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer

_SERVER = "Server"
_FILES = "Files"
_LIMITS = "Limits"
STOPPING: Final = "Stopping"
_LOGS = "Logs, metrics and traces"
_TLS = "TLS of the gRPC port"


class LogLevel(StrEnum):
    """How much is logged, in daprd's words."""

    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"
    FATAL = "fatal"


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag: its key in the configuration, its type, and what `--help` says of it."""

    key: str
    kind: object
    panel: str
    help: str
    default: str | None = None
    metavar: str | None = None

    @property
    def name(self) -> str:
        """The flag as a person types it."""
        return "--" + self.key.replace("_", "-")

    def parameter(self, default: str | None) -> inspect.Parameter:
        """Return the flag as a parameter of a function that typer reads; `default` is told."""
        told = f"{self.help} [dim]\\[default: {default}][/dim]" if default else self.help
        option = typer.Option(
            self.name,
            help=told,
            rich_help_panel=self.panel,
            show_default=False,
            metavar=self.metavar,
        )
        return inspect.Parameter(
            self.key,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[self.kind, option],
        )


_OPTIONAL_TEXT: Final = str | None
_OPTIONAL_NUMBER: Final = int | None
_OPTIONAL_PATH: Final = Path | None

FLAGS: Final = (
    Flag(
        "app_id",
        _OPTIONAL_TEXT,
        _SERVER,
        "Name of the application whose workflows run here.",
        "perdure, or DAPR_APP_ID",
        "NAME",
    ),
    Flag(
        "dapr_http_port",
        _OPTIONAL_NUMBER,
        _SERVER,
        "Port of the HTTP API.",
        "3500, or DAPR_HTTP_PORT",
        "PORT",
    ),
    Flag(
        "dapr_grpc_port",
        _OPTIONAL_NUMBER,
        _SERVER,
        "Port of the gRPC API, where workers connect.",
        "50001, or DAPR_GRPC_PORT",
        "PORT",
    ),
    Flag(
        "dapr_public_port",
        _OPTIONAL_NUMBER,
        _SERVER,
        "Serve health and metadata, without a token, on a port of their own as well.",
        metavar="PORT",
    ),
    Flag(
        "dapr_listen_addresses",
        _OPTIONAL_TEXT,
        _SERVER,
        "Addresses to listen on, with commas between them.",
        "127.0.0.1",
        "ADDRESSES",
    ),
    Flag(
        "allowed_origins",
        _OPTIONAL_TEXT,
        _SERVER,
        "Origins that browsers may call the HTTP API from (CORS), with commas; * is any.",
        None,
        "ORIGINS",
    ),
    Flag(
        "store",
        _OPTIONAL_TEXT,
        _FILES,
        "SQLite file that holds everything, made if it is not there; or postgres://host/database.",
        "perdure.db, or PERDURE_STORE",
        "FILE",
    ),
    Flag(
        "no_migrate",
        bool | None,
        _FILES,
        "Leave the tables of a database as they are; `perdure migrate` brings them up to date.",
        metavar="",
    ),
    Flag(
        "config",
        _OPTIONAL_PATH,
        _FILES,
        "YAML file with a Dapr Configuration: concurrency limits and retention (spec.workflow).",
        metavar="FILE",
    ),
    Flag(
        "resources_path",
        list[Path] | None,
        _FILES,
        "Folder of component files (YAML). Can be given more than once.",
        metavar="FOLDER",
    ),
    Flag(
        "max_body_size",
        _OPTIONAL_TEXT,
        _LIMITS,
        "Largest request, and largest gRPC message: 4Mi, 512Ki, 16M or a number of bytes.",
        "4Mi",
        "SIZE",
    ),
    Flag(
        "instance_id_max_bytes",
        _OPTIONAL_NUMBER,
        _LIMITS,
        "Longest instance id that a start may name.",
        "64",
        "BYTES",
    ),
    Flag(
        "instance_id_extra_characters",
        _OPTIONAL_TEXT,
        _LIMITS,
        "Characters that an instance id may have besides letters, digits, _ and -.",
        metavar="CHARS",
    ),
    Flag(
        "receipts_kept",
        _OPTIONAL_TEXT,
        _LIMITS,
        "How long a message of a trigger that comes again is known, and starts nothing twice.",
        "168h",
        "TIME",
    ),
    Flag(
        "node_name",
        _OPTIONAL_TEXT,
        _LIMITS,
        "What people call this server among others on one Postgres.",
        "the machine's name",
        "NAME",
    ),
    Flag(
        "lease_ttl",
        _OPTIONAL_TEXT,
        _LIMITS,
        "How long other servers on one Postgres wait before they go on with a dead one's work.",
        "5s",
        "TIME",
    ),
    Flag(
        "dapr_graceful_shutdown_seconds",
        _OPTIONAL_NUMBER,
        STOPPING,
        "Seconds that a stop may take before what is left is cut off.",
        "10",
        "N",
    ),
    Flag(
        "log_level",
        LogLevel | None,
        _LOGS,
        "How much is logged: debug, info, warn, error or fatal.",
        "info",
        "LEVEL",
    ),
    Flag("log_as_json", bool | None, _LOGS, "Log one JSON object a line.", metavar=""),
    Flag(
        "metrics_port",
        _OPTIONAL_NUMBER,
        _LOGS,
        "Serve Prometheus metrics on a port of their own, besides /metrics on the HTTP port.",
        metavar="PORT",
    ),
    Flag(
        "otel_endpoint",
        _OPTIONAL_TEXT,
        _LOGS,
        "OTLP/HTTP address to send traces to. Needs perdure\\[otel].",
        metavar="URL",
    ),
    Flag(
        "otel_sampling_rate",
        float | None,
        _LOGS,
        "Share of the workflows that are traced, 0 to 1.",
        "1",
        "RATE",
    ),
    Flag("tls_cert", _OPTIONAL_PATH, _TLS, "Certificate chain (PEM).", metavar="FILE"),
    Flag("tls_key", _OPTIONAL_PATH, _TLS, "Private key of the certificate (PEM).", metavar="FILE"),
    Flag(
        "tls_client_ca",
        _OPTIONAL_PATH,
        _TLS,
        "Certificate authority of the clients (PEM): with it, clients must show a certificate.",
        metavar="FILE",
    ),
)


def with_server_flags(
    *, without: frozenset[str] = frozenset(), more: Sequence[Flag] = (), **defaults: str
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a function, which takes `**settings`, every flag of the table in typer's eyes.

    Save those that it is to be `without`, and with `more` of its own, which come first. `defaults`
    are told instead of those of the table.
    """

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        own = [
            parameter
            for parameter in inspect.signature(function, eval_str=True).parameters.values()
            if parameter.kind is not inspect.Parameter.VAR_KEYWORD
        ]
        flags = [
            flag.parameter(defaults.get(flag.key, flag.default))
            for flag in (*more, *FLAGS)
            if flag.key not in without
        ]
        function.__signature__ = inspect.Signature([*own, *flags])  # type: ignore[attr-defined]  # inspect looks for it
        return function

    return decorate


def given(settings: Mapping[str, object]) -> dict[str, Any]:
    """Return the settings that were given, without those that were left to their defaults."""
    return {
        key: value.value if isinstance(value, LogLevel) else value
        for key, value in settings.items()
        if value is not None and value != []
    }


def as_arguments(settings: Mapping[str, object]) -> list[str]:
    """Return the settings as arguments for another `perdure serve`."""
    arguments: list[str] = []
    for key, value in given(settings).items():
        name = "--" + key.replace("_", "-")
        match value:
            case True:
                arguments.append(name)
            case False:
                continue
            case list():
                for each in value:
                    arguments += [name, str(each)]
            case _:
                arguments += [name, str(value)]
    return arguments
