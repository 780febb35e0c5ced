"""The wish that the server stop: first in good order, and when it is repeated, at once."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
# Time for the answer to whoever asked for it to leave the machine (behaviour.md 1.5).
FORCE_DELAY_S: Final = 0.1


class Stopping:
    """Made on the loop. `requested` and `hurried` are set once and stay set."""

    def __init__(self) -> None:
        """Begin with nobody wishing it."""
        self.requested = asyncio.Event()
        self.hurried = asyncio.Event()
        self.exit_code = 0
        self.reason = ""
        # Told at the first wish and at the one that hurries; a backstop listens.
        self.on_change: Callable[[], None] = lambda: None
        self._loop = asyncio.get_running_loop()

    def request(self, reason: str) -> None:
        """Wish a stop in good order; a second wish is one to hurry."""
        if self.requested.is_set():
            self.hurry()
        else:
            self.reason = reason
            self.requested.set()
            self.on_change()

    def request_by_force(self, reason: str) -> None:
        """Wish a stop at once, with exit code 1, but let an answer under way leave first."""
        self.exit_code = 1
        self.reason = self.reason or reason
        self._loop.call_later(FORCE_DELAY_S, self._force)

    def hurry(self) -> None:
        """Do not wait for anything any more."""
        if not self.hurried.is_set():
            self.hurried.set()
            self.on_change()

    def _force(self) -> None:
        self.hurried.set()
        self.requested.set()
        self.on_change()

    @contextmanager
    def by_signals(self) -> Iterator[None]:
        """Take SIGTERM and SIGINT for wishes for as long as the block lasts."""
        before = {number: signal.getsignal(number) for number in SIGNALS}
        for number in SIGNALS:
            self._loop.add_signal_handler(number, self.request, signal.Signals(number).name)
        try:
            yield
        finally:
            for number in SIGNALS:
                self._loop.remove_signal_handler(number)
                # The loop goes back to the default, and not to what somebody had arranged.
                signal.signal(number, before[number])
