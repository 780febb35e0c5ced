"""The system's clock, guarded so that it never runs backwards."""

import time
from collections.abc import Callable


class SystemClock:
    """The wall clock in microseconds, never before an earlier answer.

    When somebody sets the wall clock back, this one neither jumps nor stands still, since timers
    hang on it: it runs at half its speed until the other has caught up.
    """

    def __init__(
        self,
        wall_ns: Callable[[], int] = time.time_ns,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Read the two clocks; `monotonic_ns` only measures lengths of time."""
        self._wall_ns = wall_ns
        self._monotonic_ns = monotonic_ns
        self._last_us = wall_ns() // 1_000
        self._last_monotonic_ns = monotonic_ns()

    def now_us(self) -> int:
        """Return the wall clock in microseconds; never before an earlier answer."""
        wall_us = self._wall_ns() // 1_000
        monotonic_ns = self._monotonic_ns()
        if wall_us >= self._last_us:
            now_us = wall_us
        else:
            elapsed_us = (monotonic_ns - self._last_monotonic_ns) // 2_000
            if elapsed_us == 0:
                # Asked again so soon that half the time is less than a microsecond: the rest
                # must add up, so nothing is noted.
                return self._last_us
            now_us = max(wall_us, self._last_us + elapsed_us)
        self._last_us = now_us
        self._last_monotonic_ns = monotonic_ns
        return now_us
