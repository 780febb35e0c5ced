"""Statements run with many rows, as cheaply as Python's `sqlite3` takes them.

Two things are dear there, dearer than most of what SQLite does with a row:
- With each run of a statement the writer's thread lets go of the interpreter and has to get it
  back. So rows go many to a statement, where that has `VALUES` (`run_wide`).
- Of every value that is not just a number or a text it is asked how to adapt it: the answer is an
  exception, raised and dropped within. So a NULL is written into the statement (`run_sparse`), and
  members of enumerations had better come as the numbers that they are.
"""

import re
import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Final

from perdure.store.records import Row
from perdure.store.sqlite.statements import statements

_SQL: Final = statements("writing")
_WIDTHS: Final = (32, 8)
_VALUES: Final = re.compile(r"VALUES (\([?, ]+\))")


def run(writer: sqlite3.Connection, name: str, rows: Sequence[Row]) -> int:
    """Run a statement once for each row; return how many rows of the table it has reached."""
    return writer.executemany(_SQL[name], rows).rowcount if rows else 0


def run_wide(writer: sqlite3.Connection, name: str, rows: Sequence[Row]) -> int:
    """Run a statement that has `VALUES`, with many rows at a time; return as `run`."""
    return _run_wide(writer, _SQL[name], rows)


def run_sparse(writer: sqlite3.Connection, name: str, rows: Sequence[Row]) -> None:
    """Run a statement with rows in which much is None."""
    by_shape: dict[tuple[bool, ...], list[Row]] = {}
    for row in rows:
        shape = tuple([value is None for value in row])
        by_shape.setdefault(shape, []).append(tuple([v for v in row if v is not None]))
    for shape, given in by_shape.items():
        _run_wide(writer, _shaped(name, shape), given)


def _run_wide(writer: sqlite3.Connection, sql: str, rows: Sequence[Row]) -> int:
    at = reached = 0
    for width in _WIDTHS:
        if len(rows) - at < width:
            continue
        wide = _widened(sql, width)
        if wide is None:
            break
        while len(rows) - at >= width:
            values = tuple(chain.from_iterable(rows[at : at + width]))
            reached += writer.execute(wide, values).rowcount
            at += width
    if at < len(rows):
        reached += writer.executemany(sql, rows[at:]).rowcount
    return reached


@lru_cache(maxsize=128)
def _widened(sql: str, width: int) -> str | None:
    """Return a statement for so many rows at a time; None for one that takes one alone."""
    wide, count = _VALUES.subn(lambda found: "VALUES " + ",".join([found[1]] * width), sql)
    return wide if count else None


@lru_cache(maxsize=128)
def _shaped(name: str, shape: tuple[bool, ...]) -> str:
    """Return a statement with NULL in the places that are None."""
    first, *others = _SQL[name].split("?")
    assert len(others) == len(shape), name
    filled = ["NULL" if none else "?" for none in shape]
    return first + "".join(chain.from_iterable(zip(filled, others, strict=True)))
