"""Values as JSON and back, byte for byte as Dapr's Python SDK writes them.

A dataclass, a named tuple and a SimpleNamespace are objects with a mark, by which a reader that
does not know their class makes a SimpleNamespace of them. A model (anything with `model_dump` and
`model_validate`, as pydantic's) is a plain object. Where a function names the type that it wants,
the value is made into it: see `read`.
"""

import dataclasses
import inspect
import json
from collections.abc import Awaitable, Callable, Generator, Hashable, Mapping
from enum import Enum
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from types import NoneType, SimpleNamespace, UnionType
from typing import Any, Final, Union, cast, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter
from pydantic.errors import PydanticSchemaGenerationError, PydanticUndefinedAnnotation
from pydantic_core import PydanticSerializationError, to_jsonable_python

MARK: Final = "__durabletask_autoobject__"
_TYPES_MAX: Final = 1_024

# The result of a coroutine or a generator is the last of its arguments.
_AWAITED: Final = (Awaitable, Generator)
# What JSON gives by itself: there is nothing to make of it.
_PLAIN: Final = frozenset({object, str, int, float, bool, dict, list, NoneType, SimpleNamespace})


class Typing(Enum):
    """How far the annotation of a function is followed when its input or result is read."""

    DAPR = "dapr"  # models are made, and dataclasses at the outermost level
    FULL = "full"  # whatever is annotated is made, however deep


@dataclasses.dataclass(frozen=True, slots=True)
class Signature:
    """What a workflow or activity function takes beside its context, and what it returns.

    A type is None where there is nothing to make of what JSON gives.
    """

    accepts_input: bool
    input_type: object | None
    output_type: object | None
    has_default: bool = False  # of its own for an input that is not there


class _Encoder(json.JSONEncoder):
    def encode(self, o: object) -> str:
        if isinstance(o, tuple) and hasattr(o, "_fields") and hasattr(o, "_asdict"):
            return super().encode({**o._asdict(), MARK: True})
        return super().encode(o)

    def default(self, o: object) -> object:
        if _is_model_class(type(o)):
            return _dump(o)
        if dataclasses.is_dataclass(o) and not isinstance(o, type):
            return {**dataclasses.asdict(o), MARK: True}
        if isinstance(o, SimpleNamespace):
            return {**vars(o), MARK: True}
        try:
            # Dates, decimals, sets and the like, which the SDK would refuse.
            return to_jsonable_python(o)
        except (PydanticSerializationError, UnicodeDecodeError):  # the latter for bytes
            return super().default(o)


def _revive(found: dict[str, object]) -> object:
    if found.pop(MARK, False):
        return SimpleNamespace(**found)
    return found


_ENCODER: Final = _Encoder()
_DECODER: Final = json.JSONDecoder()
_SCAN: Final[Callable[[str, int], tuple[object, int]]] = vars(_DECODER)["scan_once"]
_REVIVING: Final = json.JSONDecoder(object_hook=_revive)


def to_json(value: object) -> str:
    """Return a value as JSON.

    Raises TypeError if there is no JSON for it, ValueError if it holds itself, and whatever a class
    of the author's raises when it tells its fields.
    """
    if type(value) is str:
        return encode_basestring_ascii(value)
    return _ENCODER.encode(value)


def from_json(text: str) -> Any:
    """Return the value of a JSON text. Raises ValueError if it is none."""
    if MARK in text:
        return _REVIVING.decode(text)
    try:
        # The short way, for what has no blanks around it.
        value, end = _SCAN(text, 0)
    except StopIteration:
        return _DECODER.decode(text)
    return value if end == len(text) else _DECODER.decode(text)


def text_of(value: object) -> str | None:
    """Return a value as JSON, or None for None: what is not there has no text."""
    return None if value is None else to_json(value)


def read(text: str | None, wanted: object | None, typing: Typing) -> Any:
    """Return the value of a payload, made into the wanted type; None for one that is not there.

    Raises TypeError or ValueError if it cannot be made into it, and whatever a class of the
    author's raises when it is made.
    """
    if not text:
        return None
    if wanted is None:
        return from_json(text)
    if typing is Typing.FULL and isinstance(wanted, Hashable):
        adapter = _adapter(wanted)
        if adapter is not None:
            return adapter.validate_json(text)
    return _shaped(from_json(text), _unwrapped(wanted))


