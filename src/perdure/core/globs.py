"""Patterns for names, as Go's `path.Match` reads them, which Dapr's files are written for.

`*` is any run of characters but `/`, `?` one of them, `[a-c]` and `[^a-c]` one of a class, and a
backslash takes the next character as it is. A pattern is for the whole name.
"""

import re
from collections.abc import Iterator
from typing import Final

_ANY: Final = "[^/]"


def compiled(pattern: str) -> re.Pattern[str]:
    """Return a pattern as a regular expression; raises ValueError if it cannot be read."""
    letters = iter(pattern)
    parts = []
    for letter in letters:
        match letter:
            case "*":
                parts.append(f"{_ANY}*")
            case "?":
                parts.append(_ANY)
            case "[":
                parts.append(_class(letters))
            case "\\":
                parts.append(re.escape(_next(letters)))
            case _:
                parts.append(re.escape(letter))
    return re.compile("".join(parts), re.DOTALL)


def _class(letters: Iterator[str]) -> str:
    """Read a class up to its bracket, which may not stand first, nor may a dash."""
    negated = False
    ranges: list[str] = []
    letter = _next(letters)
    if letter == "^":
        negated, letter = True, _next(letters)
    while letter != "]" or not ranges:
        low, following = _bound(letter, letters), _next(letters)
        high = low
        if following == "-":
            high, following = _bound(_next(letters), letters), _next(letters)
        if high >= low:  # one that goes backwards holds nothing
            ranges.append(f"{re.escape(low)}-{re.escape(high)}")
        else:
            ranges.append("")
        letter = following
    inside = "".join(ranges)
    if not inside:
        return "(?s:.)" if negated else "(?!)"
    return f"[{'^' if negated else ''}{inside}]"


def _bound(letter: str, letters: Iterator[str]) -> str:
    if letter in "-]":
        raise ValueError("a class of letters such as [a-c] is expected behind [")
    return _next(letters) if letter == "\\" else letter


def _next(letters: Iterator[str]) -> str:
    letter = next(letters, None)
    if letter is None:
        raise ValueError("the pattern ends in the middle of [ or behind \\")
    return letter
