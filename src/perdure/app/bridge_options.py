"""What `perdure bridge` is told besides what every server is told: which cluster, and how."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from perdure.app.config import Config
from perdure.base.errors import ConfigurationError
from perdure.components.temporal.settings import HOSTPORT, NAMESPACE, TemporalSettings, TlsSettings

ADDRESS_VARIABLE: Final = "TEMPORAL_ADDRESS"
NAMESPACE_VARIABLE: Final = "TEMPORAL_NAMESPACE"
API_KEY_VARIABLE: Final = "TEMPORAL_API_KEY"
# Every app has its own task queue, which is called like the app unless somebody says otherwise.
QUEUES: Final = "{app_id}"
_COMPONENT: Final = "dapr"
_OF_A_STORE: Final = frozenset(
    {
        "PERDURE_STORE",
        "PERDURE_NO_MIGRATE",
        "PERDURE_RESOURCES_PATH",
        "PERDURE_RECEIPTS_KEPT",
        "PERDURE_NODE_NAME",
        "PERDURE_LEASE_TTL",
    }
)
_PORT_MAX: Final = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterFlags:
    """The flags of the cluster as they were given; None is "not given"."""

    temporal: str | None = None
    namespace: str | None = None
    task_queue: str | None = None
    temporal_tls: bool = False
    temporal_tls_ca: Path | None = None
    temporal_tls_cert: Path | None = None
    temporal_tls_key: Path | None = None


def without_a_store(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without what only a server with a store of its own may be told."""
    return {name: value for name, value in environ.items() if name not in _OF_A_STORE}


def cluster_flags(typed: Mapping[str, Any], environ: Mapping[str, str]) -> ClusterFlags:
    """Return the flags of the cluster, each as it was typed, or else from the environment.

    The variables are those of Temporal's own tools.
    """
    variables = {"temporal": ADDRESS_VARIABLE, "namespace": NAMESPACE_VARIABLE}
    found = {key: environ.get(name) or None for key, name in variables.items()}
    return ClusterFlags(**found | {key: value for key, value in typed.items() if value is not None})


def cluster_of(flags: ClusterFlags, config: Config, environ: Mapping[str, str]) -> TemporalSettings:
    """Return the cluster's settings. Raises ConfigurationError that names the flag to blame."""
    return TemporalSettings(
        name=_COMPONENT,
        hostport=_address(flags.temporal or HOSTPORT),
        namespace=flags.namespace or NAMESPACE,
        identity=f"perdure-bridge/{config.app_id}/{uuid4().hex[:8]}",
        task_queue=None,
        workflow_types=(),
        tls=_tls(flags),
        api_key=environ.get(API_KEY_VARIABLE) or None,
    )


def queues_of(flags: ClusterFlags) -> str:
    """Return the pattern of the task queues' names. Raises ConfigurationError for a bad one."""
    queues = flags.task_queue or QUEUES
    if queues.replace(QUEUES, "").count("{") or not queues.strip():
        raise ConfigurationError(
            f"--task-queue {queues}: expected a name, in which {QUEUES} stands for that of the app"
        )
    return queues


def check_config(config: Config) -> Config:
    """Return the configuration of a bridge, with a warning for what means nothing to it."""
    warnings = list(config.warnings)
    if config.workflow.retention_us:
        warnings.append(
            "stateRetentionPolicy means nothing to a bridge: how long finished workflows are kept "
            "is a setting of the Temporal namespace"
        )
    if config.resources.policies:
        warnings.append(
            "access policies are felt by calls to the bridge; what its workflows ask of other apps "
            "is NOT judged by them"
        )
    return config.model_copy(update={"warnings": tuple(warnings)})


def _address(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal() or not 0 < int(port) <= _PORT_MAX:
        raise ConfigurationError(f"--temporal {text}: expected HOST:PORT, such as {HOSTPORT}")
    return text


def _tls(flags: ClusterFlags) -> TlsSettings | None:
    files = (flags.temporal_tls_ca, flags.temporal_tls_cert, flags.temporal_tls_key)
    if not flags.temporal_tls and not any(files):
        return None
    if (flags.temporal_tls_cert is None) != (flags.temporal_tls_key is None):
        raise ConfigurationError("--temporal-tls-cert and --temporal-tls-key go together")
    return TlsSettings(
        server_name=None,
        server_ca=_content(flags.temporal_tls_ca, "--temporal-tls-ca"),
        client_certificate=_content(flags.temporal_tls_cert, "--temporal-tls-cert"),
        client_key=_content(flags.temporal_tls_key, "--temporal-tls-key"),
    )


def _content(path: Path | None, flag: str) -> bytes | None:
    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{flag} {path}: {error.strerror}") from error
