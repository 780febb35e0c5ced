"""What is to go wrong in one run: a schedule of faults, each at the n-th occasion of its kind.

A run follows from its schedule alone. So a schedule is all that is needed to see a failure again,
and it is written as one line that a person can read, keep in a test, and shorten.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from perdure.base.errors import ConfigurationError
from perdure.base.time import DAY_US, HOUR_US, MINUTE_US, SECOND_US


class Kind(StrEnum):
    """The kinds of fault; the value is how a schedule writes it."""

    CRASH_BEFORE_COMMIT = "crash-before-commit"
    CRASH_AFTER_COMMIT = "crash-after-commit"
    CRASH_IN_RUN = "crash-in-run"
    CRASH_AFTER_RUN = "crash-after-run"
    RESTART = "restart"
    RUN_TWICE = "run-twice"
    RESULT_TWICE = "result-twice"
    RESULT_LATE = "result-late"
    TURN_LATE = "turn-late"


# What each kind means, for the story of a failure; {} is the occasion.
MEANINGS: Final[dict[Kind, str]] = {
    Kind.CRASH_BEFORE_COMMIT: "the process dies before {} is on disk",
    Kind.CRASH_AFTER_COMMIT: "the process dies after {} is on disk, before anybody hears of it",
    Kind.CRASH_IN_RUN: "the process dies in the middle of {}, while that waits",
    Kind.CRASH_AFTER_RUN: "the process dies after {} has run, before its result is handed in",
    Kind.RESTART: "the process is stopped and started again after {} is on disk",
    Kind.RUN_TWICE: "the worker loses its connection with {} in hand: it is handed out once more",
    Kind.RESULT_TWICE: "the result of {} is handed in twice",
    Kind.RESULT_LATE: "the result of {} is held up for {for_}",
    Kind.TURN_LATE: "the answer to {} is held up for {for_}",
}
LATE: Final = frozenset({Kind.RESULT_LATE, Kind.TURN_LATE})
# How long something is held up: long enough to be overtaken, by what is quick and what is not.
DELAYS_US: Final = (SECOND_US, MINUTE_US, HOUR_US)

_UNITS: Final = {"s": SECOND_US, "m": MINUTE_US, "h": HOUR_US, "d": DAY_US}
_FAULT: Final = re.compile(
    r"(?P<kind>[a-z-]+):(?P<nth>[1-9]\d{0,8})(?:\+(?P<late>\d{1,6})([smhd]))?"
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong, at the `nth` occasion of its kind, counted from 1."""

    kind: Kind
    nth: int
    late_us: int = 0  # for how long what is late is held up

    def __str__(self) -> str:
        """Return it as a schedule writes it."""
        late = f"+{_length(self.late_us)}" if self.late_us else ""
        return f"{self.kind}:{self.nth}{late}"

    def told(self, occasion: str) -> str:
        """Return it in words."""
        return MEANINGS[self.kind].format(occasion, for_=_length(self.late_us))


Schedule = tuple[Fault, ...]


def written(schedule: Schedule) -> str:
    """Return a schedule as one line; `read` of it is the schedule again."""
    return " ".join(map(str, schedule))


def read(text: str) -> Schedule:
    """Return the schedule that a line writes. Raises ConfigurationError, which names the fault."""
    return tuple(_fault(word) for word in text.split())


def _fault(word: str) -> Fault:
    found = _FAULT.fullmatch(word)
    if found is None or found["kind"] not in set(Kind):
        kinds = ", ".join(Kind)
        raise ConfigurationError(
            f"{word!r} is no fault of a schedule: expected KIND:N or KIND:N+LENGTH, such as "
            f"crash-after-run:1 or result-late:2+60s; the kinds are {kinds}"
        )
    kind = Kind(found["kind"])
    late_us = int(found["late"]) * _UNITS[found[4]] if found["late"] else 0
    if bool(late_us) != (kind in LATE):
        raise ConfigurationError(
            f"{word!r}: what is late says for how long, as in result-late:2+60s, and nothing else"
        )
    return Fault(kind, int(found["nth"]), late_us)


def _length(length_us: int) -> str:
    for unit, unit_us in reversed(_UNITS.items()):
        if length_us >= unit_us and length_us % unit_us == 0:
            return f"{length_us // unit_us}{unit}"
    return f"{length_us}us"
