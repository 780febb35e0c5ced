"""What a listing means, for every store: the values of fields, the order, and the page tokens.

A missing value comes before every other in ascending order. A token carries the place of the
last row of a page (its values in the order's fields, then its key) and a digest of the query
that made it, so that a token of another filter or order is told apart.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from perdure.base.errors import CallerFault
from perdure.store.port import Snapshot
from perdure.store.query import (
    AllOf,
    AnyOf,
    Compare,
    Field,
    InstanceQuery,
    Operator,
    Order,
    Value,
)

TAG_PREFIX: Final = "tags."

_FIELDS: Final = frozenset(field.value for field in Field)
INTEGER_FIELDS: Final = frozenset(
    {Field.STATUS, Field.CREATED, Field.STARTED, Field.UPDATED, Field.COMPLETED},
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row stands in an order: its values in the order's fields, and its key."""

    values: tuple[Value, ...]
    key: int


def check_query(query: InstanceQuery) -> None:
    """Raise CallerFault if the query asks for a field that there is not."""
    assert query.limit > 0, query.limit
    terms = [query.where]
    while terms:
        match terms.pop():
            case AllOf(more) | AnyOf(more):
                terms.extend(more)
            case Compare(field, operator, values):
                tag_key(field)
                assert operator is Operator.IN or len(values) == 1, (field, operator, values)


def value_of(row: Snapshot, field: Field) -> Value:
    """Return what `field` holds for an instance, None if it is missing.

    The version is the one that the worker told, else the one asked for at the start.
    """
    identity, head = row.identity, row.head
    values: dict[Field, Value] = {
        Field.ID: identity.instance_id,
        Field.NAME: identity.name,
        Field.STATUS: row.status,
        Field.CREATED: head.created_at_us,
        Field.STARTED: head.started_at_us,
        Field.UPDATED: head.updated_at_us,
        Field.COMPLETED: head.completed_at_us,
        Field.PARENT: identity.parent_id,
        Field.APP: identity.app_id,
        Field.VERSION: identity.version if head.version_name is None else head.version_name,
        Field.WAITS_FOR: head.waits_for,
        Field.CUSTOM_STATUS: head.custom_status,
    }
    return values[field]


def tag_key(field: str) -> str | None:
    """Return KEY of `tags.KEY`, None for a field of the instance itself.

    Raises CallerFault if it is neither.
    """
    if field.startswith(TAG_PREFIX):
        return field.removeprefix(TAG_PREFIX)
    if field in _FIELDS:
        return None
    raise CallerFault(f"unknown field {field!r}; known are {', '.join(Field)} and {TAG_PREFIX}KEY")


def usable(field: str, value: Value) -> Value:
    """Return a value that a query compares `field` with, None if it can equal no stored one."""
    if isinstance(value, str):
        if field in INTEGER_FIELDS:
            return None
        # A lone surrogate, which JSON can bring, is not text that any store could hold.
        return value if value.isascii() or value.encode(errors="ignore").decode() == value else None
    return value if field in INTEGER_FIELDS else None


def order_of(query: InstanceQuery) -> tuple[Order, ...]:
    """Return the order without keys that an earlier one has decided already."""
    return tuple({key.field: key for key in reversed(query.order)}.values())[::-1]


def ties_descend(order: Sequence[Order]) -> bool:
    """Tell whether rows that are equal in every key come youngest first."""
    return bool(order) and order[0].descending


def place_of(row: Snapshot, order: Sequence[Order]) -> Place:
    """Return where a row stands."""
    return Place(tuple(value_of(row, key.field) for key in order), row.key)


def make_token(query: InstanceQuery, last: Snapshot) -> str:
    """Return the token of the page that comes after the row `last`."""
    place = place_of(last, order_of(query))
    body = json.dumps([*place.values, place.key]).encode()
    return urlsafe_b64encode(_digest(query, body) + body).decode().rstrip("=")


def read_token(query: InstanceQuery) -> Place | None:
    """Return the place that the query's token carries, None if it has no token.

    Raises CallerFault for what `make_token` did not return for the same filter and order.
    """
    if query.token is None:
        return None
    try:
        raw = urlsafe_b64decode(query.token + "=" * (-len(query.token) % 4))
    except (NotBase64, ValueError):
        raw = b""
    digest, body = raw[:_DIGEST_BYTES], raw[_DIGEST_BYTES:]
    if not body or digest != _digest(query, body):
        raise CallerFault(
            "the continuation token was not made by this listing; "
            "repeat it with the filter and order of its first page, or start without a token"
        )
    *values, key = json.loads(body)
    return Place(tuple(values), key)


_DIGEST_BYTES: Final = 12


def _digest(query: InstanceQuery, body: bytes) -> bytes:
    question = repr((query.where, order_of(query))).encode(errors="backslashreplace")
    return blake2b(question + b"\0" + body, digest_size=_DIGEST_BYTES).digest()
