"""JSON of strangers, read so that it can be stored, shown to rules and sent on: bounded, finite."""

import json
import re
from typing import Any, Final

DEPTH_MAX: Final = 100
# A number that may be too large for a double says so by its length.
_LARGE: Final = re.compile(rb"[eE]\+?\d{3}|\d{300}")
_INFINITE: Final = (float("inf"), float("-inf"))

# What JSON is made of. Numbers stay as Python reads them, so that whole ones are exact.
Data = Any


def read(data: bytes) -> Data:
    """Return the value of a JSON text; raises ValueError, which says what the text is not."""
    try:
        finite = _finite if _LARGE.search(data) is not None else None
        value = json.loads(data.decode(), parse_constant=_refuse_constant, parse_float=finite)
        # A lone surrogate can be escaped in JSON, but neither stored nor sent on.
        if b"\\u" in data:
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise ValueError("is not JSON") from error
    if not _is_shallow(value):
        raise ValueError(f"is nested deeper than {DEPTH_MAX} levels")
    return value


def has_fractions(value: Data) -> bool:
    """Tell whether there is a number that may change when it is read and written again."""
    level = [value]
    while level:
        if any(type(each) is float for each in level):
            return True
        level = [
            inner
            for each in level
            if type(each) is dict or type(each) is list
            for inner in (each.values() if type(each) is dict else each)
        ]
    return False


def _is_shallow(value: Data) -> bool:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(DEPTH_MAX):
        if not level:
            return True
        level = [
            inner
            for each in level
            for inner in (each.values() if type(each) is dict else each)
            if type(inner) is dict or type(inner) is list
        ]
    return False


def _finite(text: str) -> float:
    value = float(text)
    if value in _INFINITE:
        raise ValueError(f"{text} is larger than any number that can be kept")
    return value


def _refuse_constant(name: str) -> Data:
    raise ValueError(f"{name} is not JSON")
