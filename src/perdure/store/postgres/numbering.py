"""The numbers that a commit gives out: of new instances, inbox rows, tasks, lifecycle rows, notes.

They come from sequences, which other nodes draw from as well. A commit first counts on from where
the sequences stand, and so finds out how many it needs of each kind; then it draws as many. Where
others have drawn in between, its entries are applied once more, now with the numbers it has drawn.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final

# In the order of a store's counters.
KINDS: Final = ("key", "inbox_seq", "task_row", "lifecycle_seq", "note_row")


class Series:
    """Numbers of one kind."""

    __slots__ = ("_source", "before", "given", "last")

    def __init__(self, before: int, drawn: Sequence[int] | None = None) -> None:
        """Give out what was drawn, or else count on from the last number before."""
        self.before = before
        self.last = before
        self.given = 0
        self._source: Iterator[int] = count(before + 1) if drawn is None else iter(drawn)

    def next(self) -> int:
        """Give out a number."""
        self.last = next(self._source)
        self.given += 1
        return self.last


@dataclass(frozen=True, slots=True)
class NumberSeries:
    """A series of each kind."""

    key: Series
    inbox_seq: Series
    task_row: Series
    lifecycle_seq: Series
    note_row: Series

    def given(self) -> tuple[int, int, int, int, int]:
        """Return how many of each kind were given out."""
        return (
            self.key.given,
            self.inbox_seq.given,
            self.task_row.given,
            self.lifecycle_seq.given,
            self.note_row.given,
        )

    def are(self, drawn: Sequence[Sequence[int]]) -> bool:
        """Tell whether the numbers that were given out are those that were drawn."""
        return all(
            not numbers or (series.before + 1, series.last) == (numbers[0], numbers[-1])
            for series, numbers in zip(self._all(), drawn, strict=True)
        )

    def _all(self) -> tuple[Series, ...]:
        return self.key, self.inbox_seq, self.task_row, self.lifecycle_seq, self.note_row


def counting(last: Sequence[int]) -> NumberSeries:
    """Return numbers that count on from the last ones."""
    return NumberSeries(*map(Series, last))


def drawn_numbers(last: Sequence[int], drawn: Sequence[Sequence[int]]) -> NumberSeries:
    """Return numbers that were drawn; `last` are those before, as far as is known."""
    return NumberSeries(*map(Series, last, drawn))
