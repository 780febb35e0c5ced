"""How long the other side of a connection may say nothing before it is asked, and then left."""

import asyncio
from collections.abc import Callable
from typing import Final

from perdure.transport.options import Options

# The least pause between two looks, however the clock and the loop round their times.
_LOOK_S: Final = 0.01


class Silence:
    """Watches one connection, from `begin` to `end`. On the loop of the connection."""

    __slots__ = ("_leave", "_loop", "_options", "_ping", "_pinged_s", "_timer", "heard_s")

    def __init__(
        self, options: Options, ping: Callable[[], None], leave: Callable[[], None]
    ) -> None:
        """Ask by `ping` after `ping_after_s`, and `leave` after `ping_timeout_s` more."""
        self._options = options
        self._ping = ping
        self._leave = leave
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        # When something was heard last, set by whoever hears it, and when was asked last.
        self.heard_s = self._pinged_s = self._loop.time()

    def begin(self) -> None:
        """Watch from now on."""
        self.heard_s = self._pinged_s = self._loop.time()
        self._timer = self._loop.call_later(self._options.ping_after_s, self._look)

    def end(self) -> None:
        """Watch no longer."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        if self.heard_s < self._pinged_s:
            self._leave()
            return
        now_s = self._loop.time()
        next_s = self._options.ping_after_s - (now_s - self.heard_s)
        if next_s <= 0:
            # However long it has been: a machine that slept has to ask, too.
            self._ping()
            self._pinged_s = now_s
            next_s = self._options.ping_timeout_s
        self._timer = self._loop.call_later(max(next_s, _LOOK_S), self._look)
