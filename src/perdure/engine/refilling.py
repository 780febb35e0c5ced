"""Queues filled up from the store, a piece at a time.

Theory of operation. What does not fit into a queue is on disk, and may be millions of rows. To read
all of them each time that a queue runs low would cost the more the more there are. So whoever fills
it goes round: reads on from where it stopped, and stops as soon as there is no room. Only a round
in which there was room for every row tells that nothing is left to be read.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Generic, Protocol, TypeVar

R = TypeVar("R")


class Filled(Protocol):
    """A queue."""

    overflowed: bool

    def runs_low(self) -> bool:
        """Tell whether it should be filled up from the store."""
        ...


class Round(Generic[R]):
    """Goes round all rows of a kind, in the order of their numbers."""

    def __init__(
        self,
        queues: Callable[[], Iterable[Filled]],
        number: Callable[[R], int],
        take: Callable[[R], bool],
        rows_max: int,
    ) -> None:
        """Begin at the first row; read `rows_max` at a time.

        `take` puts a row into its queue; it is false if there is no room, and sets that queue's
        `overflowed` then.
        """
        self._queues = queues
        self._number = number
        self._take = take
        self._rows_max = rows_max
        self._after = 0

    async def fill(self, read: Callable[[int, int], Awaitable[Sequence[R]]]) -> None:
        """Fill the queues that run low. `read` returns so many rows at most after a number."""
        low = [queue for queue in self._queues() if queue.runs_low()]
        for queue in low:
            queue.overflowed = False
        began = self._after
        comes_round = not began
        while True:
            rows = await read(self._after, self._rows_max)
            left = self._first_left(rows)
            if left is not None and all(queue.overflowed for queue in low):
                self._after = left - 1
                return
            is_last = len(rows) < self._rows_max
            self._after = 0 if is_last else self._number(rows[-1])
            if comes_round and (is_last or (began and self._after >= began)):
                return
            comes_round |= is_last

    def _first_left(self, rows: Sequence[R]) -> int | None:
        """Take rows in, and return the number of the first one that there was no room for."""
        left = [self._number(row) for row in rows if not self._take(row)]
        return left[0] if left else None
