"""When a cron binding ticks: Dapr's schedules, pure and without a clock.

- Five or six fields as cron has them, the sixth, in front, for seconds; `CRON_TZ=` or `TZ=` before
  them names a time zone; `?` is a star.
- `@hourly` and its like stand for fields. `@every 1h30m` ticks at the multiples of its interval
  since 1970 in UTC, so that neither a restart nor a new start shifts it.
- A day on which the clocks change has each moment of a daily schedule once, as in Debian's cron:
  what falls into the hour that is left out comes right after it, and an hour that comes twice
  counts once. Schedules that tick by the hour or more often go on evenly.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from perdure.base.time import HOUR_US, MINUTE_US, NEVER_US, SECOND_US

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_US: Final = timedelta(microseconds=1)
_ZONE: Final = re.compile(r"(?:CRON_)?TZ=(\S+)\s+(.*)", re.DOTALL)
_EVERY: Final = "@every "
_DESCRIPTORS: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_DURATION: Final = re.compile(r"(?:\d+(?:\.\d*)?(?:ms|us|µs|ns|s|m|h))+", re.ASCII)
_DURATION_PART: Final = re.compile(r"(\d+(?:\.\d*)?)(ms|us|µs|ns|s|m|h)", re.ASCII)
_UNITS_US: Final = {
    "ns": 0.001,
    "us": 1,
    "µs": 1,
    "ms": 1_000,
    "s": SECOND_US,
    "m": MINUTE_US,
    "h": HOUR_US,
}
# A change of the clocks takes less.
_CHANGE_US: Final = 3 * HOUR_US
_FIELDS: Final = 5  # and with seconds one more
_DAY_FIELDS: Final = (2, 4)  # of five: those that may be `?`


class BadSchedule(ValueError):
    """A schedule that cannot be read; the text says why."""


@dataclass(frozen=True, slots=True)
class Every:
    """Ticks at the multiples of an interval."""

    interval_us: int

    def after(self, at_us: int) -> int | None:
        """Return the first moment after `at_us`."""
        return (at_us // self.interval_us + 1) * self.interval_us

    def back(self, at_us: int, ticks: int, stop_us: int) -> int:
        """Return a moment with at least so many ticks between it and `at_us`, or `stop_us`."""
        return max(at_us - ticks * self.interval_us, stop_us)


@dataclass(frozen=True, slots=True)
class Fields:
    """Ticks where the fields of a cron expression match, `offset_us` later."""

    expression: str
    zone: tzinfo
    offset_us: int = 0

    def after(self, at_us: int) -> int | None:
        """Return the first moment after `at_us`, or None if there is none in fifty years."""
        for moment in CronSim(self.expression, self._local(at_us)):
            # In an hour that comes twice, the same local time has been once before.
            if (found_us := self._moment(moment)) > at_us:
                return found_us
        return None

    def back(self, at_us: int, ticks: int, stop_us: int) -> int:
        """Return a moment with at least so many ticks between it and `at_us`, or `stop_us`."""
        moments = CronSim(self.expression, self._local(at_us), reverse=True)
        for n, moment in enumerate(moments):
            found_us = self._moment(moment)
            if found_us <= stop_us:
                break
            # Backwards and forwards need not agree on a day on which the clocks change.
            if n > ticks and found_us < at_us - _CHANGE_US:
                return found_us
        return stop_us

    def _local(self, at_us: int) -> datetime:
        return (_EPOCH + (at_us - self.offset_us) * _US).astimezone(self.zone)

    def _moment(self, moment: datetime) -> int:
        # Two aware datetimes of one zone are subtracted as wall clocks: in UTC they are moments.
        return (moment.astimezone(UTC) - _EPOCH) // _US + self.offset_us


Schedule = Every | Fields


@dataclass(frozen=True, slots=True)
class Plan:
    """A schedule and what its text says of it."""

    text: str
    zone_name: str
    schedule: Schedule


def read_plan(text: str, zone_name: str | None = None) -> Plan:
    """Return what `text` plans, in UTC unless a zone is named. Raises BadSchedule."""
    rest = text.strip()
    if (found := _ZONE.fullmatch(rest)) is not None:
        if zone_name is not None:
            raise BadSchedule("the time zone stands in the schedule and beside it; leave one out")
        zone_name, rest = found[1], found[2].strip()
    zone_name = zone_name or "UTC"
    zone = _zone(zone_name)
    schedule = _every(rest) if rest.startswith(_EVERY) else _fields(rest, zone)
    return Plan(text.strip(), zone_name, schedule)


def due_moments(schedule: Schedule, last_us: int, now_us: int, most: int) -> tuple[list[int], bool]:
    """Return the moments after `last_us` up to `now_us`, and whether all are there.

    If there are more than `most`, only the newest are returned. What a year without a server has
    left is not counted one by one.
    """
    start_us = schedule.back(now_us, most + 1, last_us)
    moments: list[int] = []
    next_us = schedule.after(start_us)
    while next_us is not None and next_us <= now_us:
        moments.append(next_us)
        next_us = schedule.after(next_us)
    return moments[-most:], start_us <= last_us and len(moments) <= most


def _zone(name: str) -> tzinfo:
    try:
        return UTC if name.upper() == "UTC" else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadSchedule(
            f"there is no time zone {name}; expected a name such as Europe/Berlin"
        ) from error


def _every(text: str) -> Every:
    duration = text.removeprefix(_EVERY).strip()
    if _DURATION.fullmatch(duration) is None:
        raise BadSchedule(f"{duration or 'nothing'} is no duration; expected such as @every 1h30m")
    parts = _DURATION_PART.findall(duration)
    interval_us = round(sum(float(number) * _UNITS_US[unit] for number, unit in parts))
    if not SECOND_US <= interval_us < NEVER_US or interval_us % SECOND_US:
        raise BadSchedule(f"@every {duration} is not in whole seconds, at least one")
    return Every(interval_us)


def _fields(text: str, zone: tzinfo) -> Fields:
    fields = _DESCRIPTORS.get(text.lower(), text).split()
    if text.startswith("@") and text.lower() not in _DESCRIPTORS:
        raise BadSchedule(f"{text} is not known; expected {', '.join(_DESCRIPTORS)} or @every")
    if len(fields) not in (_FIELDS, _FIELDS + 1):
        raise BadSchedule(
            f"{len(fields)} fields; expected six (second, minute, hour, day of month, month, "
            "day of week), five without seconds, or such as @every 15m"
        )
    seconds = fields.pop(0) if len(fields) > _FIELDS else "0"
    for place in _DAY_FIELDS:
        fields[place] = "*" if fields[place] == "?" else fields[place]
    expression = " ".join(fields)
    offset_us = 0
    if seconds.isascii() and seconds.isdigit():
        # Only expressions without seconds are treated as daily ones when the clocks change.
        offset_us = int(seconds) * SECOND_US
    else:
        expression = f"{seconds} {expression}"
    try:
        CronSim(f"{seconds} {' '.join(fields)}", _EPOCH)
    except CronSimError as error:
        raise BadSchedule(f"{error} in {text!r}") from error
    return Fields(expression, zone, offset_us)
