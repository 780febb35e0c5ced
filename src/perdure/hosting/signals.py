"""Signals while an engine is open: Ctrl-C and SIGTERM end its block, and the block ends well.

Whoever has arranged for a signal already, as a web server does, keeps it.
"""

import asyncio
import signal
import threading
from typing import Any, ClassVar, Final
from weakref import WeakSet

# What a shell shows of a process that a SIGTERM has ended.
EXIT_CODE: Final = 128 + signal.SIGTERM


class TermSignal:
    """SIGTERM cancels the task that has opened an engine, as Ctrl-C does by itself."""

    def __init__(self) -> None:
        """Arrange for nothing yet."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self.came = False

    def listen(self) -> None:
        """Arrange for it, on the main thread and where nobody else has."""
        if threading.current_thread() is not threading.main_thread():
            return
        if signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
            return
        task = asyncio.current_task()
        if task is None:
            return
        self._loop = asyncio.get_running_loop()
        self._loop.add_signal_handler(signal.SIGTERM, self._come, task)

    def leave(self) -> None:
        """Leave the signal to what it does by itself."""
        if self._loop is not None:
            self._loop.remove_signal_handler(signal.SIGTERM)
            self._loop = None

    def _come(self, task: "asyncio.Task[Any]") -> None:
        self.came = True
        task.cancel("SIGTERM")


class ExitSignal:
    """SIGTERM ends this process as `sys.exit` does, so that its blocks end well.

    Many may wish it at once; the last who leaves it puts back what was there before the first.
    """

    # Of the whole process, and touched on the main thread alone. Who is forgotten wishes nothing.
    _wishers: ClassVar[WeakSet["ExitSignal"]] = WeakSet()

    def listen(self) -> None:
        """Arrange for it, on the main thread and where nobody else has."""
        if threading.current_thread() is not threading.main_thread():
            return
        arranged = signal.getsignal(signal.SIGTERM)
        if arranged is signal.SIG_DFL:
            # Whoever wished it before has had it taken away.
            self._wishers.clear()
            signal.signal(signal.SIGTERM, _exit)
        elif arranged is not _exit:
            return
        self._wishers.add(self)

    def leave(self) -> None:
        """Wish it no more. Away from the main thread, where nothing can be arranged, it stays."""
        if threading.current_thread() is not threading.main_thread() or self not in self._wishers:
            return
        self._wishers.discard(self)
        if not self._wishers and signal.getsignal(signal.SIGTERM) is _exit:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _exit(_number: int, _frame: object) -> None:
    raise SystemExit(EXIT_CODE)
