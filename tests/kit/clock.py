"""Time that stands still until a test moves it, the event loop's and the engine's alike."""

import asyncio
from typing import Final

from perdure.base.time import SECOND_US

# 2026-01-01T00:00:00Z: any moment would do, as long as it is not zero.
BEGINNING_US: Final = 1_767_225_600 * SECOND_US


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop whose clock a test moves; threads and sockets work as on any other."""

    passed_us = 0

    def time(self) -> float:
        """Return the loop's time in seconds, counted from its making."""
        return self.passed_us / SECOND_US


class VirtualClock:
    """The engine's clock, moved together with the loop's."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        assert isinstance(loop, VirtualLoop), "a test of the engine runs on a virtual loop"
        self._loop = loop
        self._behind_us = 0

    def now_us(self) -> int:
        """Return the wall clock in microseconds."""
        return BEGINNING_US + self._loop.passed_us - self._behind_us

    def advance(self, duration_us: int) -> None:
        """Let time pass; whatever became due happens when the loop runs next."""
        assert duration_us >= 0, duration_us
        self._loop.passed_us += duration_us

    def set_back(self, duration_us: int) -> None:
        """Set the wall clock back, as an administrator may between two runs of a server."""
        self._behind_us += duration_us
