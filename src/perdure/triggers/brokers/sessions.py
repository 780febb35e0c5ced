"""What sources have alike whose broker keeps the place: one session follows another."""

from abc import ABC, abstractmethod
from typing import ClassVar

from perdure.triggers.port import Receiver, Standing
from perdure.triggers.reconnecting import stay_connected


class SessionSource(ABC):
    """A source that is connected anew whenever its connection is lost."""

    # What its broker's client raises when the broker is away.
    troubles: ClassVar[tuple[type[Exception], ...]]

    def __init__(self, name: str) -> None:
        self.name = name
        self.standing = Standing()

    async def run(self, receive: Receiver, position: str | None) -> None:
        """Receive until cancelled; the broker keeps the position."""
        del position
        await stay_connected(
            lambda: self._session(receive),
            name=self.name,
            standing=self.standing,
            troubles=self.troubles,
        )

    @abstractmethod
    async def _session(self, receive: Receiver) -> None:
        """Receive over one connection, from its opening to its end."""
        ...
