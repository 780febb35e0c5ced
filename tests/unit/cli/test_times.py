"""Moments and lengths of time as people read and write them."""

import pytest

from perdure.base import rfc3339
from perdure.base.time import DAY_US, HOUR_US, LATEST_US, MINUTE_US, SECOND_US
from perdure.cli.times import absolute, ago, clock_time, duration, parse_moment, parse_us

NOON = rfc3339.parse("2026-01-31T12:00:00.250Z") or 0


@pytest.mark.parametrize(
    ("length_us", "text"),
    [
        (-5, "0ms"),
        (0, "0ms"),
        (999_999, "999ms"),
        (1_240_000, "1.2s"),
        (42 * SECOND_US, "42s"),
        (MINUTE_US, "1m"),
        (2 * MINUTE_US + 5 * SECOND_US, "2m 5s"),
        (HOUR_US + MINUTE_US, "1h 1m"),
        (3 * DAY_US + 4 * HOUR_US + MINUTE_US, "3d 4h"),
        (400 * DAY_US, "400d"),
    ],
)
def test_a_length_has_its_two_largest_units(length_us: int, text: str) -> None:
    assert duration(length_us) == text


@pytest.mark.parametrize(
    ("at_us", "text"),
    [
        (NOON, "now"),
        (NOON + SECOND_US // 2, "now"),
        (NOON - 90 * SECOND_US, "1m 30s ago"),
        (NOON + 3 * DAY_US, "in 3d"),
    ],
)
def test_a_moment_is_told_from_now(at_us: int, text: str) -> None:
    assert ago(at_us, NOON) == text


def test_utc_is_marked() -> None:
    assert absolute(NOON, utc=True) == "2026-01-31 12:00:00Z"
    assert clock_time(NOON, utc=True) == "12:00:00.250Z"
    assert not absolute(NOON, utc=False).endswith("Z")
    assert clock_time(NOON, utc=False).endswith(".250")


def test_the_last_moment_can_be_shown() -> None:
    assert absolute(LATEST_US, utc=True) == "9999-12-31 23:59:59Z"
    assert absolute(LATEST_US, utc=False)


@pytest.mark.parametrize(
    ("text", "at_us"),
    [
        ("30s", NOON - 30 * SECOND_US),
        ("24h", NOON - DAY_US),
        (" 7d ", NOON - 7 * DAY_US),
        ("2w", NOON - 14 * DAY_US),
        ("2026-01-31T12:00:00.25Z", NOON),
        ("yesterday", None),
        ("7", None),
        ("2026-13-01", None),
        ("-1h", None),
    ],
)
def test_a_moment_is_read(text: str, at_us: int | None) -> None:
    assert parse_moment(text, NOON) == at_us


def test_a_date_is_midnight_of_this_wall() -> None:
    at_us = parse_moment("2026-01-31", NOON)
    assert at_us is not None
    assert absolute(at_us, utc=False) == "2026-01-31 00:00:00"


def test_a_moment_that_the_server_did_not_name_is_none() -> None:
    assert parse_us(None) is None
    assert parse_us("") is None
