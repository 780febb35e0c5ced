"""Lengths of time as Go writes them, and so Dapr: `1h30m`, `500ms`."""

import re
from typing import Final

from perdure.base.time import HOUR_US, MINUTE_US, SECOND_US

# What Go's time.ParseDuration reads: a sign, and decimal numbers with a unit each. It holds a
# duration in 64 bits of nanoseconds, so that more than 19 digits are too many.
_NUMBER: Final = r"(?=\.?\d)(\d{0,19})(?:\.(\d{0,19}))?"
_DURATION_PART: Final = re.compile(_NUMBER + "(ns|us|µs|μs|ms|s|m|h)")
_DURATION_NS_MAX: Final = 2**63 - 1
_UNIT_NS: Final = {
    "ns": 1,
    **dict.fromkeys(("us", "µs", "μs"), 1_000),
    "ms": 1_000_000,
    "s": SECOND_US * 1_000,
    "m": MINUTE_US * 1_000,
    "h": HOUR_US * 1_000,
}


def parse_duration(text: str) -> int | None:
    """Return the microseconds of a duration as Go writes it (`1h30m`, `0`), or None.

    What is smaller than a microsecond is cut off.
    """
    text = text.strip()
    sign = -1 if text.startswith("-") else 1
    rest = text[1:] if text.startswith(("-", "+")) else text
    if rest == "0":
        return 0
    total_ns = 0
    while (found := _DURATION_PART.match(rest)) is not None:
        total_ns += _part_ns(found[1], found[2] or "", found[3])
        rest = rest[found.end() :]
        if not rest:
            return sign * (total_ns // 1_000) if total_ns <= _DURATION_NS_MAX else None
    return None


def _part_ns(whole: str, fraction: str, unit: str) -> int:
    scale_ns = _UNIT_NS[unit]
    fraction_ns: int = int(fraction or "0") * scale_ns // 10 ** len(fraction)
    return int(whole or "0") * scale_ns + fraction_ns
