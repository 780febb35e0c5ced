"""A listing as one SQL query, along the index that is known to serve it.

The planner knows nothing of how many rows a condition leaves, so the choice is made here, and a
page stays fast at a million instances:
- If one of the conditions leaves few rows (counted, up to `_FEW_ROWS`), those are fetched by it
  and then sorted.
- Otherwise the index of the order is walked until the page is full. A condition that leaves many
  rows is met often, so the walk is short.
"""

import sqlite3
from collections.abc import Sequence
from typing import Final

from perdure.store.filtering import (
    COLUMNS,
    Condition,
    after,
    all_of,
    condition_of,
    keys_of_tag,
)
from perdure.store.paging import check_query, make_token, order_of, read_token, ties_descend
from perdure.store.port import Page
from perdure.store.query import AllOf, Compare, Field, Filter, InstanceQuery, Operator, Order
from perdure.store.records import snapshot_of
from perdure.store.sqlite.reading import SNAPSHOT_COLUMNS
from perdure.store.sqlite.statements import statements

_SQL: Final = statements("finding")
_FEW_ROWS: Final = 2_000

# Indexes by the field that they order by, and by the field that they order within.
_BY_FIELD: Final = {
    Field.ID: "instances_by_id",
    Field.CREATED: "instances_by_created",
    Field.UPDATED: "instances_by_updated",
    Field.COMPLETED: "instances_by_completed",
    Field.NAME: "instances_by_name",
    Field.STATUS: "instances_by_status",
}
_WITHIN: Final = {
    Field.NAME: "instances_by_name",
    Field.STATUS: "instances_by_status",
    Field.PARENT: "instances_by_parent",
}
_SEEKABLE: Final = _BY_FIELD.keys() | _WITHIN.keys()


def find(reader: sqlite3.Connection, query: InstanceQuery) -> Page:
    """Return a page; the connection must see one moment. Raises CallerFault as the port says."""
    check_query(query)
    order, place = order_of(query), read_token(query)
    conditions = [condition_of(query.where)]
    if place is not None:
        conditions.append(after(place, order))
    few = _few_keys(reader, query.where, order)
    if few is not None:
        conditions.append(Condition(_SQL["few_keys"].format(keys=few.sql), few.values))
    path = "NOT INDEXED" if few is not None else _path(query.where, order)
    where = all_of(conditions)
    sql = _SQL["page"].format(
        columns=SNAPSHOT_COLUMNS, path=path, condition=where.sql, order=_order_sql(order)
    )
    rows = reader.execute(sql, (*where.values, query.limit + 1)).fetchall()
    page = tuple([snapshot_of(row) for row in rows[: query.limit]])
    return Page(page, make_token(query, page[-1]) if len(rows) > len(page) else None)


def _order_sql(order: Sequence[Order]) -> str:
    keys = [f"{COLUMNS[key.field]} {'DESC' if key.descending else 'ASC'}" for key in order]
    return ", ".join([*keys, f"key {'DESC' if ties_descend(order) else 'ASC'}"])


def _terms(where: Filter) -> list[Compare]:
    """Return the comparisons that must all be true."""
    match where:
        case AllOf(terms):
            return [compare for term in terms for compare in _terms(term)]
        case Compare():
            return [where]
        case _:
            return []


def _within(where: Filter, order: Sequence[Order]) -> Compare | None:
    """Return the equality within which an index has the order, if there is one."""
    if not order or order[0].field is not Field.CREATED:
        return None
    terms = _terms(where)
    return next((t for t in terms if t.operator is Operator.EQ and t.field in _WITHIN), None)


def _path(where: Filter, order: Sequence[Order]) -> str:
    """Return the index to walk; nothing where only a sort can make the order."""
    if not order:
        return "NOT INDEXED"
    within = _within(where, order)
    if within is not None:
        return f"INDEXED BY {_WITHIN[Field(within.field)]}"
    first = order[0].field
    return f"INDEXED BY {_BY_FIELD[first]}" if first in _BY_FIELD else ""


def _few_keys(
    reader: sqlite3.Connection, where: Filter, order: Sequence[Order]
) -> Condition | None:
    """Return a SELECT of the few keys that one of the conditions leaves, if one does."""
    within = _within(where, order)
    for term in _terms(where):
        # What bounds the walk itself needs no other way.
        is_walked = term is within or (
            bool(order) and term.field == order[0].field and term.operator is not Operator.IN
        )
        keys = None if is_walked else _keys(term)
        if keys is not None:
            counted = _SQL["count_keys"].format(keys=keys.sql, limit=_FEW_ROWS + 1)
            (count,) = reader.execute(counted, keys.values).fetchone()
            if count <= _FEW_ROWS:
                return keys
    return None


def _keys(term: Compare) -> Condition | None:
    """Return a SELECT of the keys that a comparison is true for, if an index can answer it."""
    if term.field not in _SEEKABLE:
        return keys_of_tag(term) if term.field not in COLUMNS else None
    if term.operator is Operator.NEQ:
        return None
    compared = condition_of(term)
    return Condition(_SQL["keys"].format(condition=compared.sql), compared.values)
