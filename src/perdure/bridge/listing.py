"""Listings of the bridge's instances, in the language of Temporal's visibility."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from perdure.base.errors import CallerFault
from perdure.bridge import names
from perdure.components.temporal.attributes import Kind
from perdure.components.temporal.filters import quoted, visibility_of
from perdure.core.status import Status
from perdure.store.query import AllOf, AnyOf, Compare, Field, Filter, InstanceQuery, Order

# What a run says of itself stands in its memo, where a listing cannot look.
_NOT_SELECTED: Final = frozenset({Status.PENDING, Status.SUSPENDED, Status.STALLED})
# What the gRPC door asks for, whose clients are promised no order: they get Temporal's own.
_ANY_ORDER: Final = (Order(Field.CREATED),)


def listing_of(query: InstanceQuery, registered: Mapping[str, Kind], queue: str) -> str:
    """Return the filter of a listing. Raises CallerFault for what visibility does not know."""
    _check(query.where)
    if query.order == _ANY_ORDER:
        query = replace(query, order=InstanceQuery().order)
    mine = f"TaskQueue = {quoted(queue)} AND WorkflowType != {quoted(names.LONE_ACTIVITY)}"
    return f"{mine} AND {visibility_of(query, registered)}"


def _check(tree: Filter) -> None:
    match tree:
        case AllOf(terms) | AnyOf(terms):
            for term in terms:
                _check(term)
        case Compare(Field.STATUS, _, values):
            for value in values:
                if value is not None and Status(int(value)) in _NOT_SELECTED:
                    name = Status(int(value)).name
                    raise CallerFault(f"a bridge to Temporal cannot select instances by {name}")
        case Compare():
            return
