"""Moments and durations as people read them."""

import re
from datetime import UTC, datetime
from typing import Final

from perdure.base import rfc3339
from perdure.base.time import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from perdure.cli.exits import ExitCode, Trouble

_STEPS: Final = (
    (DAY_US, "d", HOUR_US, "h"),
    (HOUR_US, "h", MINUTE_US, "m"),
    (MINUTE_US, "m", SECOND_US, "s"),
)
_MILLISECOND_US: Final = 1_000


def now_us() -> int:
    """Return the time of this machine."""
    return int(datetime.now(UTC).timestamp() * SECOND_US)


def parse_us(text: object) -> int | None:
    """Return the moment that the server named, or None where it named none."""
    return rfc3339.parse(text) if isinstance(text, str) else None


def duration(length_us: int) -> str:
    """Return a length of time in its two largest units: `3d 4h`, `2m 5s`, `1.2s`, `37ms`."""
    if length_us < SECOND_US:
        return f"{max(0, length_us) // _MILLISECOND_US}ms"
    if length_us < 10 * SECOND_US:
        return f"{length_us / SECOND_US:.1f}s"
    return whole_duration(length_us)


def whole_duration(length_us: int) -> str:
    """Return a length of time as `duration` does, but in whole seconds."""
    for unit_us, unit, lesser_us, lesser in _STEPS:
        if length_us >= unit_us:
            rest = length_us % unit_us // lesser_us
            return f"{length_us // unit_us}{unit}" + (f" {rest}{lesser}" if rest else "")
    return f"{max(0, length_us) // SECOND_US}s"


def ago(at_us: int, seen_us: int) -> str:
    """Return how long before `seen_us` a moment was, or how far it is ahead."""
    if at_us > seen_us + SECOND_US:
        return f"in {whole_duration(at_us - seen_us)}"
    if seen_us - at_us < SECOND_US:
        return "now"
    return f"{whole_duration(seen_us - at_us)} ago"


def absolute(at_us: int, *, utc: bool) -> str:
    """Return a moment to the second: in UTC, or as the clock on this wall shows it."""
    moment = datetime.fromtimestamp(at_us // SECOND_US, UTC)
    if utc:
        return f"{moment:%Y-%m-%d %H:%M:%S}Z"
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"


def clock_time(at_us: int, *, utc: bool) -> str:
    """Return the time of day to the millisecond, for lines that follow each other closely."""
    moment = datetime.fromtimestamp(at_us // SECOND_US, UTC)
    milliseconds = at_us % SECOND_US // _MILLISECOND_US
    if utc:
        return f"{moment:%H:%M:%S}.{milliseconds:03d}Z"
    return f"{moment.astimezone():%H:%M:%S}.{milliseconds:03d}"


_UNITS_US: Final = {"s": SECOND_US, "m": MINUTE_US, "h": HOUR_US, "d": DAY_US, "w": 7 * DAY_US}
_LENGTH: Final = re.compile(r"(\d{1,9})([smhdw])")


def parse_moment(text: str, seen_us: int) -> int | None:
    """Return the moment that a person means: `24h` (ago), `2026-01-31`, or RFC 3339; else None.

    A time without a zone is that of the clock on this wall.
    """
    length = _LENGTH.fullmatch(text.strip())
    if length is not None:
        return seen_us - int(length[1]) * _UNITS_US[length[2]]
    at_us = rfc3339.parse(text.strip())
    if at_us is not None:
        return at_us
    try:
        return int(datetime.fromisoformat(text.strip()).timestamp()) * SECOND_US
    except (ValueError, OverflowError):
        return None


def moment_given(flag: str, text: str | None) -> str | None:
    """Return what a flag was given as the server reads it. Raises Trouble if it is no moment."""
    if text is None:
        return None
    at_us = parse_moment(text, now_us())
    if at_us is None:
        raise Trouble(
            f"{flag} {text!r} is no moment.",
            advice="Give 30m, 24h or 7d for so long ago, or 2026-01-31, or 2026-01-31T08:30:00Z.",
            code=ExitCode.USAGE,
        )
    return rfc3339.render(at_us)
