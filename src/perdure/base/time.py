"""Time as whole microseconds since 1970-01-01T00:00:00Z, and the clock that tells it.

Nothing below the engine reads a clock: `now_us` is always handed down.
"""

from typing import Final, Protocol

SECOND_US: Final = 1_000_000
MINUTE_US: Final = 60 * SECOND_US
HOUR_US: Final = 60 * MINUTE_US
DAY_US: Final = 24 * HOUR_US

# 9999-01-01T00:00:00Z. SDKs express an endless wait as a timer in the year 9999; a timer at
# or after this moment never fires, is kept out of every queue and costs nothing.
NEVER_US: Final = 253_370_764_800 * SECOND_US

# 9999-12-31T23:59:59.999999Z, the last moment that a protobuf Timestamp can carry.
LATEST_US: Final = 253_402_300_799 * SECOND_US + 999_999


class Clock(Protocol):
    """What time it is. The real one lives in `app`, virtual ones in `proving` and `testing`."""

    def now_us(self) -> int:
        """Return the wall clock in microseconds; never before an earlier answer."""
        ...


def is_never(at_us: int) -> bool:
    """Tell whether a timer due at `at_us` is one that never fires."""
    return at_us >= NEVER_US
