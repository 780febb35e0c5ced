"""`kind: Component` files of `--resources-path`, and the other resources that stand beside them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final

from pydantic import BeforeValidator, Field

from perdure.app.access_files import KIND as POLICY
from perdure.app.access_files import read_policy
from perdure.app.component_metadata import ComponentSettings, MetadataItem, Origin, Secrets
from perdure.app.documents import FileModel, Resource, check, kind_of
from perdure.app.secret_stores import PREFIX as SECRET_STORE_PREFIX
from perdure.app.secret_stores import open_secret_store
from perdure.app.yaml_files import Document, read_documents
from perdure.base.errors import ConfigurationError
from perdure.components.catalog import EMBEDDED
from perdure.components.temporal.settings import KIND as TEMPORAL_TYPE
from perdure.core.access import Policy

KIND: Final = "Component"
SUBSCRIPTION: Final = "Subscription"
TRIGGER: Final = "WorkflowTrigger"
EMBEDDED_TYPE: Final = "workflow.dapr"
_WORKFLOW_PREFIX: Final = "workflow."
# What is built from its settings once everything has been read.
_BUILT_PREFIXES: Final = ("bindings.", "pubsub.")
_SUFFIXES: Final = frozenset({".yaml", ".yml"})


@dataclass(frozen=True, slots=True)
class Surroundings:
    """For whom files are read, and the environment that they may refer to."""

    app_id: str
    namespace: str = "default"
    environ: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Resources:
    """What the files of `--resources-path` came to."""

    names: set[str] = field(default_factory=set)
    warnings: list[str] = field(default_factory=list)
    # Bindings, pub/sub brokers and further workflow components, by name.
    components: dict[str, ComponentSettings] = field(default_factory=dict)
    subscriptions: list[Document] = field(default_factory=list)
    triggers: list[Document] = field(default_factory=list)
    policies: list[Policy] = field(default_factory=list)


def _empty_if_null(value: object) -> object:
    return () if value is None else value


class _Spec(FileModel):
    type: Annotated[str, Field(min_length=1)]
    metadata: Annotated[tuple[MetadataItem, ...], BeforeValidator(_empty_if_null)] = ()


class _Auth(FileModel):
    secret_store: str = ""


class _Component(Resource):
    spec: _Spec
    auth: _Auth = _Auth()
    scopes: tuple[str, ...] = ()


Read = tuple[Document, _Component]


def read_resources(
    paths: Sequence[Path],
    *,
    app_id: str,
    namespace: str = "default",
    environ: Mapping[str, str] | None = None,
) -> Resources:
    """Read every resource file below `paths`; raises ConfigurationError with the place.

    `environ` is what `envRef` and the environment's secret store read from.
    """
    surroundings = Surroundings(app_id, namespace, environ or {})
    resources = Resources()
    found: list[Read] = []
    for file in (file for path in paths for file in _files(path)):
        for document in read_documents(file):
            component = _read_one(document, resources, app_id)
            if component is not None:
                found.append((document, component))
    _settle(found, resources, surroundings)
    return resources


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    try:
        found = sorted(path.iterdir())
    except OSError as error:
        raise ConfigurationError(
            f"--resources-path {path}: cannot be read: {error.strerror}; "
            "expected a folder with component files"
        ) from error
    yield from (file for file in found if file.suffix in _SUFFIXES and file.is_file())


def _read_one(document: Document, resources: Resources, app_id: str) -> _Component | None:
    kind = kind_of(document)
    place = document.place(("kind",))
    if kind == POLICY:
        _policy(document, resources)
    elif kind == SUBSCRIPTION:
        resources.subscriptions.append(document)
    elif kind == TRIGGER:
        resources.triggers.append(document)
    elif kind != KIND:
        resources.warnings.append(f"{place}: kind {kind} is not used by perdure and has no effect")
    else:
        return _component(document, resources, app_id)
    return None


def _policy(document: Document, resources: Resources) -> None:
    policy, warnings = read_policy(document)
    if any(policy.name == other.name for other in resources.policies):
        raise document.error(("metadata", "name"), f"a policy {policy.name} is loaded already")
    resources.policies.append(policy)
    resources.warnings += warnings


def _component(document: Document, resources: Resources, app_id: str) -> _Component | None:
    component = check(document, _Component)
    if component.scopes and app_id not in component.scopes:
        return None
    name, type_ = component.metadata.name, component.spec.type
    if name in resources.names:
        raise document.error(("metadata", "name"), f"a component {name} is loaded already")
    resources.names.add(name)
    if type_.startswith((SECRET_STORE_PREFIX, *_BUILT_PREFIXES)):
        return component
    if not type_.startswith(_WORKFLOW_PREFIX):
        resources.warnings.append(
            f"{document.place(('spec', 'type'))}: {type_} is not used by perdure and has no effect"
        )
        return None
    if name == EMBEDDED:
        raise document.error(
            ("metadata", "name"),
            f"the name {EMBEDDED} belongs to the embedded engine; give the component another name",
        )
    if type_ == TEMPORAL_TYPE:
        return component
    advice = (
        f"the embedded engine is always loaded, as {EMBEDDED}; remove this file"
        if type_ == EMBEDDED_TYPE
        else f"the type may be {TEMPORAL_TYPE}; {EMBEDDED_TYPE} is always loaded, as {EMBEDDED}"
    )
    raise document.error(("spec", "type"), f"{type_} cannot be loaded: {advice}")


def _settle(found: Sequence[Read], resources: Resources, surroundings: Surroundings) -> None:
    """Resolve what components refer to, now that every secret store has been read."""
    stores: dict[str, Secrets] = {}
    for document, component in found:
        if component.spec.type.startswith(SECRET_STORE_PREFIX):
            settings = _settings(document, component, surroundings, None)
            stores[component.metadata.name] = open_secret_store(settings, surroundings.environ)
            resources.warnings += settings.unused()
    for document, component in found:
        if component.spec.type.startswith(SECRET_STORE_PREFIX):
            continue
        wanted = component.auth.secret_store
        if wanted and wanted not in stores:
            raise document.error(
                ("auth", "secretStore"), f"there is no secret store {wanted} among the components"
            )
        settings = _settings(document, component, surroundings, stores.get(wanted))
        resources.components[component.metadata.name] = settings


def _settings(
    document: Document, component: _Component, surroundings: Surroundings, secrets: Secrets | None
) -> ComponentSettings:
    origin = Origin(
        document,
        component.metadata.name,
        component.spec.type,
        surroundings.app_id,
        surroundings.namespace,
    )
    return ComponentSettings(origin, component.spec.metadata, surroundings.environ, secrets)
