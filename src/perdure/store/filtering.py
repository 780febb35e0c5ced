"""A filter tree, and the place of a page's last row, as SQL conditions with their values.

The SQL is what SQLite and Postgres both understand; a value is a question mark in it.

Missing moments are compared in columns that hold the least integer for them, so that every
integer column can be sought, ordered and compared without asking for NULL.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from perdure.store.paging import Place, tag_key, ties_descend, usable
from perdure.store.query import AllOf, AnyOf, Compare, Field, Filter, Operator, Order, Value

_LEAST: Final = -(1 << 63)  # a moment that is missing
_GREATEST: Final = (1 << 63) - 1

COLUMNS: Final[dict[Field, str]] = {
    Field.ID: "instance_id",
    Field.NAME: "name",
    Field.STATUS: "status",
    Field.CREATED: "created_at_us",
    Field.STARTED: "started_order",
    Field.UPDATED: "updated_at_us",
    Field.COMPLETED: "completed_order",
    Field.PARENT: "parent_id",
    Field.APP: "app_id",
    Field.VERSION: "coalesce(version_name, version)",
    Field.WAITS_FOR: "waits_for",
    Field.CUSTOM_STATUS: "custom_status",
}
# Surrogates are no characters: the one after U+D7FF is U+E000.
_SURROGATES_BEGIN: Final = 0xD800
_SURROGATES_END: Final = 0xE000

_KEYS_OF_TAG: Final = "SELECT key FROM tags WHERE tag = ? AND {condition}"
_HAS_TAG: Final = (
    "EXISTS (SELECT 1 FROM tags WHERE tags.key = instances.key AND tag = ? AND {condition})"
)

_HAS_NULL: Final = {Field.PARENT, Field.VERSION, Field.CUSTOM_STATUS}
_HAS_LEAST: Final = {Field.STARTED, Field.COMPLETED}

_SIGNS: Final = {
    Operator.EQ: "=",
    Operator.NEQ: "<>",
    Operator.GT: ">",
    Operator.GTE: ">=",
    Operator.LT: "<",
    Operator.LTE: "<=",
}


@dataclass(frozen=True, slots=True)
class Condition:
    """SQL that is true or not (NULL counts as not), and its values."""

    sql: str
    values: tuple[str | int, ...] = ()


ALWAYS: Final = Condition("TRUE")
NEVER: Final = Condition("FALSE")


def all_of(terms: Sequence[Condition]) -> Condition:
    """Return the condition that is true if every term is."""
    return _joined(terms, " AND ") if terms else ALWAYS


def any_of(terms: Sequence[Condition]) -> Condition:
    """Return the condition that is true if one of the terms is."""
    return _joined(terms, " OR ") if terms else NEVER


def _joined(terms: Sequence[Condition], word: str) -> Condition:
    sql = word.join(term.sql for term in terms)
    values = tuple(value for term in terms for value in term.values)
    return Condition(f"({sql})", values)


def condition_of(where: Filter) -> Condition:
    """Return the condition that a filter is."""
    match where:
        case AllOf(terms):
            return all_of([condition_of(term) for term in terms])
        case AnyOf(terms):
            return any_of([condition_of(term) for term in terms])
        case Compare(field, operator, values):
            wanted = [_bound(usable(field, value)) for value in values]
            key = tag_key(field)
            if key is None:
                return _comparison(Field(field), operator, wanted)
            return _tag_condition(key, operator, wanted)


def keys_of_tag(term: Compare) -> Condition | None:
    """Return a SELECT of the keys of instances that a comparison of a tag is true for.

    None if that takes more than a range of an index, as inequality does.
    """
    key = tag_key(term.field)
    wanted = [_bound(usable(term.field, value)) for value in term.values]
    if key is None or term.operator is Operator.NEQ:
        return None
    compared = _compared("value", term.operator, wanted)
    return Condition(_KEYS_OF_TAG.format(condition=compared.sql), (key, *compared.values))


def _tag_condition(key: str, operator: Operator, wanted: Sequence[Value]) -> Condition:
    # NEQ is true for an instance without the tag, so it is the opposite of EQ.
    negated = operator is Operator.NEQ
    compared = _compared("value", Operator.EQ if negated else operator, wanted)
    sql = _HAS_TAG.format(condition=compared.sql)
    return Condition(f"NOT {sql}" if negated else sql, (key, *compared.values))


def _comparison(field: Field, operator: Operator, wanted: Sequence[Value]) -> Condition:
    column = COLUMNS[field]
    if operator is Operator.NEQ:
        (only,) = wanted
        if only is None:
            return ALWAYS
        # A NULL differs from every value; so does the least integer, anyway.
        return Condition(f"({column} <> ? OR {column} IS NULL)", (only,))
    compared = _compared(column, operator, wanted)
    if field in _HAS_LEAST and operator in {Operator.LT, Operator.LTE} and compared != NEVER:
        return Condition(f"({column} > {_LEAST} AND {compared.sql})", compared.values)
    return compared


def _compared(column: str, operator: Operator, wanted: Sequence[Value]) -> Condition:
    known = tuple([value for value in wanted if value is not None])
    if not known:
        return NEVER
    if operator is Operator.IN:
        return Condition(f"{column} IN ({', '.join('?' * len(known))})", known)
    if operator is Operator.PREFIX:
        return _prefixed(column, known[0])
    return Condition(f"{column} {_SIGNS[operator]} ?", known)


def _prefixed(column: str, prefix: str | int) -> Condition:
    if not isinstance(prefix, str):
        return NEVER
    end = _after_prefix(prefix)
    if end is None:
        return Condition(f"{column} >= ?", (prefix,))
    return Condition(f"({column} >= ? AND {column} < ?)", (prefix, end))


def _after_prefix(prefix: str) -> str | None:
    """Return the least text that is greater than all that begin with `prefix`."""
    stem = prefix.rstrip("\U0010ffff")
    if not stem:
        return None
    following = ord(stem[-1]) + 1
    return stem[:-1] + chr(_SURROGATES_END if following == _SURROGATES_BEGIN else following)


def _bound(value: Value) -> Value:
    """Return a value as a column can hold it; moments are far from either end."""
    return max(_LEAST + 1, min(_GREATEST, value)) if isinstance(value, int) else value


def after(place: Place, order: Sequence[Order]) -> Condition:
    """Return the condition that a row comes after a place in an order."""
    columns = [COLUMNS[key.field] for key in order]
    values = [
        _LEAST if value is None and key.field in _HAS_LEAST else value
        for key, value in zip(order, place.values, strict=True)
    ]
    ties = ties_descend(order)
    whole = [value for value in values if value is not None]
    if all(key.descending == ties and key.field not in _HAS_NULL for key in order):
        return Condition(
            f"({', '.join((*columns, 'key'))}) {'<' if ties else '>'} "
            f"({', '.join('?' * (len(whole) + 1))})",
            (*whole, place.key),
        )
    rest = Condition(f"key {'<' if ties else '>'} ?", (place.key,))
    for key, column, value in zip(
        reversed(order), reversed(columns), reversed(values), strict=True
    ):
        same = (
            Condition(f"{column} = ?", (value,))
            if value is not None
            else Condition(f"{column} IS NULL")
        )
        rest = any_of([*_beyond(column, value, descending=key.descending), all_of([same, rest])])
    if order[0].field in _HAS_NULL:
        return rest
    # The same once more for the first column alone, so that an index can be entered there.
    return all_of([Condition(f"{columns[0]} {'<=' if ties else '>='} ?", (whole[0],)), rest])


def _beyond(column: str, value: Value, *, descending: bool) -> list[Condition]:
    """Return what puts a row after another by one column alone; a NULL is before every value."""
    if value is None:
        return [] if descending else [Condition(f"{column} IS NOT NULL")]
    if not descending:
        return [Condition(f"{column} > ?", (value,))]
    return [Condition(f"{column} < ?", (value,)), Condition(f"{column} IS NULL")]
