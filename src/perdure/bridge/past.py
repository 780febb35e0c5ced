"""The committed history of an instance, as the bytes that work items carry, and where to find it.

Temporal makes the objects of workflows itself, and hands them nothing but their input. So what a
workflow shares with the activities of its process, which send the history to workers, is found
under a name here. It only saves asking: whoever does not find a history asks the workflow for it.
"""

from collections.abc import Iterable
from typing import Final
from weakref import WeakValueDictionary

from perdure.wire.work_items import events_of, past_field


class Past:
    """Events that are only ever added to; the first `n` of them stay what they are."""

    __slots__ = ("__weakref__", "_ends", "_fields")

    def __init__(self, events: Iterable[bytes] = ()) -> None:
        """Begin with `events`, serialized HistoryEvents."""
        self._fields = bytearray()
        self._ends: list[int] = []
        self.extend(events)

    def __len__(self) -> int:
        """Return how many events there are."""
        return len(self._ends)

    def extend(self, events: Iterable[bytes]) -> None:
        """Add events."""
        for event in events:
            self._fields += past_field(event)
            # Last, since another thread may look at the first of them meanwhile.
            self._ends.append(len(self._fields))

    def size_bytes(self) -> int:
        """Return how many bytes there are."""
        return len(self._fields)

    def fields(self, count: int) -> bytes:
        """Return the first events as elements of WorkflowRequest.pastEvents."""
        return bytes(self._fields[: self._ends[count - 1]]) if count else b""

    def events(self) -> list[bytes]:
        """Return all events."""
        # In this order, for the same reason: the bytes may be ahead, the ends may not.
        ends = self._ends[:]
        return events_of(bytes(self._fields), ends)


_HELD: Final[WeakValueDictionary[tuple[str, int], Past]] = WeakValueDictionary()


def show(run_id: str, generation: int, past: Past) -> None:
    """Let the past of a run be found for as long as the workflow is in memory."""
    _HELD[run_id, generation] = past


def find(run_id: str, generation: int, count: int) -> Past | None:
    """Return the past of a run if it is in memory and has at least so many events."""
    past = _HELD.get((run_id, generation))
    return past if past is not None and len(past) >= count else None
