"""What all calls of a connection share on the way out. No I/O: the connection takes what is here.

Only messages wait, for the windows and for the socket; everything else is small, and is bounded
by what the connection may have waiting altogether.
"""

from collections.abc import Callable
from typing import Final, Protocol

from perdure.base.limits import KIB
from perdure.transport.frames import FRAME_BYTES_MAX, WINDOW_DEFAULT
from perdure.transport.windows import HELD_BYTES_MAX, Room, SendWindow

# So much is put together before the socket is asked whether it takes more.
_PIECE_BYTES: Final = 64 * KIB


class Waiting(Protocol):
    """A call with messages that could not be sent."""

    def flush(self) -> None:
        """Send what waits, as far as that is possible now."""
        ...


class Wire:
    """What is to be sent on one connection."""

    __slots__ = (
        "_blocked",
        "_out",
        "_push",
        "_schedule",
        "_scheduled",
        "_size",
        "frame_bytes_max",
        "paused",
        "peer",
        "room",
        "window",
    )

    def __init__(self, schedule: Callable[[], None], push: Callable[[], None]) -> None:
        """Begin empty.

        `schedule` asks for a push at the end of this turn of the loop, `push` for one now: it
        takes all there is.
        """
        self._schedule = schedule
        self._push = push
        self._out: list[bytes | memoryview] = []
        self._size = 0
        self._scheduled = False
        self._blocked: dict[Waiting, None] = {}
        self.peer = "unknown"
        self.window = SendWindow(WINDOW_DEFAULT)
        self.frame_bytes_max = FRAME_BYTES_MAX
        self.paused = False
        self.room = Room(HELD_BYTES_MAX)

    def write(self, *parts: bytes | memoryview) -> None:
        """Send bytes with whatever else is sent in this turn of the loop."""
        self._out += parts
        for part in parts:
            self._size += len(part)
        if self._size >= _PIECE_BYTES:
            self._push()
        elif not self._scheduled:
            self._scheduled = True
            self._schedule()

    def take(self) -> bytes:
        """Return all that is to be sent now."""
        self._scheduled = False
        data = b"".join(self._out)
        self._out.clear()
        self._size = 0
        return data

    @property
    def takes_messages(self) -> bool:
        """Whether any call may send a message now."""
        return self.window.left > 0 and not self.paused

    def blocked(self, call: Waiting) -> None:
        """Have a call flush again when messages are taken."""
        self._blocked[call] = None

    def forget(self, call: Waiting) -> None:
        """Let a call be that has nothing to send any more."""
        self._blocked.pop(call, None)

    def go_on(self) -> None:
        """Let those that were blocked send, whoever has waited longest first."""
        while self._blocked and self.takes_messages:
            call = next(iter(self._blocked))
            del self._blocked[call]
            call.flush()
