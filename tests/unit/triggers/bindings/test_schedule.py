"""Schedules: Dapr's spellings, time zones, the days on which the clocks change, and long gaps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.base import rfc3339
from perdure.base.time import DAY_US, HOUR_US, SECOND_US
from perdure.triggers.bindings.schedule import BadSchedule, due_moments, read_plan


def at(text: str) -> int:
    moment_us = rfc3339.parse(text)
    assert moment_us is not None, text
    return moment_us


def moments(text: str, since: str, count: int, zone: str | None = None) -> list[str]:
    schedule = read_plan(text, zone).schedule
    found, last_us = [], at(since)
    for _ in range(count):
        next_us = schedule.after(last_us)
        assert next_us is not None
        assert next_us > last_us
        found.append(rfc3339.render(next_us))
        last_us = next_us
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30 * * * * *", ["2026-01-01T00:00:30Z", "2026-01-01T00:01:30Z"]),
        ("*/20 * * * * *", ["2026-01-01T00:00:20Z", "2026-01-01T00:00:40Z"]),
        ("0 */15 * * * *", ["2026-01-01T00:15:00Z", "2026-01-01T00:30:00Z"]),
        ("*/15 * * * *", ["2026-01-01T00:15:00Z", "2026-01-01T00:30:00Z"]),
        ("0 30 3-6,20-23 * * *", ["2026-01-01T03:30:00Z", "2026-01-01T04:30:00Z"]),
        (
            "CRON_TZ=America/New_York 0 30 04 * * *",
            ["2026-01-01T09:30:00Z", "2026-01-02T09:30:00Z"],
        ),
        ("TZ=Asia/Tokyo 0 0 9 ? * MON-FRI", ["2026-01-02T00:00:00Z", "2026-01-05T00:00:00Z"]),
        ("0 0 0 ? * 7", ["2026-01-04T00:00:00Z", "2026-01-11T00:00:00Z"]),
        ("@every 15s", ["2026-01-01T00:00:15Z", "2026-01-01T00:00:30Z"]),
        ("@every 1h30m", ["2026-01-01T01:30:00Z", "2026-01-01T03:00:00Z"]),
        ("@hourly", ["2026-01-01T01:00:00Z", "2026-01-01T02:00:00Z"]),
        ("@daily", ["2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"]),
        ("@weekly", ["2026-01-04T00:00:00Z", "2026-01-11T00:00:00Z"]),
        ("@monthly", ["2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"]),
        ("@annually", ["2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z"]),
    ],
)
def test_schedules_tick_as_dapr_documents_them(text: str, expected: list[str]) -> None:
    assert moments(text, "2026-01-01T00:00:00Z", 2) == expected


@pytest.mark.parametrize(
    ("text", "zone", "since", "expected"),
    [
        # Berlin, 29 March 2026: 02:00 becomes 03:00 at 01:00 UTC. The tick of 02:30 is not lost.
        (
            "0 30 2 * * *",
            "Europe/Berlin",
            "2026-03-28T12:00:00Z",
            ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"],
        ),
        (
            "15 30 2 * * *",
            "Europe/Berlin",
            "2026-03-28T12:00:00Z",
            ["2026-03-29T01:00:15Z", "2026-03-30T00:30:15Z"],
        ),
        # Berlin, 25 October 2026: 03:00 becomes 02:00 at 01:00 UTC. 02:30 is there once.
        (
            "0 30 2 * * *",
            "Europe/Berlin",
            "2026-10-24T12:00:00Z",
            ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"],
        ),
        # What begins within the second of the two hours does not go back to the first.
        (
            "0 45 2 * * *",
            "Europe/Berlin",
            "2026-10-25T01:10:00Z",
            ["2026-10-26T01:45:00Z"],
        ),
        # By the hour and more often goes on evenly.
        (
            "0 0 * * * *",
            "Europe/Berlin",
            "2026-10-24T23:30:00Z",
            ["2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z"],
        ),
        (
            "0 */30 * * * *",
            "Europe/Berlin",
            "2026-03-29T00:10:00Z",
            ["2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"],
        ),
        # Beirut changes at midnight: the midnight of that day is one o'clock.
        (
            "@daily",
            "Asia/Beirut",
            "2026-03-28T12:00:00Z",
            ["2026-03-28T22:00:00Z", "2026-03-29T21:00:00Z"],
        ),
        # Lord Howe Island changes by half an hour: 02:00 becomes 02:30.
        (
            "0 15 2 * * *",
            "Australia/Lord_Howe",
            "2026-10-03T12:00:00Z",
            ["2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"],
        ),
    ],
)
def test_the_days_on_which_the_clocks_change(
    text: str, zone: str, since: str, expected: list[str]
) -> None:
    assert moments(text, since, len(expected), zone) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "* * *",
        "61 * * * *",
        "* * * * * * *",
        "0 0 30 2 *",
        "@often",
        "@every",
        "@every x",
        "@every 500ms",
        "@every 1.5s",
        "@every 0s",
        "CRON_TZ=Europe/Nowhere * * * * *",
        "TZ=../../etc/passwd * * * * *",
    ],
)
def test_what_is_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(BadSchedule):
        read_plan(text)


def test_a_zone_named_twice_is_refused() -> None:
    with pytest.raises(BadSchedule, match="leave one out"):
        read_plan("TZ=UTC * * * * *", "Europe/Berlin")


@pytest.mark.parametrize("text", ["@every 1s", "* * * * * *", "0 30 2 * * *", "0 0 29 2 *"])
def test_a_long_gap_is_not_counted_one_by_one(text: str) -> None:
    schedule = read_plan(text, "Europe/Berlin").schedule
    last_us, now_us = at("2000-01-01T00:00:00Z"), at("2026-06-01T00:00:00Z")
    found, complete = due_moments(schedule, last_us, now_us, 3)
    assert not complete
    assert len(found) == 3
    assert found == sorted(set(found))
    next_us = schedule.after(found[-1])
    assert next_us is not None
    assert next_us > now_us


_SCHEDULES = (
    "@every 7m",
    "*/7 * * * * *",
    "0 */10 * * * *",
    "0 30 2 * * *",
    "5 15,45 1-3 * * *",
    "0 0 0 * * 0",
    "@hourly",
)
_ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Beirut")


@given(
    text=st.sampled_from(_SCHEDULES),
    zone=st.sampled_from(_ZONES),
    start_us=st.integers(at("2026-03-01T00:00:00Z"), at("2026-12-01T00:00:00Z")),
    steps=st.lists(st.integers(0, 3 * HOUR_US), min_size=1, max_size=8),
    most=st.integers(1, 2_000),
)
def test_however_often_one_looks_each_moment_comes_once(
    text: str, zone: str, start_us: int, steps: list[int], most: int
) -> None:
    """Asking often, in pieces, finds what asking once finds; and the newest are always there."""
    schedule = read_plan(text, zone).schedule
    last_us = now_us = start_us
    pieces: list[int] = []
    for step_us in steps:
        now_us += step_us
        found, _ = due_moments(schedule, last_us, now_us, 20_000)
        pieces += found
        last_us = found[-1] if found else last_us
    whole, complete = due_moments(schedule, start_us, now_us, 200_000)
    assert complete
    assert pieces == whole
    newest, all_there = due_moments(schedule, start_us, now_us, most)
    assert newest == whole[-most:]
    assert all_there == (len(whole) <= most)


@given(
    zone=st.sampled_from(_ZONES),
    hour=st.integers(0, 23),
    minute=st.integers(0, 59),
    second=st.integers(0, 59),
    start_us=st.integers(at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z")),
)
def test_a_daily_schedule_ticks_once_each_day(
    zone: str, hour: int, minute: int, second: int, start_us: int
) -> None:
    schedule = read_plan(f"{second} {minute} {hour} * * *", zone).schedule
    first_us = schedule.after(start_us)
    assert first_us is not None
    second_us = schedule.after(first_us)
    assert second_us is not None
    # A day has 23 to 25 hours, and a tick that was left out comes up to an hour late.
    assert abs(second_us - first_us - DAY_US) <= HOUR_US + SECOND_US
