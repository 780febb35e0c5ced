"""A listing as one SQL query. Which index serves it is left to the planner, who knows the rows."""

from collections.abc import Sequence
from itertools import count
from typing import Final

from perdure.store.filtering import COLUMNS, after, all_of, condition_of
from perdure.store.paging import check_query, make_token, order_of, read_token, ties_descend
from perdure.store.port import Page
from perdure.store.postgres.connections import Link
from perdure.store.postgres.statements import statements
from perdure.store.query import Field, InstanceQuery, Order
from perdure.store.records import snapshot_of

_SQL: Final = statements("reading")
# A missing value comes before all others. Columns without any are left alone: so they are ordered
# as their indexes are.
_HAS_NULL: Final = {Field.PARENT, Field.VERSION, Field.CUSTOM_STATUS}


async def find(link: Link, query: InstanceQuery) -> Page:
    """Return a page. Raises CallerFault as the port says."""
    check_query(query)
    order, place = order_of(query), read_token(query)
    conditions = [condition_of(query.where)]
    if place is not None:
        conditions.append(after(place, order))
    where = all_of(conditions)
    sql = _SQL["page"].format(
        columns=_SQL["snapshot_columns"], condition=where.sql, order=_order_sql(order)
    )
    rows = await link.rows(numbered(sql), *where.values, query.limit + 1)
    page = tuple([snapshot_of(row) for row in rows[: query.limit]])
    return Page(page, make_token(query, page[-1]) if len(rows) > len(page) else None)


def numbered(sql: str) -> str:
    """Return SQL with the places of its values numbered, in their order."""
    numbers = count(1)
    first, *rest = sql.split("?")
    return first + "".join(f"${next(numbers)}{part}" for part in rest)


def _order_sql(order: Sequence[Order]) -> str:
    ties = "DESC" if ties_descend(order) else "ASC"
    return ", ".join([*map(_key_sql, order), f"key {ties}"])


def _key_sql(key: Order) -> str:
    way = "DESC" if key.descending else "ASC"
    if key.field in _HAS_NULL:
        way += " NULLS LAST" if key.descending else " NULLS FIRST"
    return f"{COLUMNS[key.field]} {way}"
