"""Where a worker's work comes from and its answers go."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol


class Place(Protocol):
    """A source of work items, in this process or over the network."""

    def items(self) -> AsyncIterator[bytes]:
        """Yield serialized WorkItems until there will be no more."""
        ...

    async def answer_turn(self, answer: bytes) -> None:
        """Hand in a turn's answer; raises nothing that the worker could do something about."""
        ...

    async def answer_activity(self, answer: bytes) -> None:
        """Hand in an activity's answer; as `answer_turn`."""
        ...

    async def history(self, instance_id: str, count: int) -> Sequence[bytes]:
        """Return the first events of an instance's history, serialized; fewer if there are.

        Raises CallFailed if the place does not give them.
        """
        ...
