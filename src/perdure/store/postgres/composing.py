"""Several statements as one: what a commit asks, or writes, in one exchange with the server."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from perdure.store.postgres.texts import bound

_PLACE: Final = re.compile(r"\$(\d+)")
# As many shapes of batches as an engine comes to have, and more.
_STATEMENTS_KEPT_MAX: Final = 1_024


@dataclass(frozen=True, slots=True)
class Part:
    """One of the statements, and its values."""

    name: str
    sql: str
    values: tuple[object, ...] = ()


def rows_part(
    name: str, sql: Mapping[str, str], rows: Sequence[Sequence[object]]
) -> Iterator[Part]:
    """Yield the statement `name` with a column of values for each of its places, if any."""
    if rows:
        columns = [bound(list(column)) for column in zip(*rows, strict=True)]
        yield Part(name, sql[name], tuple(columns))


NOTHING_MORE: Final = Part("", "SELECT")


def written_at_once(parts: Sequence[Part], last: Part = NOTHING_MORE) -> tuple[str, list[object]]:
    """Return one statement that makes the changes of all parts, and its values.

    None of them sees what another changes, and they happen in no order. Only what changes something
    may be a part: a question would not be asked. What is `last` may be one.
    """
    every = (*parts, last)
    sql = _with(tuple([(part.name, part.sql, len(part.values)) for part in every]))
    return sql, [value for part in every for value in part.values]


def asked_at_once(parts: Sequence[Part]) -> tuple[str, list[object]]:
    """Return one SELECT of which every part is a column, by its name, and its values."""
    sql = _select(tuple([(part.name, part.sql, len(part.values)) for part in parts]))
    return sql, [value for part in parts for value in part.values]


Shape = tuple[tuple[str, str, int], ...]


@lru_cache(_STATEMENTS_KEPT_MAX)
def _with(shape: Shape) -> str:
    *parts, (_, last) = _placed(shape)
    return "WITH " + ",\n".join(f"{name} AS (\n{sql}\n)" for name, sql in parts) + f"\n{last}"


@lru_cache(_STATEMENTS_KEPT_MAX)
def _select(shape: Shape) -> str:
    return "SELECT\n" + ",\n".join(f"{sql} AS {name}" for name, sql in _placed(shape))


def _placed(shape: Shape) -> list[tuple[str, str]]:
    """Return names and statements, of which each counts its values on from the one before it."""
    placed, before = [], 0
    for name, sql, values in shape:
        placed.append((name, _moved(sql, before)))
        before += values
    return placed


def _moved(sql: str, by: int) -> str:
    return _PLACE.sub(lambda place: f"${int(place[1]) + by}", sql)
