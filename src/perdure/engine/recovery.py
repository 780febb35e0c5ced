"""What was under way before the process started, and what overflowed a queue: found on disk.

Nothing about hand-outs is needed for it: an instance with an inbox is ready, an activity with a
row is ready, a timer is due when it is due. The queues have a limit; when one has overflowed
and runs low, the same reading fills it up again.
"""

from collections.abc import Callable, Collection
from typing import Any

from perdure.base.limits import REFILL_ROWS_MAX
from perdure.engine.ground import Ground
from perdure.engine.inboxes import Inboxes, ReadyTurns
from perdure.engine.queueing import TaskQueues
from perdure.store.partitions import Partition
from perdure.store.port import Within

Read = Callable[..., Any]


class Recovery:
    """Fills the queues from the store."""

    def __init__(
        self, ground: Ground, ready: ReadyTurns, inboxes: Inboxes, tasks: TaskQueues
    ) -> None:
        """Fill `ready` and `tasks`."""
        self._reader = ground.reader
        self._landing = ground.landing
        self._owner = ground.owner
        self._ready = ready
        self._inboxes = inboxes
        self._tasks = tasks
        self._turns_running = False
        self._tasks_running = False

    async def recover(self) -> None:
        """Fill the queues as far as they go, and settle what was to be terminated."""
        await self._fill_turns(starting=True)
        await self._fill_tasks(starting=True)
        keys = await self._reader.read(lambda store: store.terminating())
        for key in keys:
            await self._inboxes.wake(key)

    async def take(self, within: Collection[Partition]) -> None:
        """Take in what is under way in partitions that are owned from now on."""
        await self._read_turns(self._reader.surely, within)
        await self.take_tasks(within)
        for key in await self._reader.surely(lambda store: store.terminating(within)):
            await self._inboxes.wake(key)

    async def take_tasks(self, within: Collection[Partition]) -> set[int]:
        """Take in the activities of partitions that are not here yet.

        Returns the keys of all instances that have any.
        """
        return await self._read_tasks(self._reader.surely, within, pauses=True)

    def refill_turns(self, app_id: str) -> None:
        """Fill up an app's queue of turns if it has overflowed and runs low."""
        if self._ready.of(app_id).runs_low() and not self._turns_running:
            self._turns_running = True
            self._landing.spawn(self._fill_turns(), "filling the queue of turns")

    def refill_tasks(self, app_id: str) -> None:
        """Fill up an app's queue of activities if it has overflowed and runs low."""
        if self._tasks.of(app_id).runs_low() and not self._tasks_running:
            self._tasks_running = True
            self._landing.spawn(self._fill_tasks(), "filling the queue of activities")

    async def _fill_turns(self, *, starting: bool = False) -> None:
        # A server that cannot read does not start; one that runs keeps asking.
        read = self._reader.read if starting else self._reader.surely
        try:
            for app_id in self._ready.apps():
                self._ready.of(app_id).overflowed = False
            await self._read_turns(read, self._owner.within)
        finally:
            self._turns_running = False
        # What overflowed meanwhile has found this one running.
        for app_id in self._ready.apps():
            self.refill_turns(app_id)

    async def _fill_tasks(self, *, starting: bool = False) -> None:
        read = self._reader.read if starting else self._reader.surely
        try:
            for app_id in self._tasks.apps():
                self._tasks.of(app_id).overflowed = False
            await self._read_tasks(read, self._owner.within, pauses=starting)
        finally:
            self._tasks_running = False
        for app_id in self._tasks.apps():
            self.refill_tasks(app_id)

    async def _read_turns(self, read: Read, within: Within) -> None:
        after = 0
        while True:
            cursor = after
            rows = await read(
                lambda store, cursor=cursor: store.ready(cursor, REFILL_ROWS_MAX, within)
            )
            for row in rows:
                self._ready.push(row.key, row.app_id)
            if len(rows) < REFILL_ROWS_MAX:
                return
            after = rows[-1].key

    async def _read_tasks(self, read: Read, within: Within, *, pauses: bool) -> set[int]:
        after = 0
        keys: set[int] = set()
        while True:
            with self._tasks.filling():
                cursor = after
                rows = await read(
                    lambda store, cursor=cursor: store.tasks(cursor, REFILL_ROWS_MAX, within)
                )
                for row in rows:
                    # Later on, what is suspended is known here before it is read there.
                    if pauses:
                        self._tasks.set_paused(row.key, paused=row.suspended)
                    self._tasks.recover(row)
            keys.update(row.key for row in rows)
            if len(rows) < REFILL_ROWS_MAX:
                return keys
            after = rows[-1].row
