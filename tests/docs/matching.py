"""Whether what was printed is what the page says; `…` in the page stands for anything.

In text it stands for anything within a line, or, on a line of its own, for any lines; how many
blanks stand in a row does not matter, since tables are as wide as what is in them. In JSON it
stands for any value, as a key for any further members, and as the last item for any further items.
JSON is compared as JSON: a page may lay it out for reading.
"""

import json
import re
from typing import Any

ANYTHING = "…"


def differs(language: str, expected: str, actual: str) -> str | None:
    """Return what is different, for a person, or None if nothing is."""
    match language:
        case "json":
            return json_differs(json.loads(expected), json.loads(actual))
        case "http":
            return _http_differs(expected, actual)
        case _:
            return _text_differs(expected, actual)


def json_differs(expected: Any, actual: Any, at: str = "$") -> str | None:
    """Compare two values of JSON."""
    match expected:
        case str() if ANYTHING in expected:
            return _text_differs(expected, _as_text(actual), at)
        case dict() if isinstance(actual, dict):
            return _objects_differ(expected, actual, at)
        case list() if isinstance(actual, list):
            return _lists_differ(expected, actual, at)
        case _:
            return None if expected == actual else f"{at}: {expected!r} is told, {actual!r} came"


def _objects_differ(expected: dict[str, Any], actual: dict[str, Any], at: str) -> str | None:
    told = expected.keys() - {ANYTHING}
    missing, more = told - actual.keys(), actual.keys() - told
    if missing or (more and ANYTHING not in expected):
        return f"{at}: missing {sorted(missing)}, not told {sorted(more)}"
    found = (json_differs(expected[key], actual[key], f"{at}.{key}") for key in told)
    return next((each for each in found if each), None)


def _lists_differ(expected: list[Any], actual: list[Any], at: str) -> str | None:
    told = [each for each in expected if each != ANYTHING]
    if len(actual) < len(told) or (len(actual) > len(told) and ANYTHING not in expected):
        return f"{at}: {len(told)} items are told, {len(actual)} came"
    pairs = enumerate(zip(told, actual, strict=False))
    found = (json_differs(one, other, f"{at}[{i}]") for i, (one, other) in pairs)
    return next((each for each in found if each), None)


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _http_differs(expected: str, actual: str) -> str | None:
    """Compare status line, those headers that are told, and body."""
    told_head, _, told_body = expected.partition("\n\n")
    head, _, body = actual.replace("\r\n", "\n").partition("\n\n")
    status, *headers = head.strip().splitlines()
    told_status, *told_headers = told_head.strip().splitlines()
    if status.strip() != told_status.strip():
        return f"{told_status!r} is told, {status!r} came with {body!r}"
    came = {name.lower(): value.strip() for name, _, value in (h.partition(":") for h in headers)}
    for header in told_headers:
        name, _, value = header.partition(":")
        if name.lower() not in came:
            return f"header {name} is told and did not come"
        if difference := _text_differs(value.strip(), came[name.lower()], name):
            return difference
    if not told_body.strip():
        return f"a body came: {body!r}" if body.strip() else None
    return json_differs(json.loads(told_body), json.loads(body))


def _text_differs(expected: str, actual: str, at: str = "output") -> str | None:
    lines = _lines(expected)
    pattern = ""
    for line in lines:
        if line == ANYTHING:
            pattern += r"(?:.*\n)*?"
        else:
            pattern += r"[^\n]*?".join(re.escape(part) for part in line.split(ANYTHING)) + "\n"
    came = "".join(f"{line}\n" for line in _lines(actual))
    if len(lines) == 1 and lines[0] == ANYTHING:
        return None
    if re.fullmatch(pattern, came):
        return None
    return f"{at}: told is\n{expected.strip()}\n--- came\n{actual.strip()}"


def _lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.strip().splitlines()]
