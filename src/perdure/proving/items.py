"""Work items as a worker receives them."""

from dataclasses import dataclass

from perdure.core.events import Event, EventRaised, ExecutionStarted
from perdure.wire.events import decode
from perdure.wire.generated import work_pb2 as pb


@dataclass(frozen=True, slots=True)
class TurnItem:
    """A turn as a worker receives it."""

    instance_id: str
    past: tuple[Event, ...]  # as it was sent
    known: tuple[Event, ...]  # with what a stateful worker had kept
    new: tuple[Event, ...]
    token: str
    past_bytes: tuple[bytes, ...]
    new_bytes: tuple[bytes, ...]
    cached: int | None
    execution_id: str
    propagated: bytes | None

    def names(self) -> list[str]:
        """Return the kinds of the new events."""
        return [type(event).__name__ for event in self.new]

    def raised(self) -> list[str]:
        """Return the names of external events among the new ones."""
        return [event.name for event in self.new if isinstance(event, EventRaised)]

    def has_kind(self, kind: str) -> bool:
        """Tell whether an event of a kind is among all that the worker sees."""
        return any(type(event).__name__ == kind for event in (*self.known, *self.new))

    @property
    def input(self) -> str | None:
        """What the workflow was started with."""
        return next(e for e in (*self.known, *self.new) if isinstance(e, ExecutionStarted)).input


@dataclass(frozen=True, slots=True)
class ActivityItem:
    """An activity as a worker receives it."""

    instance_id: str
    task_id: int
    name: str
    input: str | None
    execution_id: str
    token: str
    propagated: bytes | None


WorkItem = TurnItem | ActivityItem


def parsed(data: bytes) -> WorkItem:
    """Return a serialized WorkItem as a worker sees it."""
    item = pb.WorkItem.FromString(data)
    if item.WhichOneof("request") == "activity":
        return _activity(item)
    request = pb.TurnRequest.FromString(item.turn)
    past = tuple(decode(event) for event in request.past)
    return TurnItem(
        instance_id=request.instance_id,
        past=past,
        known=past,
        new=tuple(decode(event) for event in request.new),
        token=item.token,
        past_bytes=tuple(request.past),
        new_bytes=tuple(request.new),
        cached=request.cached.event_count if request.HasField("cached") else None,
        execution_id=request.execution_id.value,
        propagated=request.propagated if request.HasField("propagated") else None,
    )


def _activity(item: pb.WorkItem) -> ActivityItem:
    request = pb.ActivityRequest.FromString(item.activity)
    return ActivityItem(
        instance_id=request.instance.instance_id,
        task_id=request.task_id,
        name=request.name,
        input=request.input.value if request.HasField("input") else None,
        execution_id=request.execution_id,
        token=item.token,
        propagated=request.propagated if request.HasField("propagated") else None,
    )
