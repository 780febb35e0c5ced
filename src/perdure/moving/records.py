"""Frozen records as JSON objects and back: a member for each field, bytes as base64.

Reading is strict: a member that is missing, of another type or of a name that there is not is the
fault of whoever made the object. What may be in a record is told by its annotations alone.
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import fields
from types import UnionType
from typing import Any, Final, TypeVar, Union, get_args, get_origin, get_type_hints

from perdure.base.errors import CallerFault
from perdure.wire.json_api.text import Json

_Record = TypeVar("_Record")
_INTEGER_LEAST: Final = -(2**63)
_INTEGER_MOST: Final = 2**63 - 1


def packed(record: Any, *, without: frozenset[str] = frozenset()) -> dict[str, Json]:
    """Return the members of a record, without those of some names."""
    names = (field.name for field in fields(record) if field.name not in without)
    return {name: _packed(getattr(record, name)) for name in names}


def _packed(value: object) -> Json:
    match value:
        case bytes():
            return b64encode(value).decode()
        case tuple():
            return [_packed(each) for each in value]
        case None | bool() | int() | str():
            return value
        case _:
            return packed(value)


def unpacked(kind: type[_Record], members: object, **known: object) -> _Record:
    """Return the record of an object; `known` are the fields that it does not have.

    Raises CallerFault, which names the member that cannot be used.
    """
    if not isinstance(members, Mapping):
        raise CallerFault(f"an object is expected, not {_told(members)}")
    hints = get_type_hints(kind)
    expected = [field.name for field in fields(kind) if field.name not in known]  # type: ignore[arg-type]  # a dataclass
    for name in expected:
        if name not in members:
            raise CallerFault(f"{name} is missing")
    unknown = sorted(members.keys() - set(expected))
    if unknown:
        raise CallerFault(f"{unknown[0]} is no member that is known")
    values = {name: _unpacked(hints[name], members[name], name) for name in expected}
    return kind(**values, **known)


def _unpacked(hint: Any, value: object, name: str) -> Any:
    origin, inner = get_origin(hint), get_args(hint)
    if origin in {Union, UnionType}:
        if value is None and type(None) in inner:
            return None
        (only,) = (each for each in inner if each is not type(None))
        return _unpacked(only, value, name)
    if origin is tuple:
        return _unpacked_tuple(inner, value, name)
    if hint in _LEAVES:
        return _LEAVES[hint](value, name)
    return unpacked(hint, value)


def _unpacked_tuple(inner: tuple[Any, ...], value: object, name: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise CallerFault(f"{name} must be a list, not {_told(value)}")
    if inner[-1] is Ellipsis:
        return tuple(_unpacked(inner[0], each, name) for each in value)
    if len(value) != len(inner):
        raise CallerFault(f"{name} must have {len(inner)} parts each, not {len(value)}")
    return tuple(_unpacked(hint, each, name) for hint, each in zip(inner, value, strict=True))


def _integer(value: object, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not _fits(value):
        raise CallerFault(f"{name} must be a whole number of 64 bits, not {_told(value)}")
    return value


def _fits(number: int) -> bool:
    return _INTEGER_LEAST <= number <= _INTEGER_MOST


def _boolean(value: object, name: str) -> bool:
    if not isinstance(value, bool):
        raise CallerFault(f"{name} must be true or false, not {_told(value)}")
    return value


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise CallerFault(f"{name} must be a string, not {_told(value)}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise CallerFault(f"{name} holds a lone surrogate, which is no text") from error
    return value


def _bytes(value: object, name: str) -> bytes:
    try:
        return b64decode(_text(value, name), validate=True)
    except ValueError as error:
        raise CallerFault(f"{name} must be base64") from error


_LEAVES: Final = {int: _integer, bool: _boolean, str: _text, bytes: _bytes}
_SHOWN_CHARACTERS: Final = 60


def _told(value: object) -> str:
    return repr(value)[:_SHOWN_CHARACTERS]
