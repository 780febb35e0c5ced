"""Looks at what is on disk that memory may have missed: news is lost now and then.

Where there is much, a look is at a piece of it, and the next one goes on from there: what is beyond
comes into memory anyway when there is room for it (`engine.refilling`).
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from perdure.base.limits import LOOK_ROWS_MAX, PAGE_ROWS_MAX, REFILL_ROWS_MAX
from perdure.core.status import Status
from perdure.engine.ground import Ground
from perdure.engine.memory import Memory
from perdure.engine.recovery import Recovery
from perdure.engine.rereading import Rereading
from perdure.store.partitions import Partition
from perdure.store.port import Page, ReadyRow, Store
from perdure.store.query import Compare, Field, InstanceQuery, Operator

_SUSPENDED: Final = InstanceQuery(
    where=Compare(Field.STATUS, Operator.EQ, (int(Status.SUSPENDED),)), limit=PAGE_ROWS_MAX
)


class Looking:
    """Has whoever differs from the disk read anew."""

    def __init__(
        self, ground: Ground, memory: Memory, rereading: Rereading, recovery: Recovery
    ) -> None:
        """Begin at the first row of each kind."""
        self._reader = ground.reader
        self._residents = memory.residents
        self._ready = memory.ready
        self._tasks = memory.tasks
        self._timers = memory.timers
        self.rereading = rereading
        self._recovery = recovery
        # Where the next look goes on, if there was more than is looked at in one.
        self._ready_after = 0
        self._tasks_after = 0

    async def at_all_of(self, within: Collection[Partition]) -> None:
        """Look at everything in some partitions."""
        await self._at_ready(within, 0, None)
        await self._at_those_to_end(within)
        await self._recovery.take_tasks(within)
        self._timers.look_again()

    async def at_a_piece_of(self, within: Collection[Partition]) -> None:
        """Look at what has come next of some partitions, or at everything if that is not much."""
        self._ready_after = await self._at_ready(within, self._ready_after, LOOK_ROWS_MAX)
        await self._at_those_to_end(within)
        await self._at_tasks(within)
        self._timers.look_again()

    async def at_the_suspended(self) -> None:
        """Look at who is suspended."""
        on_disk = await self._suspended_on_disk()
        for resident in self._residents.all():
            if resident.suspended != (resident.key in on_disk):
                self.rereading.look(resident.key)
        for key in self._tasks.paused - on_disk:
            self.rereading.look(key)

    async def _at_ready(
        self, within: Collection[Partition], after: int, rows_max: int | None
    ) -> int:
        """Look at who is ready; return whom to go on after, 0 at the end."""
        count = 0
        while True:
            rows = await self._reader.surely(partial(_ready, after=after, within=within))
            for row in rows:
                self._consider(row)
            if len(rows) < REFILL_ROWS_MAX:
                return 0
            after = rows[-1].key
            count += len(rows)
            if rows_max is not None and count >= rows_max:
                return after

    def _consider(self, row: ReadyRow) -> None:
        resident = self._residents.peek(row.key)
        if resident is None:
            self._ready.push(row.key, row.app_id)
        elif not resident.inbox and resident.idle:
            self.rereading.look(row.key)

    async def _at_those_to_end(self, within: Collection[Partition]) -> None:
        for key in await self._reader.surely(lambda store: store.terminating(within)):
            resident = self._residents.peek(key)
            if resident is None or not resident.terminating:
                self.rereading.look(key)

    async def _at_tasks(self, within: Collection[Partition]) -> None:
        before, began = self._tasks.keys(), self._tasks_after
        found, self._tasks_after = await self._recovery.take_tasks(within, began, LOOK_ROWS_MAX)
        if not began and not self._tasks_after:
            for key in before - found:
                self.rereading.look(key)  # it has none on disk, and may be gone itself

    async def _suspended_on_disk(self) -> set[int]:
        found: set[int] = set()
        query = _SUSPENDED
        while True:
            page = await self._reader.surely(partial(_page, query=query))
            found.update([snapshot.key for snapshot in page.rows])
            if page.next_token is None:
                return found
            query = replace(query, token=page.next_token)


def _page(store: Store, query: InstanceQuery) -> Page:
    return store.find(query)


def _ready(store: Store, after: int, within: Collection[Partition]) -> Sequence[ReadyRow]:
    return store.ready(after, REFILL_ROWS_MAX, within)
