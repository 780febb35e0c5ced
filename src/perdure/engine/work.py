"""What a worker's stream is to the engine. The gRPC door opens one for each GetWorkItems call."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from perdure.base.limits import STREAM_ITEMS_MAX


class Dialect(Enum):
    """Which of the two protobuf families a worker speaks (behaviour.md 3.5)."""

    DAPR = "dapr"
    MICROSOFT = "microsoft"
    # Not told yet: it is sent only what both understand alike, until an answer shows which.
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a worker said of itself when it opened its stream. None: no bound of its own."""

    app_id: str
    worker: str  # for people: where it connects from
    dialect: Dialect = Dialect.DAPR
    turns_max: int | None = None
    activities_max: int | None = None
    items_max: int = STREAM_ITEMS_MAX
    stateful_history: bool = False
    takes_recalls: bool = False  # it wants to hear of activities that nobody wants any more


class Stream(Protocol):
    """One open stream of work items."""

    def items(self) -> AsyncIterator[bytes]:
        """Yield serialized WorkItems until the engine stops; then end without an error."""
        ...

    def goes_by(self, offer: Callable[[bytes], bool]) -> None:
        """Have what comes while `items` has nothing to yield offered first.

        `offer` sends an item now, or returns False: then `items` yields it.
        """
        ...

    def close(self) -> None:
        """End the stream; whatever it held and did not finish is handed out again."""
        ...


class Workplace(Protocol):
    """The engine as the workers' door sees it."""

    def open_stream(self, profile: Profile) -> Stream:
        """Begin to hand out work. Raises ShuttingDown when the engine takes no more workers."""
        ...

    async def complete_turn(self, answer: bytes) -> None:
        """Take a turn's answer, a serialized WorkflowResponse; it is landed by and by.

        Who answers a turn is told nothing about the disk (docs/decisions/0013): until it has
        landed the turn is as good as unanswered, and is handed out again if it comes to that.
        Late, duplicate and unknown ones are dropped in silence. Raises CallerFault if it cannot
        be parsed, WorkerFault if it breaks the protocol; the turn is then tried again.
        """
        ...

    async def complete_activity(self, answer: bytes) -> None:
        """Land an activity's result or failure, a serialized ActivityResponse.

        Late, duplicate and unknown ones are dropped in silence. Raises CallerFault if it cannot
        be parsed.
        """
        ...
