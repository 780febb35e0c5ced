"""Listings in memory: a filter tree asked of one instance, and the order of two."""

from collections.abc import Iterable, Sequence
from functools import cmp_to_key

from perdure.store.paging import (
    Place,
    check_query,
    make_token,
    order_of,
    place_of,
    read_token,
    tag_key,
    ties_descend,
    usable,
    value_of,
)
from perdure.store.port import Page, Snapshot
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


def find(rows: Iterable[Snapshot], query: InstanceQuery) -> Page:
    """Return the page of `rows` that the query asks for."""
    check_query(query)
    order, after = order_of(query), read_token(query)
    places = {row.key: place_of(row, order) for row in rows if matches(query.where, row)}
    by_key = {row.key: row for row in rows}

    def compare_keys(one: int, other: int) -> int:
        return _compare(places[one], places[other], order)

    found = [
        by_key[key]
        for key in sorted(places, key=cmp_to_key(compare_keys))
        if after is None or _compare(places[key], after, order) > 0
    ]
    page = tuple(found[: query.limit])
    return Page(page, make_token(query, page[-1]) if len(found) > len(page) else None)


def matches(where: Filter, row: Snapshot) -> bool:
    """Tell whether an instance is one that the filter asks for."""
    match where:
        case AllOf(terms):
            return all(matches(term, row) for term in terms)
        case AnyOf(terms):
            return any(matches(term, row) for term in terms)
        case Compare(field, operator, values):
            key = tag_key(field)
            value = value_of(row, Field(field)) if key is None else _tag(row, key)
            return _holds(value, operator, [usable(field, wanted) for wanted in values])


def _tag(row: Snapshot, key: str) -> str | None:
    return dict(row.identity.tags).get(key)


def _holds(value: Value, operator: Operator, wanted: list[Value]) -> bool:
    if operator is Operator.IN:
        return value is not None and value in wanted
    (only,) = wanted
    if value is None or only is None:
        return operator is Operator.NEQ
    if operator is Operator.PREFIX:
        return isinstance(value, str) and isinstance(only, str) and value.startswith(only)
    sign = _sign(value, only)
    return {
        Operator.EQ: sign == 0,
        Operator.NEQ: sign != 0,
        Operator.GT: sign > 0,
        Operator.GTE: sign >= 0,
        Operator.LT: sign < 0,
        Operator.LTE: sign <= 0,
    }[operator]


def _compare(one: Place, other: Place, order: Sequence[Order]) -> int:
    for key, left, right in zip(order, one.values, other.values, strict=True):
        sign = _sign(left, right)
        if sign:
            return -sign if key.descending else sign
    sign = _sign(one.key, other.key)
    return -sign if ties_descend(order) else sign


def _sign(one: Value, other: Value) -> int:
    """Return -1, 0 or 1; a missing value is less than any other."""
    if isinstance(one, str) and isinstance(other, str):
        return (one > other) - (one < other)
    if isinstance(one, int) and isinstance(other, int):
        return (one > other) - (one < other)
    assert one is None or other is None, (one, other)
    return (one is not None) - (other is not None)
