"""Dapr's resource files (`kind: Component`, `kind: Configuration`), checked against models.

A value that cannot be used is an error with its place; a key that means nothing here is a
warning with its place, since the same file may also be read by a Dapr that knows more.
"""

from collections.abc import Iterator
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from perdure.app.yaml_files import Document, Location


class FileModel(BaseModel):
    """A part of a file: its keys are written in camel case, and unknown ones are kept apart."""

    model_config = ConfigDict(alias_generator=to_camel, extra="allow", frozen=True)


class Metadata(FileModel):
    """Whom a resource is called; what else Kubernetes keeps there is nobody's concern here."""

    name: str


class Resource(FileModel):
    """What every resource file begins with."""

    api_version: str
    kind: str
    metadata: Metadata


Model = TypeVar("Model", bound=FileModel)


def check(document: Document, model: type[Model]) -> Model:
    """Return the document as `model`; raises ConfigurationError that names the place."""
    try:
        return model.model_validate(document.value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        location: Location = first["loc"]
        key = ".".join(str(part) for part in location)
        said = _expectation(first["msg"])
        raise document.error(location, f"{key}: {said}" if key else said) from error


def kind_of(document: Document) -> str:
    """Return the kind of a resource; raises ConfigurationError if the document is none."""
    if not isinstance(document.value, dict):
        raise document.error((), "expected a resource with apiVersion, kind, metadata and spec")
    return check(document, Resource).kind


def unknown_keys(document: Document, model: FileModel, at: Location = ()) -> Iterator[str]:
    """Yield a warning for each key below `at` that means nothing to us."""
    for key in model.model_extra or {}:
        location = (*at, key)
        path = ".".join(str(part) for part in location)
        yield f"{document.place(location)}: {path} is not used by perdure and has no effect"
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        location = (*at, field.alias or name)
        match value:
            case Metadata():
                continue
            case FileModel():
                yield from unknown_keys(document, value, location)
            case tuple():
                for number, item in enumerate(value):
                    if isinstance(item, FileModel):
                        yield from unknown_keys(document, item, (*location, number))
            case _:
                continue


def _expectation(message: str) -> str:
    """Turn a checker's sentence about its input into one about a value in a file."""
    message = message.removeprefix("Value error, ")
    if message.startswith("Input "):
        return "the value " + message.removeprefix("Input ")
    if message == "Field required":
        return "this key is missing"
    return message
