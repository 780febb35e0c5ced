"""Search attributes: which the namespace has, and values of theirs.

An instance's tags become search attributes where one of that name is registered, so that a listing
can select by them. What is not registered, Temporal refuses: it is only in the memo.
"""

import json
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import structlog
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import (
    ListSearchAttributesRequest,
    ListSearchAttributesResponse,
)
from temporalio.service import OperatorService

from perdure.base.errors import CallerFault, ComponentError, ComponentUnavailable
from perdure.base.rfc3339 import parse, render
from perdure.base.time import Clock
from perdure.components.temporal.bounds import ATTRIBUTES_KEPT_US
from perdure.components.temporal.connection import Connection
from perdure.components.temporal.enums import capitalized, shouted
from perdure.core.requests import Reason, Refusal

Kind: TypeAlias = "IndexedValueType.ValueType"
Typed: TypeAlias = str | int | float | bool | list[str]

_log = structlog.get_logger("perdure.temporal")

_PREFIX: Final = "INDEXED_VALUE_TYPE_"
_WHOLE_MAX: Final = 2**63 - 1
_WHOLE_CHARS_MAX: Final = len(str(-_WHOLE_MAX))
_TRUTHS: Final = {"true": True, "false": False}


class SearchAttributes:
    """The attributes that a namespace has registered, asked for now and then."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        """Ask through `connection` when it is first needed."""
        self._connection = connection
        self._clock = clock
        self._known: Mapping[str, Kind] = {}
        self._until_us = 0

    async def registered(self) -> Mapping[str, Kind]:
        """Return the kind of each attribute; what was registered just now may be missing."""
        if self._clock.now_us() >= self._until_us:
            self._known = await self._asked()
            self._until_us = self._clock.now_us() + ATTRIBUTES_KEPT_US
        return self._known

    async def _asked(self) -> Mapping[str, Kind]:
        answer: ListSearchAttributesResponse | Refusal
        try:
            answer = await self._connection.ask_operator(
                OperatorService.list_search_attributes,
                ListSearchAttributesRequest(namespace=self._connection.namespace),
            )
        except ComponentUnavailable:
            raise
        except ComponentError as fault:
            answer = Refusal(Reason.UNSUPPORTED, str(fault))
        if isinstance(answer, Refusal):
            # Who may not know what is registered can still start workflows: tags are in the memo.
            _log.warning("a Temporal cluster does not tell its search attributes", why=answer.text)
            return {}
        return dict(answer.custom_attributes)


def value_of(name: str, kind: Kind, value: object) -> Typed:
    """Return a value as the attribute's kind has it. Raises CallerFault if it has none such.

    A tag is a string, from which a number, a time or a truth is read.
    """
    reader = _READERS.get(kind)
    read = None if reader is None else reader(value)
    if read is None:
        word = shouted(IndexedValueType.Name, kind, _PREFIX).lower()
        raise CallerFault(f"the search attribute {name} is of kind {word}: {value!r} is none")
    return read


def attribute_payload(name: str, kind: Kind, value: object) -> Payload:
    """Return a value as Temporal stores it. Raises CallerFault as `value_of` does."""
    typed = capitalized(IndexedValueType.Name, kind, _PREFIX)
    return Payload(
        metadata={"encoding": b"json/plain", "type": typed.encode()},
        data=json.dumps(value_of(name, kind, value), ensure_ascii=False).encode(),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _whole(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    digits = str(value).strip()
    legal = digits.removeprefix("-").isdecimal() and digits.isascii()
    if not legal or len(digits) > _WHOLE_CHARS_MAX:
        return None
    number = int(digits)
    return number if -_WHOLE_MAX - 1 <= number <= _WHOLE_MAX else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if number - number == 0 else None


def _truth(value: object) -> bool | None:
    return value if isinstance(value, bool) else _TRUTHS.get(str(value).strip().lower())


def _moment(value: object) -> str | None:
    at_us = parse(value) if isinstance(value, str) else None
    return None if at_us is None else render(at_us)


def _words(value: object) -> list[str] | None:
    words = [value] if isinstance(value, str) else value
    if not isinstance(words, list):
        return None
    texts = [word for word in words if isinstance(word, str)]
    return texts if texts and len(texts) == len(words) else None


_READERS: Final[dict[Kind, Callable[[object], Typed | None]]] = {
    IndexedValueType.INDEXED_VALUE_TYPE_TEXT: _text,
    IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD: _text,
    IndexedValueType.INDEXED_VALUE_TYPE_INT: _whole,
    IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE: _number,
    IndexedValueType.INDEXED_VALUE_TYPE_BOOL: _truth,
    IndexedValueType.INDEXED_VALUE_TYPE_DATETIME: _moment,
    IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST: _words,
}
