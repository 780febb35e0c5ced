"""Flow control: how much may be sent, and how much of what came in has been let go of."""

from typing import Final

from perdure.base.limits import MIB
from perdure.transport.frames import WINDOW_MAX, Code, ConnectionFault

# What one connection may make this server hold in each direction: messages that are not complete
# yet or not asked for, and answers that the client has not made room for.
HELD_BYTES_MAX: Final = 256 * MIB


class SendWindow:
    """How many bytes the peer takes just now. A change of its settings may make it negative."""

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        """Begin with what the peer's settings say."""
        self.left = left

    def widen(self, increment: int) -> None:
        """Take a WINDOW_UPDATE. Raises ConnectionFault if it goes beyond what may be."""
        self.left += increment
        if self.left > WINDOW_MAX:
            raise ConnectionFault(Code.FLOW_CONTROL_ERROR, "a window beyond 2^31-1")


class ReceiveWindow:
    """How many bytes the peer may send; what has been let go of is given back in larger pieces."""

    __slots__ = ("_due", "_left", "_size")

    def __init__(self, size: int) -> None:
        """Begin with a window of `size`, which the peer has been told."""
        self._size = size
        self._left = size
        self._due = 0

    def take(self, size: int) -> bool:
        """Count bytes that came in; tells whether the peer was allowed to send them."""
        self._left -= size
        return self._left >= 0

    def let_go(self, size: int) -> int:
        """Count bytes that are done with; returns what is to be given back now, or 0."""
        self._due += size
        if self._due * 2 < self._size:
            return 0
        given, self._due = self._due, 0
        self._left += given
        assert self._left <= self._size, "no more is given back than was taken"
        return given


class Room:
    """What may be held at one time."""

    __slots__ = ("held", "size")

    def __init__(self, size: int) -> None:
        """Begin empty."""
        self.held = 0
        self.size = size

    def take(self, size: int) -> bool:
        """Hold so much more; False if there is no room, and then it is not held."""
        if self.held + size > self.size:
            return False
        self.held += size
        return True

    def give(self, size: int) -> None:
        """Hold so much less."""
        self.held -= size
        assert self.held >= 0, "no more is given back than was taken"