def given(text: str | None, signature: Signature, typing: Typing) -> tuple[Any, ...]:
    """Return what a function is called with beside its context; raises as `read`.

    Where there is no input, a default of the function's is its input. Dapr's SDK passes None.
    """
    takes_its_own = signature.has_default and typing is Typing.FULL and not text
    if not signature.accepts_input or takes_its_own:
        return ()
    return (read(text, signature.input_type, typing),)


@lru_cache(_TYPES_MAX)
def signature_of(function: Callable[..., object]) -> Signature:
    """Tell what a function takes and returns, as far as it is annotated."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return Signature(accepts_input=False, input_type=None, output_type=None)
    hints = _hints(function)
    accepts = len(parameters) > 1
    wanted = hints.get(parameters[1].name) if accepts else None
    has_default = accepts and parameters[1].default is not inspect.Parameter.empty
    return Signature(accepts, _telling(wanted), _telling(hints.get("return")), has_default)


def _hints(function: Callable[..., object]) -> Mapping[str, object]:
    try:
        return get_type_hints(inspect.unwrap(function))
    except (TypeError, ValueError, NameError, AttributeError):
        # A name that only a type checker can see, or something that has no annotations.
        return {}


def _telling(annotation: object) -> object | None:
    """Return an annotation if something is to be made of what JSON gives, otherwise None."""
    origin = get_origin(annotation)
    if origin is not None and inspect.isclass(origin) and issubclass(origin, _AWAITED):
        arguments = get_args(annotation)
        return _telling(arguments[-1]) if arguments else None
    if annotation is Any or annotation is inspect.Parameter.empty:
        return None
    if isinstance(annotation, type) and annotation in _PLAIN:
        return None
    return annotation


def _unwrapped(annotation: object) -> object:
    if get_origin(annotation) in {Union, UnionType}:
        some = [one for one in get_args(annotation) if one is not NoneType]
        if len(some) == 1:
            return some[0]
    return annotation


def _shaped(value: object, wanted: object) -> object:
    if not isinstance(wanted, type) or isinstance(value, wanted):
        return value
    if _is_model_class(wanted):
        return _validated(value, wanted)
    if dataclasses.is_dataclass(wanted):
        fields = vars(value) if isinstance(value, SimpleNamespace) else value
        if isinstance(fields, dict) and _fits(fields, wanted):
            return cast("Callable[..., object]", wanted)(**fields)
    return value


def _validated(value: object, model: type) -> object:
    fields = vars(value) if isinstance(value, SimpleNamespace) else value
    if not isinstance(fields, dict):
        raise TypeError(
            f"Cannot coerce value of type {type(value).__name__} into {model.__name__}; "
            "expected a dict, SimpleNamespace, or existing model instance."
        )
    return cast("Any", model).model_validate(fields)


def _fits(fields: dict[str, object], wanted: type) -> bool:
    known = {field.name: field for field in dataclasses.fields(wanted) if field.init}
    needed = {
        name
        for name, field in known.items()
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }
    return needed <= fields.keys() <= known.keys()


def _is_model_class(cls: type) -> bool:
    return callable(getattr(cls, "model_dump", None)) and callable(
        getattr(cls, "model_validate", None)
    )


@lru_cache(_TYPES_MAX)
def _takes_mode(cls: Hashable) -> bool:
    try:
        parameters = inspect.signature(cast("Any", cls).model_dump).parameters
    except (TypeError, ValueError):
        return False
    kinds = {parameter.kind for parameter in parameters.values()}
    return "mode" in parameters or inspect.Parameter.VAR_KEYWORD in kinds


def _dump(model: Any) -> object:
    takes_mode = _takes_mode(cast("Hashable", type(model)))
    return model.model_dump(mode="json") if takes_mode else model.model_dump()


@lru_cache(_TYPES_MAX)
def _adapter(wanted: Hashable) -> TypeAdapter[object] | None:
    try:
        return TypeAdapter(cast("type[object]", wanted))
    except (PydanticSchemaGenerationError, PydanticUndefinedAnnotation):
        return None  # a class of which nobody but its author knows how it is made
