"""JSON text, with parts that are put in as they stand.

A stored payload that is JSON goes into an answer byte for byte, and a part of a request body goes
into the store the same way: parsing and writing it again would change numbers (`1.10`, 2^70) and
the order and number of keys.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, NoReturn

from perdure.base.errors import CallerFault


class JsonText(str):
    """A string that is JSON and stands for the value that it writes."""

    __slots__ = ()


Json = JsonText | str | int | bool | None | Mapping[str, "Json"] | Sequence["Json"]

_WRITE_STRING: Final = json.JSONEncoder(ensure_ascii=False).encode
_CONSTANTS: Final[dict[bool | None, str]] = {None: "null", True: "true", False: "false"}
_BLANKS: Final = " \t\n\r"


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


# Numbers are only looked at here, so that they need not be exact: an integer of a million digits
# is JSON, but Python does not like to make one.
_READER: Final = json.JSONDecoder(parse_constant=_refuse_constant, parse_int=float)


def write(value: Json) -> str:
    """Return `value` as JSON, its JsonText parts as they stand."""
    match value:
        case JsonText():
            return value
        case str():
            return _WRITE_STRING(value)
        case None | bool():
            return _CONSTANTS[value]
        case int():
            return str(value)
        case Mapping():
            members = [f"{_WRITE_STRING(key)}:{write(part)}" for key, part in value.items()]
            return "{" + ",".join(members) + "}"
        case _:
            return "[" + ",".join(map(write, value)) + "]"


def is_json(text: str) -> bool:
    """Tell whether `text` is JSON that a reader of ordinary depth can read."""
    try:
        _READER.decode(text)
    except (ValueError, RecursionError):
        return False
    return True


def shown(stored: str) -> Json:
    """Return a stored payload for an answer: the JSON that it is, else the string."""
    return JsonText(stored) if is_json(stored) else stored


def read(text: str) -> Any:
    """Return the value of a JSON document. Raises CallerFault, which says where it breaks off."""
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
        # A lone surrogate can be escaped in JSON, but neither stored nor sent on.
        json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise CallerFault(
            f"proto: syntax error (line {error.lineno}:{error.colno}): {error.msg}"
        ) from error
    except UnicodeEncodeError as error:
        raise CallerFault("proto: a string holds a lone surrogate") from error
    except ValueError as error:
        raise CallerFault(f"proto: syntax error: {error}") from error
    except RecursionError as error:
        raise CallerFault("proto: exceeded maximum recursion depth") from error
    return value


def members(text: str) -> dict[str, JsonText]:
    """Return the members of a JSON object with each value as it is written.

    Raises CallerFault if `text` is anything else than one object.
    """
    if not isinstance(read(text), dict):
        raise CallerFault("proto: syntax error (line 1:1): unexpected token, want an object")
    found: dict[str, JsonText] = {}
    at = _after(text, 0, "{")
    while text[at] != "}":
        key, at = _READER.raw_decode(text, at)
        start = _after(text, at, ":")
        _, end = _READER.raw_decode(text, start)
        found[key] = JsonText(text[start:end])
        at = _after(text, end, ",") if text[_blanks(text, end)] == "," else _blanks(text, end)
    return found


def _after(text: str, at: int, mark: str) -> int:
    at = _blanks(text, at)
    assert text[at] == mark, (text[at], mark)
    return _blanks(text, at + 1)


def _blanks(text: str, at: int) -> int:
    while text[at] in _BLANKS:
        at += 1
    return at
