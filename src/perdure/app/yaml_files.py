"""YAML files with the place of every value, so that an error names file, line and column.

Only plain data is read: text, numbers, true, false, null, lists and mappings. A file is bounded in
size, depth and in the number of values that its aliases unfold to.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import yaml

from perdure.base.errors import ConfigurationError
from perdure.base.limits import MIB

FILE_BYTES_MAX: Final = 1 * MIB
DEPTH_MAX: Final = 50
VALUES_MAX: Final = 20_000
_TOO_DEEP: Final = f"is nested deeper than {DEPTH_MAX} levels"

Value = str | int | float | bool | list["Value"] | dict[str, "Value"] | None
Location = tuple[str | int, ...]

_SCALARS: Final = {
    f"tag:yaml.org,2002:{kind}"
    for kind in ("str", "int", "float", "bool", "null", "timestamp", "value")
}


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a file: its value, and where each part of it stands (counted from 1)."""

    file: Path
    value: Value
    places: dict[Location, tuple[int, int]]

    def place(self, location: Sequence[str | int]) -> str:
        """Return `file:line:column` of the value at `location`, or of what is nearest above it."""
        parts = tuple(location)
        while parts not in self.places:
            parts = parts[:-1]
        line, column = self.places[parts]
        return f"{self.file}:{line}:{column}"

    def error(self, location: Sequence[str | int], message: str) -> ConfigurationError:
        """Return the error that says what is wrong at `location`."""
        return ConfigurationError(f"{self.place(location)}: {message}")


def read_documents(file: Path) -> list[Document]:
    """Return the documents of a YAML file, without the empty ones; raises ConfigurationError."""
    text = _read_text(file)
    try:
        return [
            document
            for node in _composed(file, text)
            if (document := _Reader(file).document(node)).value is not None
        ]
    except yaml.MarkedYAMLError as error:
        where = _place(file, error.problem_mark or error.context_mark)
        what = ", ".join(part for part in (error.context, error.problem) if part)
        raise ConfigurationError(f"{where}: this is not YAML: {what}") from error
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{file}:1:1: this is not YAML: {error}") from error


class _Mark(Protocol):
    line: int
    column: int


def _place(file: Path, mark: _Mark | None) -> str:
    return f"{file}:1:1" if mark is None else f"{file}:{mark.line + 1}:{mark.column + 1}"


def _read_text(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            content = stream.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be read: {error.strerror}") from error
    if len(content) > FILE_BYTES_MAX:
        raise ConfigurationError(
            f"{file}: is larger than {FILE_BYTES_MAX // MIB} MiB, which no configuration is"
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(f"{file}:{line}:1: expected UTF-8 text") from error


def _composed(file: Path, text: str) -> Iterator[yaml.Node]:
    # Composing recurses and parsing does not, so the depth is looked at first.
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEPTH_MAX:
            raise ConfigurationError(f"{_place(file, event.start_mark)}: {_TOO_DEEP}")
    return iter(yaml.compose_all(text, Loader=yaml.SafeLoader))


class _Reader:
    """Turns nodes into values and notes where they stand."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._places: dict[Location, tuple[int, int]] = {}
        self._scalars = yaml.SafeLoader("")

    def document(self, node: yaml.Node) -> Document:
        return Document(self._file, self._value(node, ()), self._places)

    def _value(self, node: yaml.Node, location: Location) -> Value:
        self._places.setdefault(location, (node.start_mark.line + 1, node.start_mark.column + 1))
        # An alias is the very node that it names: what a bomb unfolds to is counted here.
        if len(self._places) > VALUES_MAX:
            raise self._error(node, f"holds more than {VALUES_MAX} values, aliases unfolded")
        if len(location) > DEPTH_MAX:
            raise self._error(node, _TOO_DEEP)
        match node:
            case yaml.ScalarNode():
                return self._scalar(node)
            case yaml.SequenceNode():
                return [self._value(item, (*location, n)) for n, item in enumerate(node.value)]
            case yaml.MappingNode():
                return self._mapping(node, location)
            case _:
                raise self._error(node, "expected text, a number, a list or a mapping")

    def _scalar(self, node: yaml.ScalarNode) -> Value:
        if node.tag not in _SCALARS:
            raise self._error(node, f"expected plain data, not the tag {node.tag}")
        if node.tag.endswith((":timestamp", ":value")):
            return str(node.value)
        try:
            value: Value = self._scalars.construct_object(node)
        except ValueError as error:
            raise self._error(node, f"expected a number: {error}") from error
        return value

    def _mapping(self, node: yaml.MappingNode, location: Location) -> Value:
        values: dict[str, Value] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag.endswith(":merge"):
                raise self._error(key_node, "expected a key that is text")
            key = str(key_node.value)
            if key in values:
                raise self._error(key_node, f"the key {key} stands here a second time")
            mark = key_node.start_mark
            # A key is what people look for, so it is the place of its value too.
            self._places[(*location, key)] = (mark.line + 1, mark.column + 1)
            values[key] = self._value(value_node, (*location, key))
        return values

    def _error(self, node: yaml.Node, message: str) -> ConfigurationError:
        return ConfigurationError(f"{_place(self._file, node.start_mark)}: {message}")
