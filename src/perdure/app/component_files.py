"""`kind: Component` files of `--resources-path`, in which workflow components are configured."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from perdure.app.documents import FileModel, Resource, check, kind_of
from perdure.app.yaml_files import Document, read_documents
from perdure.base.errors import ConfigurationError
from perdure.components.catalog import EMBEDDED

KIND: Final = "Component"
EMBEDDED_TYPE: Final = "workflow.dapr"
_WORKFLOW_PREFIX: Final = "workflow."
_SUFFIXES: Final = frozenset({".yaml", ".yml"})
# Kinds that would forbid something to somebody: to read past them in silence would be a lie.
_POLICIES: Final = frozenset({"WorkflowAccessPolicy"})


@dataclass(slots=True)
class Resources:
    """What the files of `--resources-path` came to."""

    names: set[str] = field(default_factory=set)
    warnings: list[str] = field(default_factory=list)


class _Spec(FileModel):
    type: Annotated[str, Field(min_length=1)]


class _Component(Resource):
    spec: _Spec
    scopes: tuple[str, ...] = ()


def read_resources(paths: Sequence[Path], *, app_id: str) -> Resources:
    """Read every component file below `paths`; raises ConfigurationError with the place."""
    resources = Resources()
    for file in (file for path in paths for file in _files(path)):
        for document in read_documents(file):
            _read_one(document, resources, app_id)
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


def _read_one(document: Document, resources: Resources, app_id: str) -> None:
    kind = kind_of(document)
    place = document.place(("kind",))
    if kind in _POLICIES:
        resources.warnings.append(f"{place}: {kind} is NOT enforced by this version")
        return
    if kind != KIND:
        resources.warnings.append(f"{place}: kind {kind} is not used by perdure and has no effect")
        return
    component = check(document, _Component)
    if component.scopes and app_id not in component.scopes:
        return
    name, type_ = component.metadata.name, component.spec.type
    if name in resources.names:
        raise document.error(("metadata", "name"), f"a component {name} is loaded already")
    resources.names.add(name)
    if not type_.startswith(_WORKFLOW_PREFIX):
        resources.warnings.append(
            f"{document.place(('spec', 'type'))}: {type_} is not used by perdure and has no effect"
        )
        return
    if name == EMBEDDED:
        raise document.error(
            ("metadata", "name"),
            f"the name {EMBEDDED} belongs to the embedded engine; give the component another name",
        )
    advice = (
        f"the embedded engine is always loaded, as {EMBEDDED}; remove this file"
        if type_ == EMBEDDED_TYPE
        else f"this version has {EMBEDDED_TYPE} only, which is always loaded as {EMBEDDED}"
    )
    raise document.error(("spec", "type"), f"{type_} cannot be loaded: {advice}")
