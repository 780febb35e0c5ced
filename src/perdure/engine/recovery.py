"""What was under way before the process started, and what overflowed a queue: found on disk.

Nothing about hand-outs is needed for it: an instance with an inbox is ready, an activity with a
row is ready, a timer is due when it is due. The queues have a limit; when one has overflowed
and runs low, it is filled up from the store again (`engine.refilling`).
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any

from perdure.base.limits import REFILL_ROWS_MAX
from perdure.engine.ground import Ground
from perdure.engine.inboxes import Inboxes, ReadyTurns
from perdure.engine.queueing import TaskQueues
from perdure.engine.refilling import Round
from perdure.store.partitions import Partition
from perdure.store.port import ReadyRow, TaskRow, Within

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
        rows_max = min(REFILL_ROWS_MAX, ground.settings.ready_max)
        self._turns_round: Round[ReadyRow] = Round(
            lambda: map(ready.of, ready.apps()), lambda row: row.key, self._take_turn, rows_max
        )
        self._tasks_round: Round[TaskRow] = Round(
            lambda: map(tasks.of, tasks.apps()), lambda row: row.row, tasks.recover, rows_max
        )

    async def recover(self) -> None:
        """Fill the queues as far as they go, and settle what was to be terminated."""
        # A server that cannot read does not start; one that runs keeps asking.
        await self._read_turns(self._reader.read, self._owner.within)
        await self._read_tasks(self._reader.read, self._owner.within, 0, None)
        keys = await self._reader.read(lambda store: store.terminating())
        for key in keys:
            await self._inboxes.wake(key)

    async def take(self, within: Collection[Partition]) -> None:
        """Take in what is under way in partitions that are owned from now on."""
        await self._read_turns(self._reader.surely, within)
        await self.take_tasks(within)
        for key in await self._reader.surely(lambda store: store.terminating(within)):
            await self._inboxes.wake(key)

    async def take_tasks(
        self, within: Collection[Partition], after: int = 0, rows_max: int | None = None
    ) -> tuple[set[int], int]:
        """Take in the activities of partitions that are not here yet, from a row on.

        Returns the keys of the instances that have any, and the row to go on after if there are
        more than `rows_max`, else 0.
        """
        return await self._read_tasks(self._reader.surely, within, after, rows_max)

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

    async def _fill_turns(self) -> None:
        def read(after: int, limit: int) -> Awaitable[Sequence[ReadyRow]]:
            within = self._owner.within
            return self._reader.surely(lambda store: store.ready(after, limit, within))

        try:
            await self._turns_round.fill(read)
        finally:
            self._turns_running = False
        # What overflowed meanwhile has found this one running.
        for app_id in self._ready.apps():
            self.refill_turns(app_id)

    async def _fill_tasks(self) -> None:
        def read(after: int, limit: int) -> Awaitable[Sequence[TaskRow]]:
            within = self._owner.within
            return self._reader.surely(lambda store: store.tasks(after, limit, within))

        try:
            # Of what ends while it is read, all of it, a row may be read that is there no more.
            with self._tasks.filling():
                await self._tasks_round.fill(read)
        finally:
            self._tasks_running = False
        for app_id in self._tasks.apps():
            self.refill_tasks(app_id)

    def _take_turn(self, row: ReadyRow) -> bool:
        return self._ready.push(row.key, row.app_id)

    async def _read_turns(self, read: Read, within: Within) -> None:
        after = 0
        while True:
            cursor = after
            rows = await read(
                lambda store, cursor=cursor: store.ready(cursor, REFILL_ROWS_MAX, within)
            )
            for row in rows:
                self._take_turn(row)
            if len(rows) < REFILL_ROWS_MAX:
                return
            after = rows[-1].key

    async def _read_tasks(
        self, read: Read, within: Within, after: int, rows_max: int | None
    ) -> tuple[set[int], int]:
        count, keys = 0, set[int]()
        while True:
            with self._tasks.filling():
                cursor = after
                rows = await read(
                    lambda store, cursor=cursor: store.tasks(cursor, REFILL_ROWS_MAX, within)
                )
                for row in rows:
                    self._tasks.set_paused(row.key, paused=row.suspended)
                    self._tasks.recover(row)
            keys.update(row.key for row in rows)
            if len(rows) < REFILL_ROWS_MAX:
                return keys, 0
            after = rows[-1].row
            count += len(rows)
            if rows_max is not None and count >= rows_max:
                return keys, after
