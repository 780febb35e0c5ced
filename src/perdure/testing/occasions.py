"""The occasions at which something may go wrong, counted, and the story of what happened.

Theory of operation. Whoever comes to an occasion asks whether a fault is due. Each kind of fault
counts its own occasions, so that a schedule names each of them by a number, and leaving one fault
out of a schedule moves nothing that came before it.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from perdure.testing.schedule import Fault, Kind, Schedule

# A story is for reading; of a long one the beginning and the end are kept.
_LINES_MAX: Final = 2_000


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened, so many microseconds after the beginning."""

    at_us: int
    text: str
    is_fault: bool = False


@dataclass(slots=True)
class Story:
    """What happened in one run, in order."""

    now_us: Callable[[], int]
    lines: list[Line] = field(default_factory=list)
    left_out: int = 0

    def tell(self, text: str, *, is_fault: bool = False) -> None:
        """Add what happened just now."""
        self.lines.append(Line(self.now_us(), text, is_fault))
        if len(self.lines) > _LINES_MAX:
            del self.lines[_LINES_MAX // 2]
            self.left_out += 1


class Occasions:
    """Tells at each occasion which fault is due."""

    def __init__(self, schedule: Schedule, story: Story) -> None:
        """Let happen what the schedule says."""
        self.counts: Counter[Kind] = Counter()
        self.met: list[Fault] = []
        self._due = {(fault.kind, fault.nth): fault for fault in schedule}
        self._story = story
        self._calm = 0

    def fault(self, kind: Kind, occasion: Callable[[], str]) -> Fault | None:
        """Return the fault of a kind that is due now, if there is one; `occasion` tells of what."""
        if self._calm:
            return None
        self.counts[kind] += 1
        found = self._due.get((kind, self.counts[kind]))
        if found is not None:
            self.met.append(found)
            self._story.tell(found.told(occasion()), is_fault=True)
        return found

    @contextmanager
    def calm(self) -> Iterator[None]:
        """Let nothing go wrong for a while; occasions are not counted either."""
        self._calm += 1
        try:
            yield
        finally:
            self._calm -= 1
