"""What instances can be filtered by, and how a comparison's value is read."""

from collections.abc import Callable
from typing import Final

from perdure.api.http.parameters import SHOWN_CHARS_MAX, moment_us
from perdure.base.errors import CallerFault
from perdure.base.limits import TAG_KEY_CHARS_MAX
from perdure.core.status import Status
from perdure.store.query import Compare, Field, Operator, Value

OPERATORS: Final = {operator.value: operator for operator in Operator}
TAG_PREFIX: Final = "tags."

# The names that the listing's parameters have for the same fields.
_SHORT_NAMES: Final = {
    "status": Field.STATUS,
    "type": Field.NAME,
    "parent": Field.PARENT,
    "id": Field.ID,
}
_FIELDS: Final = {field.value: field for field in Field}
_TIMES: Final = frozenset({Field.CREATED, Field.STARTED, Field.UPDATED, Field.COMPLETED})
_EQUALITIES: Final = frozenset({Operator.EQ, Operator.NEQ, Operator.IN})


def field_of(name: object) -> Field | str:
    """Return the field of this name, or `tags.KEY`. Raises CallerFault if there is none."""
    if isinstance(name, str):
        field = _FIELDS.get(name) or _SHORT_NAMES.get(name)
        if field is not None:
            return field
        if name.startswith(TAG_PREFIX) and 0 < len(name[len(TAG_PREFIX) :]) <= TAG_KEY_CHARS_MAX:
            return name
    known = ", ".join([*_FIELDS, f"{TAG_PREFIX}KEY"])
    told = f" '{name[:SHOWN_CHARS_MAX]}'" if isinstance(name, str) else ""
    raise CallerFault(f"unknown field{told}; the fields are {known}")


def compare(name: object, operator: Operator, value: object) -> Compare:
    """Return one comparison. Raises CallerFault for a field or value that makes no sense."""
    field = field_of(name)
    if field is Field.STATUS and operator not in _EQUALITIES:
        raise CallerFault(f"{field} has no order; compare it with EQ, NEQ or IN")
    if operator is Operator.PREFIX and field in {*_TIMES, Field.STATUS}:
        raise CallerFault(f"{field} has no prefix")
    if operator is not Operator.IN:
        return Compare(str(field), operator, (_value(field, value),))
    if not isinstance(value, list) or not value:
        raise CallerFault(f"IN needs a list of values for {field}")
    return Compare(str(field), operator, tuple(_value(field, each) for each in value))


def status_number(text: str) -> int:
    """Return a status's number. Raises CallerFault if there is no such status."""
    if text.upper() not in Status.__members__:
        raise CallerFault(f"unknown status; the statuses are {', '.join(Status.__members__)}")
    return Status[text.upper()].value


def _value(field: Field | str, value: object) -> Value:
    if not isinstance(value, str):
        raise CallerFault(f"{field} is compared with a string")
    return _READERS.get(field, _as_is)(field, value)


def _as_is(_field: Field | str, text: str) -> Value:
    return text


def _status(_field: Field | str, text: str) -> Value:
    return status_number(text)


def _moment(field: Field | str, text: str) -> Value:
    return moment_us(str(field), text)


_READERS: Final[dict[Field | str, Callable[[Field | str, str], Value]]] = {
    Field.STATUS: _status,
    **dict.fromkeys(_TIMES, _moment),
}
