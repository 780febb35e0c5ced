"""Timestamps as people and SDKs write them."""

import pytest

from perdure.base import rfc3339
from perdure.base.time import LATEST_US, SECOND_US


@pytest.mark.parametrize(
    ("text", "at_us"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.000001Z", 1),
        ("1970-01-01T00:00:00.123456789Z", 123_456),
        ("1970-01-01t01:00:00+01:00", 0),
        ("1969-12-31 23:00:00-01:00", 0),
        ("2009-11-10T23:00:00Z", 1_257_894_000 * SECOND_US),
        ("2000-02-29T00:00:00Z", 951_782_400 * SECOND_US),
        ("9999-12-31T23:59:59.999999999Z", LATEST_US),
    ],
)
def test_what_is_read(text: str, at_us: int) -> None:
    assert rfc3339.parse(text) == at_us


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2009-11-10",
        "2009-11-10T23:00:00",
        "2009-11-10T23:00Z",
        "2009-13-10T23:00:00Z",
        "2009-00-10T23:00:00Z",
        "2009-02-29T23:00:00Z",
        "1900-02-29T23:00:00Z",
        "2009-04-31T23:00:00Z",
        "2009-11-10T24:00:00Z",
        "2009-11-10T23:60:00Z",
        "2009-11-10T23:00:61Z",
        "2009-11-10T23:00:00.Z",
        "2009-11-10T23:00:00.1234567890Z",
        "2009-11-10T23:00:00+24:00",
        "2009-11-10T23:00:00+01:60",
        " 2009-11-10T23:00:00Z",
        "2009-11-10T23:00:00Z\n",
        "\u0662\u0660\u0660\u0669-11-10T23:00:00Z",
    ],
)
def test_what_is_not_read(text: str) -> None:
    assert rfc3339.parse(text) is None


@pytest.mark.parametrize(
    ("at_us", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1, "1970-01-01T00:00:00.000001Z"),
        (123_000, "1970-01-01T00:00:00.123Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (LATEST_US, "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_what_is_written(at_us: int, text: str) -> None:
    assert rfc3339.render(at_us) == text
