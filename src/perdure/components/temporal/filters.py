"""A listing's filter in the language of Temporal's visibility.

A listing there is of runs. Runs that went on as new ones are left out: the instance is the last.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from temporalio.api.enums.v1 import IndexedValueType

from perdure.base.errors import CallerFault
from perdure.base.rfc3339 import render
from perdure.components.temporal.attributes import Kind, Typed, value_of
from perdure.components.temporal.standing import RAN_ATTRIBUTE
from perdure.core.status import Status
from perdure.store.query import (
    AllOf,
    AnyOf,
    Compare,
    Field,
    Filter,
    InstanceQuery,
    Operator,
    Order,
    Value,
)

_NAMES: Final = {
    Field.ID: "WorkflowId",
    Field.NAME: "WorkflowType",
    Field.CREATED: "StartTime",
    Field.COMPLETED: "CloseTime",
    Field.PARENT: "ParentWorkflowId",
}
_TIMES: Final = frozenset({Field.CREATED, Field.COMPLETED})
_TAG: Final = "tags."
_SIGNS: Final = {
    Operator.EQ: "=",
    Operator.NEQ: "!=",
    Operator.GT: ">",
    Operator.GTE: ">=",
    Operator.LT: "<",
    Operator.LTE: "<=",
    Operator.PREFIX: "STARTS_WITH",
}
_STATUSES: Final[dict[Status, str]] = {
    Status.PENDING: f"(ExecutionStatus = 'Running' AND {RAN_ATTRIBUTE} IS NULL)",
    Status.RUNNING: f"(ExecutionStatus = 'Running' AND {RAN_ATTRIBUTE} IS NOT NULL)",
    Status.SUSPENDED: "ExecutionStatus = 'Paused'",
    Status.COMPLETED: "ExecutionStatus = 'Completed'",
    Status.FAILED: "(ExecutionStatus = 'Failed' OR ExecutionStatus = 'TimedOut')",
    Status.CANCELED: "ExecutionStatus = 'Canceled'",
    Status.TERMINATED: "ExecutionStatus = 'Terminated'",
}
# Every instance has an id, and none has an empty one.
_ALL: Final = "WorkflowId != ''"
_NONE: Final = "WorkflowId = ''"
_INSTANCES: Final = "ExecutionStatus != 'ContinuedAsNew'"
_ORDERS: Final = ((), InstanceQuery().order, (Order(Field.CREATED, descending=True),))


def visibility_of(query: InstanceQuery, registered: Mapping[str, Kind]) -> str:
    """Return the filter. Raises CallerFault for what visibility does not know.

    `registered` are the search attributes of the namespace, which tags are looked for in.
    """
    if query.order not in _ORDERS:
        raise CallerFault(
            "a Temporal cluster lists in one order, that of sort=-createdAt; leave sort out"
        )
    return f"{_INSTANCES} AND {_filter(query.where, registered)}"


def id_of(tree: Filter) -> str | None:
    """Return the id if a filter selects by nothing else: who has it needs no listing.

    A listing may be a moment behind, and whoever asks for an id may just have started it.
    """
    match tree:
        case AllOf((only,)) | AnyOf((only,)):
            return id_of(only)
        case Compare(Field.ID, Operator.EQ | Operator.IN, (str(only),)):
            return only
        case _:
            return None


def names_tags(tree: Filter) -> bool:
    """Tell whether a filter looks into search attributes."""
    match tree:
        case AllOf(terms) | AnyOf(terms):
            return any(names_tags(term) for term in terms)
        case Compare(name, _, _):
            return name.startswith(_TAG)


def quoted(text: str) -> str:
    """Return a string as visibility reads it."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _filter(tree: Filter, registered: Mapping[str, Kind]) -> str:
    match tree:
        case AllOf(()):
            return _ALL
        case AnyOf(()):
            return _NONE
        case AllOf(terms):
            return _joined(" AND ", terms, registered)
        case AnyOf(terms):
            return _joined(" OR ", terms, registered)
        case Compare(Field.STATUS, operator, values):
            return _status(operator, values)
        case Compare(name, operator, values):
            return _comparison(_column(name, registered), name, operator, values, registered)


def _joined(word: str, terms: Sequence[Filter], registered: Mapping[str, Kind]) -> str:
    return "(" + word.join(_filter(term, registered) for term in terms) + ")"


def _column(name: str, registered: Mapping[str, Kind]) -> str:
    if name in _NAMES:
        return _NAMES[Field(name)]
    if not name.startswith(_TAG):
        known = ", ".join([*_NAMES, Field.STATUS, "tags.KEY"])
        raise CallerFault(f"a Temporal cluster cannot select by {name}; it can by {known}")
    key = name.removeprefix(_TAG)
    if key not in registered:
        raise CallerFault(
            f"a Temporal cluster can select by tags that are search attributes, and {key} is "
            "none: register it, for example with `temporal operator search-attribute create "
            f"--name {key} --type Keyword`"
        )
    return f"`{key}`"


def _comparison(
    column: str,
    name: str,
    operator: Operator,
    values: Sequence[Value],
    registered: Mapping[str, Kind],
) -> str:
    if any(value is None for value in values):
        return _ALL if operator is Operator.NEQ else _NONE
    written = [_written(name, value, registered) for value in values]
    match operator:
        case Operator.IN:
            return f"{column} IN ({', '.join(written)})"
        case Operator.NEQ:
            return f"({column} != {written[0]} OR {column} IS NULL)"
        case _:
            return f"{column} {_SIGNS[operator]} {written[0]}"


def _written(name: str, value: Value, registered: Mapping[str, Kind]) -> str:
    if name in _TIMES:
        assert isinstance(value, int), "a time is compared with a time"
        return quoted(render(value))
    if name in _NAMES:
        return quoted(str(value))
    key = name.removeprefix(_TAG)
    return _literal(value_of(key, registered[key], value), registered[key])


def _literal(value: Typed, kind: Kind) -> str:
    match kind:
        case IndexedValueType.INDEXED_VALUE_TYPE_INT | IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE:
            return str(value)
        case IndexedValueType.INDEXED_VALUE_TYPE_BOOL:
            return "true" if value else "false"
        case IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST:
            assert isinstance(value, list), "a list of words is a list"
            return quoted(value[0])
        case _:
            return quoted(str(value))


def _status(operator: Operator, values: Sequence[Value]) -> str:
    wanted = [_STATUSES.get(Status(int(value))) for value in values if value is not None]
    found = [text for text in wanted if text is not None]
    if operator is Operator.NEQ:
        return f"NOT {found[0]}" if found else _ALL
    return "(" + " OR ".join(found) + ")" if found else _NONE
