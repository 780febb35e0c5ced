"""The steps that a history has, by their numbers."""

from collections.abc import Sequence
from itertools import chain
from typing import Final, TypeAlias

from perdure.core.events import ChildCreated, Event, TaskScheduled, TimerCreated

Step: TypeAlias = TaskScheduled | TimerCreated | ChildCreated


class Recorded:
    """What is at hand of a history in a replay.

    It is gone through once, when the first step is asked for: most code asks for none.
    """

    __slots__ = ("_events", "_steps")

    def __init__(self, *events: Sequence[Event]) -> None:
        """Know the events of these, in their order."""
        self._events = events
        self._steps: dict[int, Step] | None = None

    def step(self, number: int) -> Step | None:
        """Return the first step of a number, or None if the history does not have it."""
        if self._steps is None:
            steps: dict[int, Step] = {}
            for event in chain(*self._events):
                if isinstance(event, TaskScheduled | TimerCreated | ChildCreated):
                    steps.setdefault(event.event_id, event)
            self._steps = steps
        return self._steps.get(number)


NOTHING_RECORDED: Final = Recorded()
