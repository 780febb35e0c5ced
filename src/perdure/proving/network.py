"""The network between clients, workers and nodes: what is on the way arrives later, or never.

What goes over one connection arrives in the order in which it was sent. Answers of a worker are
calls of their own and overtake each other.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from perdure.base.time import SECOND_US
from perdure.proving.loop import SimLoop


@dataclass(slots=True)
class Network:
    """Delays, and the order of connections."""

    loop: SimLoop
    chance: Random
    overtaken: int = 0
    _arrived_us: dict[str, int] = field(default_factory=dict)
    _latest_us: dict[str, int] = field(default_factory=dict)

    def delay_us(self) -> int:
        """Draw how long something is on the way."""
        if self.chance.random() < 0.01:  # noqa: PLR2004 - a packet was sent again
            return self.chance.randrange(100_000, 2 * SECOND_US)
        return self.chance.randrange(100, 20_000)

    def stream(self, connection: str, arrive: Callable[[], None]) -> None:
        """Send over a connection, in order."""
        due_us = max(self._arrived_us.get(connection, 0), self.loop.now_us + self.delay_us())
        self._arrived_us[connection] = due_us
        self.loop.outside(due_us - self.loop.now_us, arrive)

    def single(self, sender: str, arrive: Callable[[], None], later_us: int = 0) -> None:
        """Send by itself: it may overtake what was sent before."""
        due_us = self.loop.now_us + self.delay_us() + later_us
        if due_us < self._latest_us.get(sender, 0):
            self.overtaken += 1
        self._latest_us[sender] = max(due_us, self._latest_us.get(sender, 0))
        self.loop.outside(due_us - self.loop.now_us, arrive)
