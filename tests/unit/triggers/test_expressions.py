"""Expressions: what they see, what they come to, and what hostile ones cannot do."""

import time
from typing import Any

import pytest

from perdure.triggers.expressions import (
    EXPRESSION_CHARS_MAX,
    BadExpression,
    Expression,
    NoResult,
    surroundings,
)

EVENT: dict[str, Any] = {
    "id": "7",
    "type": "order",
    "data": {"n": 5, "price": 2.5, "whole": 7.0, "huge": 2**70, "tags": ["a", "b"], "none": None},
}
SEEN = surroundings(EVENT, {"region": "eu"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("event.type", "order"),
        ("event.data.n + 1", 6),
        ("data.n > 4 && event.type == 'order'", True),
        ("data.price", 2.5),
        ("data.huge", float(2**70)),
        ("data.none", None),
        ("data.tags", ["a", "b"]),
        ("metadata.region", "eu"),
        ("metadata['region']", "eu"),
        ("has(data.missing)", False),
        ("data.?missing.orValue('x')", "x"),
        ("{'id': event.id, 'n': data.n}", {"id": "7", "n": 5}),
        ("{1: true, 'b': [1u]}", {"1": True, "b": [1]}),
        ("data.tags.map(tag, tag + '!')", ["a!", "b!"]),
        ("'Ab'.lowerAscii() + 'a,b'.split(',')[1]", "abb"),
        ("b'ab'", b"ab"),
        ("timestamp('2026-01-01T00:00:00Z')", "2026-01-01T00:00:00Z"),
        ("duration('90.5s')", "90.5s"),
        ("'aaa'.matches('^a+$')", True),
    ],
)
def test_what_an_expression_comes_to(text: str, expected: object) -> None:
    assert Expression(text).value(SEEN) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("evnt.type", "character 5: there is no 'evnt.type'; known are event, data, metadata"),
        ("foo(event)", "there is no 'foo'"),
        ("event.type ==", "Syntax error"),
        ("1 + 'a'", "no matching overload"),
        ("event.type == 'a' && 'b'", "no matching overload"),
        ("", "Syntax error|mismatched"),
        ("a" * (EXPRESSION_CHARS_MAX + 1), "at most"),
        ("(" * 1_000 + "1" + ")" * 1_000, "recursion limit"),
        ("+".join(["1"] * 1_000), "recursion"),
    ],
)
def test_what_cannot_be_compiled_is_said_where(text: str, said: str) -> None:
    with pytest.raises(BadExpression, match=said):
        Expression(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("data.missing", 'data.missing: there is no "missing"'),
        ("event.nope.more", 'there is no "nope"'),
        ("event.type.n", "a field is asked of what is no object; data that is no JSON is text"),
        ("data.n / 0", "divide by zero"),
        ("data.tags[9]", "index|out of"),
        ("data.n + data.price", "no matching overload|No matching"),
        ("optional.of(1)", "Unable to convert"),
        ("type(1)", "not a value"),
        ("data.n + 9223372036854775807", "overflow"),
    ],
)
def test_what_comes_to_nothing_says_why(text: str, said: str) -> None:
    with pytest.raises(NoResult, match=said):
        Expression(text).value(SEEN)


def test_a_name_is_text() -> None:
    for text, expected in (("event.id", "7"), ("data.n", "5"), ("data.whole", "7")):
        assert Expression(text).text_of(SEEN) == expected
    for text in ("data.tags", "data.none", "''", "data.price", "true", "data"):
        with pytest.raises(NoResult, match="expected text"):
            Expression(text).text_of(SEEN)


def test_a_match_is_true_or_false() -> None:
    assert Expression("data.n == 5").holds(SEEN) is True
    assert Expression("data.n == 6").holds(SEEN) is False
    for text in ("data.n", "data.missing == 1", "'true'"):
        with pytest.raises(NoResult):
            Expression(text).holds(SEEN)


def test_the_kind_is_known_beforehand_where_it_can_be() -> None:
    kinds = {"1 == 1": "BOOL", "'a'": "STRING", "event": "MAP", "event.id": "DYN", "[1]": "LIST"}
    assert {text: Expression(text).kind for text in kinds} == kinds


@pytest.mark.parametrize(
    "text",
    [
        "data.all(a, data.all(b, data.all(c, a + b + c >= 0)))",
        "data.map(a, data.map(b, data.map(c, a)))",
        "size(data.map(a, data)) > 0 && data.exists(a, data.exists(b, a + b < 0))",
    ],
)
def test_a_loop_over_loops_comes_to_an_end(text: str) -> None:
    """Nested over a thousand entries, it would take hours."""
    seen = surroundings({"data": list(range(1_000))}, {})
    began = time.monotonic()
    with pytest.raises(NoResult, match="udget"):
        Expression(text).value(seen)
    assert time.monotonic() - began < 10


def test_a_pattern_of_despair_takes_no_time() -> None:
    seen = surroundings({"data": "a" * 100_000 + "b"}, {})
    assert Expression("data.matches('^(a+)+$')").value(seen) is False


def test_a_result_is_bounded() -> None:
    seen = surroundings({"data": "x" * 1_000_000}, {})
    with pytest.raises(NoResult, match="comes to more than"):
        Expression("[1, 2, 3, 4, 5].map(n, data)").value(seen)
