"""Text as Postgres can hold it: it knows no character NUL.

NUL is written as two characters that begin with U+0001, and so is U+0001 itself. Written so, texts
compare as before, and what began with another text still does.
"""

from collections.abc import Iterable
from typing import Any

from perdure.store.records import Row

NUL, MARK = "\x00", "\x01"


def escaped(text: str) -> str:
    """Return a text as it is written."""
    if NUL not in text and MARK not in text:
        return text
    return text.replace(MARK, f"{MARK}\x02").replace(NUL, f"{MARK}{MARK}")


def plain(text: str) -> str:
    """Return the text that was written so."""
    if MARK not in text:
        return text
    # No other character ever follows a mark, so halves of two pairs cannot be taken for one.
    return "".join(NUL if part == f"{MARK}{MARK}" else part for part in _pairs(text))


def _pairs(text: str) -> list[str]:
    parts, at = [], 0
    while at < len(text):
        width = 2 if text[at] == MARK else 1
        parts.append(MARK if text[at : at + width] == f"{MARK}\x02" else text[at : at + width])
        at += width
    return parts


def bound(value: object) -> object:
    """Return a value, or a column of values, as it is handed to Postgres."""
    if isinstance(value, str):
        return escaped(value)
    if isinstance(value, list):
        return [escaped(each) if isinstance(each, str) else each for each in value]
    return value


def plain_row(row: Iterable[Any]) -> Row:
    """Return a row as it was before it was written."""
    values = tuple(row)
    if any(isinstance(value, str) and MARK in value for value in values):
        return tuple([plain(value) if isinstance(value, str) else value for value in values])
    return values
