"""CEL expressions: compiled once when they are read, evaluated for each message.

Theory of operation.
- An expression sees `event` (the CloudEvent as one map), `data` (its data) and `metadata` (the
  broker's headers). Any other name is an error when it is compiled, and so is an operator between
  kinds that do not go together.
- An expression is bounded in length, the library bounds its nesting and the steps of its loops, and
  what it is applied to is as large as a message may be. What it comes to is bounded in bytes.
- What an expression refers to and is not there, or is of another kind, makes the message unusable:
  nothing is passed over because of a word that was mistyped.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from cel_expr_python import cel
from cel_expr_python.ext import ext_encoders, ext_optional, ext_strings

from perdure.base.limits import KIB, MESSAGE_BYTES_MAX
from perdure.triggers.strict_json import Data

EXPRESSION_CHARS_MAX: Final = 4 * KIB
RESULT_BYTES_MAX: Final = MESSAGE_BYTES_MAX
_INT64: Final = range(-(2**63), 2**63)
_WORDS_CHARS_MAX: Final = 300

_T: Final = cel.Type
_ENV: Final = cel.NewEnv(
    variables={
        "event": _T.Map(_T.STRING, _T.DYN),
        "data": _T.DYN,
        "metadata": _T.Map(_T.STRING, _T.STRING),
    },
    extensions=[
        ext_strings.ExtStrings(),
        ext_encoders.ExtEncoders(),
        ext_optional.ExtOptional(),
    ],
)
_NO_OBJECT: Final = "Applying SELECT to non-message type"
_UNDECLARED: Final = "undeclared reference to "
_KNOWN: Final = "known are event, data, metadata and CEL's own functions"


class BadExpression(ValueError):
    """An expression cannot be compiled; the text says where and why."""


class NoResult(ValueError):
    """An expression comes to nothing for a message; the text says why."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What expressions see of one message; it is made into values of CEL once for all of them."""

    activation: Any


def surroundings(
    event: Mapping[str, Data], metadata: Mapping[str, str], *, huge: bool = True
) -> Surroundings:
    """Return what expressions see of an event and of the headers that came with it.

    With `huge` it may hold whole numbers beyond 64 bits.
    """
    seen = _within_int64(dict(event)) if huge else dict(event)
    variables = {"event": seen, "data": seen.get("data"), "metadata": dict(metadata)}
    return Surroundings(_ENV.Activation(variables))


class Expression:
    """One compiled expression."""

    __slots__ = ("_compiled", "text")

    def __init__(self, text: str) -> None:
        """Compile it; raises BadExpression."""
        self.text = text
        if len(text) > EXPRESSION_CHARS_MAX:
            raise BadExpression(f"an expression has at most {EXPRESSION_CHARS_MAX} characters")
        try:
            self._compiled = _ENV.compile(text)
        except RuntimeError as error:
            raise BadExpression(_why_bad(str(error))) from error

    @property
    def kind(self) -> str:
        """The kind of its result as far as it is known: `BOOL`, `STRING`, ..., or `DYN`."""
        return str(self._compiled.return_type().name()).partition("<")[0]

    def value(self, seen: Surroundings) -> Data:
        """Return what it comes to, as JSON is made; raises NoResult."""
        try:
            result = self._compiled.eval(activation=seen.activation)
            if result.type() == _T.ERROR:
                raise NoResult(f"{self.text}: {_why_nothing(str(result.value()))}")
            value = _plain(result.plain_value())
        except (RuntimeError, TypeError) as error:
            raise NoResult(f"{self.text}: {_why_nothing(str(error))}") from error
        if _size(value) > RESULT_BYTES_MAX:
            raise NoResult(f"{self.text}: comes to more than {RESULT_BYTES_MAX} bytes")
        return value

    def text_of(self, seen: Surroundings) -> str:
        """Return it as text that is not empty; whole numbers are written out. Raises NoResult."""
        value = self.value(seen)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        # JSON knows one kind of number, and an id may well be written as one.
        if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
            return str(int(value))
        if not isinstance(value, str) or not value:
            raise NoResult(f"{self.text}: expected text that is not empty, found {_kind(value)}")
        return value

    def holds(self, seen: Surroundings) -> bool:
        """Tell whether it comes to true; raises NoResult, also for what is neither true nor false.

        A field that is not there is no answer either, as in Dapr: `has(data.field)` asks for it.
        """
        value = self.value(seen)
        if not isinstance(value, bool):
            raise NoResult(f"{self.text}: expected true or false, found {_kind(value)}")
        return value


def _why_bad(words: str) -> str:
    lines = [line for line in words.splitlines() if "ERROR:" in line]
    first = (lines[0] if lines else words).removesuffix(" [INVALID_ARGUMENT]")
    _, _, said = first.partition("<input>:")
    place, _, said = said.partition(": ")
    if not said:
        return first[:_WORDS_CHARS_MAX]
    said = said.removesuffix(" (in container '')")
    if said.startswith(_UNDECLARED):
        said = f"there is no {said.removeprefix(_UNDECLARED)}; {_KNOWN}"
    return f"character {place.partition(':')[2]}: {said}"[:_WORDS_CHARS_MAX]


def _why_nothing(words: str) -> str:
    missing = words.partition("Key not found in map : ")[2]
    if missing:
        return f"there is no {missing}"
    if _NO_OBJECT in words:
        return "a field is asked of what is no object; data that is no JSON is text, or bytes"
    code, _, said = words.partition(": ")
    return (said if code.isupper() and said else words)[:_WORDS_CHARS_MAX]


def _within_int64(value: Data) -> Any:
    """Return a value with whole numbers that CEL cannot hold as doubles, as JSON readers do."""
    match value:
        case dict():
            return {str(key): _within_int64(each) for key, each in value.items()}
        case list():
            return [_within_int64(each) for each in value]
        case int() if not isinstance(value, bool) and value not in _INT64:
            return _as_double(value)
        case _:
            return value


def _as_double(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _plain(value: object) -> Data:
    match value:
        case None | bool() | int() | float() | str() | bytes():
            return value
        case bytearray():
            return bytes(value)
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case timedelta():
            return f"{value.total_seconds():.6f}".rstrip("0").rstrip(".") + "s"
        case dict():
            return {_key(key): _plain(each) for key, each in value.items()}
        case list():
            return [_plain(each) for each in value]
        case _:
            raise NoResult(f"a {type(value).__name__} is not a value that can be kept")


def _key(key: object) -> str:
    if isinstance(key, bool):
        return json.dumps(key)
    return str(key)


def _size(value: Data) -> int:
    match value:
        case str() | bytes():
            return len(value)
        case dict():
            return sum(len(key) + _size(each) for key, each in value.items())
        case list():
            return len(value) + sum(map(_size, value))
        case _:
            return 1


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case str():
            return "empty text"
        case dict():
            return "a map"
        case list():
            return "a list"
        case _:
            return json.dumps(value, default=repr)[:_WORDS_CHARS_MAX]
