"""What belongs to no app: retention, notes whose time is over, and what waits for instances.

It is done by one process: by a sole owner for as long as it runs, and where a store is shared by
whoever has the lease on the housekeeping.
"""

import asyncio

from perdure.engine.forgetting import Forgetting
from perdure.engine.ground import Ground
from perdure.engine.mailbox import Mailbox
from perdure.engine.parking import Parking
from perdure.engine.retention import Retention


class Housekeeping:
    """Runs and stops it."""

    def __init__(
        self,
        ground: Ground,
        mailbox: Mailbox,
        parking: Parking,
        retention: Retention,
        forgetting: Forgetting,
    ) -> None:
        """Begin with nothing running."""
        self._landing = ground.landing
        self._mailbox = mailbox
        self._parking = parking
        self._retention = retention
        self._forgetting = forgetting
        self._running: list[asyncio.Task[None]] = []

    async def recover(self) -> None:
        """Learn what waits."""
        await self._mailbox.recover()
        await self._parking.recover()

    def begin(self) -> None:
        """Do it until `end`."""
        assert not self._running, "the house is kept once"
        keep = self._landing.keep
        self._running = [
            keep(self._retention.run, "deleting what has been kept long enough"),
            keep(self._parking.run, "starting what was parked"),
            keep(self._forgetting.run, "forgetting notes"),
        ]

    def take(self) -> None:
        """Do it from now on, for whoever did it before."""
        self.begin()
        self.heard()

    def end(self) -> None:
        """Do it no longer."""
        for task in self._running:
            task.cancel()
        self._running = []

    def heard(self) -> None:
        """Look at what others may have written that waits."""
        self._landing.spawn(self._mailbox.heard(), "looking for kept events")
        self._landing.spawn(self._parking.heard(), "looking for parked starts")

    def changed(self, instance_id: str) -> None:
        """Look at an instance that was born, has ended or is gone."""
        self._mailbox.look(instance_id)
        self._parking.look(instance_id)
        self._retention.note_finished()
