"""`kind: Configuration`: limits, retention and tracing (behaviour.md 4.14)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final

from pydantic import BeforeValidator, Field

from perdure.app.documents import FileModel, Resource, check, kind_of, unknown_keys
from perdure.app.units import parse_duration
from perdure.app.yaml_files import Document, read_documents
from perdure.base.errors import ConfigurationError
from perdure.core.status import Status

KIND: Final = "Configuration"
# Whoever asks for it relies on it, so that to read past it in silence would be a lie.
SIGNING: Final = "WorkflowHistorySigning"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowSettings:
    """How much is handed out at once, and how long what has finished is kept. Absent: no bound.

    The maxima by name are for workflow types and activities of that name.
    """

    turns_max: int | None = None
    activities_max: int | None = None
    turns_max_by_name: dict[str, int] = field(default_factory=dict)
    activities_max_by_name: dict[str, int] = field(default_factory=dict)
    retention_us: dict[Status, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TracingSettings:
    """Where spans go, and the part of the traces that is kept."""

    endpoint: str | None
    sampling_rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationFile:
    """What a Configuration says, and what there is to warn about."""

    workflow: WorkflowSettings
    tracing: TracingSettings | None
    warnings: tuple[str, ...]


def _retention(value: object) -> object:
    duration_us = parse_duration(str(value)) if isinstance(value, str | int) else None
    if duration_us is None:
        raise ValueError("expected a length of time such as 90s, 1h30m or 168h")
    if duration_us < 0:
        raise ValueError("expected a length of time that is not negative")
    return duration_us


AtLeastOne = Annotated[int, Field(ge=1)]
RetentionUs = Annotated[int, BeforeValidator(_retention)]


class _NamedLimit(FileModel):
    name: Annotated[str, Field(min_length=1)]
    max_concurrent: AtLeastOne


class _Retention(FileModel):
    any_terminal: RetentionUs | None = None
    completed: RetentionUs | None = None
    failed: RetentionUs | None = None
    terminated: RetentionUs | None = None


class _Workflow(FileModel):
    max_concurrent_workflow_invocations: AtLeastOne | None = None
    max_concurrent_activity_invocations: AtLeastOne | None = None
    global_max_concurrent_workflow_invocations: AtLeastOne | None = None
    global_max_concurrent_activity_invocations: AtLeastOne | None = None
    workflow_concurrency_limits: tuple[_NamedLimit, ...] = ()
    activity_concurrency_limits: tuple[_NamedLimit, ...] = ()
    state_retention_policy: _Retention | None = None


class _Otel(FileModel):
    endpoint_address: Annotated[str, Field(min_length=1)]
    is_secure: bool = True
    protocol: str = "http"


class _Tracing(FileModel):
    sampling_rate: Annotated[float, Field(ge=0, le=1)] = 1.0
    otel: _Otel | None = None


class _Feature(FileModel):
    name: Annotated[str, Field(min_length=1)]
    enabled: bool = False


class _Spec(FileModel):
    workflow: _Workflow | None = None
    tracing: _Tracing | None = None
    features: tuple[_Feature, ...] = ()


class _Configuration(Resource):
    spec: _Spec = _Spec()


def read_configuration(file: Path) -> ConfigurationFile:
    """Return what the one Configuration in `file` says; raises ConfigurationError."""
    found: ConfigurationFile | None = None
    warnings: list[str] = []
    for document in read_documents(file):
        kind = kind_of(document)
        if kind != KIND:
            warnings.append(f"{document.place(('kind',))}: kind {kind} is not read from --config")
            continue
        if found is not None:
            raise document.error((), f"{file} holds a second {KIND}; expected one")
        configuration = check(document, _Configuration)
        spec = configuration.spec
        if spec.tracing and spec.tracing.otel and spec.tracing.otel.protocol != "http":
            raise document.error(
                ("spec", "tracing", "otel", "protocol"),
                "expected http: this version sends spans over OTLP/HTTP (port 4318) only",
            )
        warnings += unknown_keys(document, configuration)
        warnings += _features(document, spec.features)
        found = ConfigurationFile(
            workflow=_workflow_settings(spec.workflow or _Workflow()),
            tracing=_tracing_settings(spec.tracing),
            warnings=(),
        )
    if found is None:
        raise ConfigurationError(f"{file}:1:1: expected a resource of kind {KIND}")
    return ConfigurationFile(
        workflow=found.workflow, tracing=found.tracing, warnings=tuple(warnings)
    )


def _features(document: Document, features: tuple[_Feature, ...]) -> Iterator[str]:
    """Yield a warning for each feature; raises ConfigurationError for one that would be missed."""
    for number, feature in enumerate(features):
        at = ("spec", "features", number)
        if feature.name == SIGNING and feature.enabled:
            raise document.error(
                (*at, "name"),
                f"{SIGNING} cannot be enabled: histories are signed with identities that Dapr's "
                "control plane gives out, and there is none here; set enabled to false",
            )
        if feature.name != SIGNING:
            yield (
                f"{document.place((*at, 'name'))}: the feature {feature.name} is not used by "
                "perdure and has no effect"
            )


def _workflow_settings(spec: _Workflow) -> WorkflowSettings:
    # One process is the whole of the app, so both bounds hold and the smaller one is felt.
    return WorkflowSettings(
        turns_max=_smaller(
            spec.max_concurrent_workflow_invocations,
            spec.global_max_concurrent_workflow_invocations,
        ),
        activities_max=_smaller(
            spec.max_concurrent_activity_invocations,
            spec.global_max_concurrent_activity_invocations,
        ),
        turns_max_by_name=_by_name(spec.workflow_concurrency_limits),
        activities_max_by_name=_by_name(spec.activity_concurrency_limits),
        retention_us=_retention_us(spec.state_retention_policy or _Retention()),
    )


def _smaller(first: int | None, second: int | None) -> int | None:
    return min((bound for bound in (first, second) if bound is not None), default=None)


def _by_name(limits: tuple[_NamedLimit, ...]) -> dict[str, int]:
    found: dict[str, int] = {}
    for limit in limits:
        found[limit.name] = min(limit.max_concurrent, found.get(limit.name, limit.max_concurrent))
    return found


def _retention_us(policy: _Retention) -> dict[Status, int]:
    by_status = {
        Status.COMPLETED: policy.completed,
        Status.FAILED: policy.failed,
        Status.TERMINATED: policy.terminated,
        Status.CANCELED: None,
    }
    kept = {
        status: policy.any_terminal if specific is None else specific
        for status, specific in by_status.items()
    }
    return {status: kept_us for status, kept_us in kept.items() if kept_us is not None}


def _tracing_settings(spec: _Tracing | None) -> TracingSettings | None:
    if spec is None:
        return None
    endpoint = None
    if spec.otel is not None:
        address = spec.otel.endpoint_address
        scheme = "https" if spec.otel.is_secure else "http"
        endpoint = address if "://" in address else f"{scheme}://{address}"
    return TracingSettings(endpoint=endpoint, sampling_rate=spec.sampling_rate)
