"""Sizes and durations as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.app.units import parse_duration, parse_size, render_size
from perdure.base.time import HOUR_US, MINUTE_US, SECOND_US


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("0", 0),
        ("65536", 65_536),
        ("4Mi", 4 * 1024 * 1024),
        ("4MiB", 4 * 1024 * 1024),
        ("16MB", 16_000_000),
        ("16M", 16_000_000),
        ("1Gi", 1024**3),
        ("512Ki", 512 * 1024),
        (" 8 Mi ", 8 * 1024 * 1024),
    ],
)
def test_sizes(text: str, size_bytes: int) -> None:
    assert parse_size(text) == size_bytes


@pytest.mark.parametrize("text", ["", "Mi", "-1", "1.5Mi", "4Q", "4 M i", "9" * 20, "0x10"])
def test_what_is_no_size(text: str) -> None:
    assert parse_size(text) is None


@pytest.mark.parametrize(
    ("size_bytes", "text"), [(4 * 1024 * 1024, "4Mi"), (1000, "1000"), (0, "0")]
)
def test_a_size_is_shown_in_the_unit_that_fits(size_bytes: int, text: str) -> None:
    assert render_size(size_bytes) == text


@given(st.integers(min_value=0, max_value=2**40))
def test_a_shown_size_reads_back(size_bytes: int) -> None:
    assert parse_size(render_size(size_bytes)) == size_bytes


@pytest.mark.parametrize(
    ("text", "duration_us"),
    [
        ("0", 0),
        ("-0", 0),
        ("90s", 90 * SECOND_US),
        ("1h30m", HOUR_US + 30 * MINUTE_US),
        ("1.5h", HOUR_US + 30 * MINUTE_US),
        (".5s", SECOND_US // 2),
        ("1.s", SECOND_US),
        ("100ms", 100_000),
        ("5us", 5),
        ("5µs", 5),
        ("1999ns", 1),
        ("-1m", -MINUTE_US),
        ("+1m", MINUTE_US),
        ("168h0m0s", 168 * HOUR_US),
        ("2540400h", 2_540_400 * HOUR_US),
    ],
)
def test_durations_as_go_reads_them(text: str, duration_us: int) -> None:
    assert parse_duration(text) == duration_us


@pytest.mark.parametrize(
    "text",
    ["", "1", "h", "1d", "1h30", "-", "+-1h", ".s", "1..5h", "1h -1m", "9999999h", "9" * 30 + "h"],
)
def test_what_go_would_not_read(text: str) -> None:
    assert parse_duration(text) is None


@given(st.text(alphabet="0123456789.hmsnuµ+-", max_size=30))
def test_no_text_breaks_the_reader(text: str) -> None:
    duration_us = parse_duration(text)
    assert duration_us is None or isinstance(duration_us, int)
