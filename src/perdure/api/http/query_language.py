"""Dapr's state query language, read into a filter tree (api.md section 5).

`{"filter": {"AND": [{"EQ": {"runtimeStatus": "FAILED"}}, {"GT": {"createdAt": "…"}}]},
"sort": [{"key": "createdAt", "order": "DESC"}], "page": {"limit": 50, "token": "…"}}`
"""

from typing import Final

from perdure.api.http.parameters import SHOWN_CHARS_MAX
from perdure.api.http.query_fields import OPERATORS, compare, field_of
from perdure.base.errors import CallerFault
from perdure.base.limits import PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX, QUERY_DEPTH_MAX, QUERY_TERMS_MAX
from perdure.store.query import AllOf, AnyOf, Filter, InstanceQuery, Order
from perdure.store.query import Field as InstanceField

_KEYS: Final = frozenset({"filter", "sort", "page", "payloads"})
_DIRECTIONS: Final = {"ASC": False, "DESC": True}


def query_of(document: object) -> tuple[InstanceQuery, bool]:
    """Return the query that a document writes, and whether it asks for payloads.

    Raises CallerFault, which names the place, for whatever is not of the language: a word that
    is not understood would otherwise select more than was meant.
    """
    parts = _object(document, "the query")
    unknown = sorted(parts.keys() - _KEYS)
    if unknown:
        shown = unknown[0][:SHOWN_CHARS_MAX]
        raise CallerFault(f"unknown key '{shown}'; a query has {', '.join(sorted(_KEYS))}")
    page = _object(_given(parts, "page", {}), "page")
    payloads = _given(parts, "payloads", default=False)
    if not isinstance(payloads, bool):
        raise CallerFault("payloads must be true or false")
    query = InstanceQuery(
        where=filter_of(_given(parts, "filter", {})),
        order=_order(_given(parts, "sort", [])),
        limit=_limit(page.get("limit")),
        token=_token(page.get("token")),
    )
    return query, payloads


def filter_of(tree: object) -> Filter:
    """Return the filter that a tree of operators writes; an empty object is no filter."""
    if tree == {}:
        return AllOf(())
    return _Reading().filter(tree, depth=1)


class _Reading:
    """One reading of a filter, which counts its terms."""

    def __init__(self) -> None:
        self._terms = 0

    def filter(self, tree: object, *, depth: int) -> Filter:
        if depth > QUERY_DEPTH_MAX:
            raise CallerFault(f"the filter is nested more than {QUERY_DEPTH_MAX} deep")
        operator, operand = _only_member(tree, "a filter", "operator")
        match operator:
            case "AND":
                return AllOf(self._all(operand, operator, depth))
            case "OR":
                return AnyOf(self._all(operand, operator, depth))
            case _ if operator in OPERATORS:
                name, value = _only_member(operand, operator, "field")
                self._count(len(value) if isinstance(value, list) else 1)
                return compare(name, OPERATORS[operator], value)
            case _:
                known = ", ".join(["AND", "OR", *OPERATORS])
                shown = operator[:SHOWN_CHARS_MAX]
                raise CallerFault(f"unknown operator '{shown}'; the operators are {known}")

    def _all(self, operand: object, operator: str, depth: int) -> tuple[Filter, ...]:
        if not isinstance(operand, list) or not operand:
            raise CallerFault(f"{operator} needs a list of filters")
        self._count(len(operand))
        return tuple(self.filter(tree, depth=depth + 1) for tree in operand)

    def _count(self, terms: int) -> None:
        self._terms += terms
        if self._terms > QUERY_TERMS_MAX:
            raise CallerFault(f"the filter has more than {QUERY_TERMS_MAX} terms")


def _given(parts: dict[str, object], key: str, default: object) -> object:
    value = parts.get(key)
    return default if value is None else value


def _order(keys: object) -> tuple[Order, ...]:
    if not isinstance(keys, list) or len(keys) > len(InstanceField):
        raise CallerFault("sort must be a list of fields, each named once")
    order = tuple(_order_key(_object(key, "a key of sort")) for key in keys)
    return order or InstanceQuery().order


def _order_key(key: dict[str, object]) -> Order:
    direction = _given(key, "order", "ASC")
    if not isinstance(direction, str) or direction.upper() not in _DIRECTIONS:
        raise CallerFault("order must be ASC or DESC")
    return order_by(key.get("key"), descending=_DIRECTIONS[direction.upper()])


def order_by(name: object, *, descending: bool) -> Order:
    """Return an order by the field of this name. Raises CallerFault if there is none."""
    field = field_of(name)
    if not isinstance(field, InstanceField):
        raise CallerFault("instances cannot be sorted by a tag")
    return Order(field, descending)


def _limit(limit: object) -> int:
    if limit is None:
        return PAGE_ROWS_DEFAULT
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= PAGE_ROWS_MAX:
        raise CallerFault(f"limit must be a whole number from 1 to {PAGE_ROWS_MAX}")
    return limit


def _token(token: object) -> str | None:
    if token is not None and not isinstance(token, str):
        raise CallerFault("token must be a string")
    return token or None


def _object(value: object, what: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise CallerFault(f"{what} must be an object")
    return value


def _only_member(value: object, what: str, key: str) -> tuple[str, object]:
    if not isinstance(value, dict) or len(value) != 1:
        raise CallerFault(f"{what} must be an object with exactly one {key}")
    return next(iter(value.items()))
