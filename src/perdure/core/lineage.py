"""History that a workflow lets its activities and children see: its own, and its ancestors'."""

from dataclasses import dataclass

from perdure.core.events import Event, PropagationScope


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one instance has let others see: its history, in the order of its events."""

    app_id: str
    instance_id: str
    workflow_name: str
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Lineage:
    """The chunks of a line of callers, the oldest ancestor first, the caller itself last."""

    scope: PropagationScope
    chunks: tuple[Chunk, ...]
