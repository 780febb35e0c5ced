"""Finished instances deleted when their time of retention is over (behaviour.md 4.14).

What is to go is read from the store, by status and time of completion, so that instances which
finished before the policy was set, or before the process was started, go as well.
"""

import asyncio
from functools import partial

from perdure.base.limits import PURGES_PER_SWEEP_MAX
from perdure.base.time import HOUR_US, SECOND_US
from perdure.core.status import Status
from perdure.engine.ground import Ground
from perdure.engine.removal import Removal
from perdure.engine.sweeping import sweep_on
from perdure.store.port import Snapshot, Store


class Retention:
    """Deletes what has been kept long enough."""

    def __init__(self, ground: Ground, removal: Removal) -> None:
        """Keep finished instances for as long as the settings say."""
        self._policy_us = ground.settings.retention_us
        self._clock = ground.clock
        self._observer = ground.observer
        self._reader = ground.reader
        self._removal = removal
        self._changed = asyncio.Event()

    def note_finished(self) -> None:
        """Note that an instance has ended."""
        if self._policy_us:
            self._changed.set()

    async def run(self) -> None:
        """Delete until cancelled; returns at once if there is no policy."""
        if self._policy_us:
            what = "deleting what has been kept long enough"
            await sweep_on(self._sweep, self._changed, self._observer, what)

    async def _sweep(self) -> int:
        """Delete what is due, and return how long there is nothing more to do."""
        pause_us = HOUR_US
        for status, keep_us in self._policy_us.items():
            before_us = self._clock.now_us() - keep_us
            doomed = await self._reader.read(partial(_expired, status=status, before_us=before_us))
            await self._removal.remove(doomed, by_retention=True)
            if len(doomed) == PURGES_PER_SWEEP_MAX:
                return 0
            oldest_us = await self._reader.read(partial(_oldest_us, status=status))
            if oldest_us is not None:
                due_us = oldest_us + keep_us - self._clock.now_us()
                pause_us = min(pause_us, max(due_us, SECOND_US // 100))
        return pause_us


def _oldest_us(store: Store, status: Status) -> int | None:
    return store.oldest_completed_us(status)


def _expired(store: Store, status: Status, before_us: int) -> list[Snapshot]:
    keys = store.expired(status, before_us, PURGES_PER_SWEEP_MAX)
    found = [store.snapshot(key) for key in keys]
    return [snapshot for snapshot in found if snapshot is not None]
