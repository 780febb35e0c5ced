"""RFC 3339 timestamps to microseconds and back, without reading any clock."""

import re
from typing import Final

from perdure.base.time import DAY_US, HOUR_US, MINUTE_US, SECOND_US

_PATTERN: Final = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(\.\d{1,9})?"
    r"([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)
_MONTH_DAYS: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def _days_from_civil(year: int, month: int, day: int) -> int:
    # The proleptic Gregorian calendar counted from March, so that the leap day comes last.
    year -= month <= 2  # noqa: PLR2004 - February
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    return era * 146_097 + day_of_era - 719_468


def _civil_from_days(days: int) -> tuple[int, int, int]:
    era, day_of_era = divmod(days + 719_468, 146_097)
    year_of_era = (
        day_of_era - day_of_era // 1_460 + day_of_era // 36_524 - day_of_era // 146_096
    ) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted_month = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * shifted_month + 2) // 5 + 1
    month = (shifted_month + 2) % 12 + 1
    return year_of_era + era * 400 + (month <= 2), month, day  # noqa: PLR2004 - February


def _offset_us(zone: str) -> int:
    if zone in {"Z", "z"}:
        return 0
    sign = -1 if zone[0] == "-" else 1
    return sign * (int(zone[1:3]) * HOUR_US + int(zone[4:6]) * MINUTE_US)


def parse(text: str) -> int | None:
    """Return the moment that `text` names in microseconds, or None if it is not RFC 3339.

    Digits beyond the microsecond are cut off.
    """
    found = _PATTERN.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(found[n]) for n in range(1, 7))
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if not 1 <= month <= 12 or not 1 <= day <= _MONTH_DAYS[month - 1]:  # noqa: PLR2004 - as a calendar has it
        return None
    if (month == 2 and day == 29 and not leap) or hour > 23 or minute > 59 or second > 60:  # noqa: PLR2004 - as a calendar has it
        return None
    fraction_us = int((found[7] or ".0")[1:7].ljust(6, "0"))
    whole = _days_from_civil(year, month, day) * DAY_US
    whole += hour * HOUR_US + minute * MINUTE_US + second * SECOND_US
    return whole + fraction_us - _offset_us(found[8])


def render(at_us: int) -> str:
    """Return `at_us` as RFC 3339 in UTC with 0, 3 or 6 fractional digits, as protojson does."""
    days, rest_us = divmod(at_us, DAY_US)
    year, month, day = _civil_from_days(days)
    hour, rest_us = divmod(rest_us, HOUR_US)
    minute, rest_us = divmod(rest_us, MINUTE_US)
    second, fraction_us = divmod(rest_us, SECOND_US)
    text = f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}"
    if fraction_us == 0:
        return text + "Z"
    if fraction_us % 1_000 == 0:
        return f"{text}.{fraction_us // 1_000:03d}Z"
    return f"{text}.{fraction_us:06d}Z"
