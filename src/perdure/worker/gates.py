"""Limits on how many activities of one name run at once in this process."""

from collections import deque
from collections.abc import Callable


class Gate:
    """Lets so many in at once; the others wait in the order in which they came."""

    def __init__(self, most: int) -> None:
        assert most >= 1, most
        self._most = most
        self._inside = 0
        self._waiting: deque[Callable[[], bool]] = deque()

    def enter(self, begin: Callable[[], bool]) -> None:
        """Begin at once or when somebody has left.

        What is called says whether it has begun: one that is wanted no more has not, and the next
        one may.
        """
        if self._inside < self._most:
            self._inside += begin()
        else:
            self._waiting.append(begin)

    def leave(self) -> None:
        """Let the next one in."""
        assert self._inside > 0, "nobody leaves who was not inside"
        self._inside -= 1
        while self._waiting and self._inside < self._most:
            self._inside += self._waiting.popleft()()
