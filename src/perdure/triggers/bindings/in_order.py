"""Handing messages on one after the other, for sources that keep their place with us.

The next one is handed on when the one before is on disk: its position is where the source goes on.
"""

from typing import Self

from perdure.triggers.deliveries import Deliveries
from perdure.triggers.port import Message, Receiver, Standing


class InOrder:
    """The messages of one run, in their order; use it with `async with`."""

    def __init__(self, receive: Receiver, standing: Standing, name: str) -> None:
        self._deliveries = Deliveries(receive, standing, name=name, most=1)

    async def __aenter__(self) -> Self:
        """Bind the deliveries to the running task."""
        await self._deliveries.__aenter__()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        """Wait a moment for the message in hand."""
        await self._deliveries.__aexit__(kind, *rest)

    async def deliver(self, message: Message) -> None:
        """Hand a message on; it is on disk when this returns, however often that took."""
        await self._deliveries.room()
        self._deliveries.hand_on(message, _nothing_to_acknowledge)
        await self._deliveries.room()


async def _nothing_to_acknowledge() -> None:
    """The position is on disk with the message."""
