"""The time of day for sources, which are built before there is an engine to give them its clock."""

import time


class WallClock:
    """The wall clock in microseconds; it stands still while somebody has set it back."""

    def __init__(self) -> None:
        self._last_us = 0

    def now_us(self) -> int:
        """Return the wall clock in microseconds; never before an earlier answer."""
        self._last_us = max(self._last_us, time.time_ns() // 1_000)
        return self._last_us
