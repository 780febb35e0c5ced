"""What others do to a store that is shared: heard of, and looked for in case it was not heard.

Theory of operation. News tells which instances of our partitions others have changed: these are
read anew. It tells who has been born or has ended anywhere: those who wait for them look, and
whoever keeps the house looks for what waits. News may be lost, so that now and then everything is
looked at that could have been missed: who is ready, what is to be run, who is to be ended, who is
suspended.
"""

import asyncio
from collections.abc import Collection
from functools import partial
from typing import Final

from perdure.base.limits import NEIGHBOURS_POLL_US
from perdure.base.time import SECOND_US
from perdure.core.status import TERMINAL
from perdure.engine.ground import Ground
from perdure.engine.housekeeping import Housekeeping
from perdure.engine.leases import Leases
from perdure.engine.looking import Looking
from perdure.engine.memory import Memory
from perdure.engine.moves import Moves
from perdure.engine.ownership import Leased
from perdure.engine.recovery import Recovery
from perdure.engine.residents import Resident, resident_of
from perdure.engine.waiters import Waiters
from perdure.store.leases import News, Term
from perdure.store.partitions import HOUSEKEEPING, Partition
from perdure.store.port import Snapshot, Store

_LOOKING: Final = "looking at what others have done"


class Neighbours:
    """Keeps memory true among others, and takes in and drops what leases begin and end for."""

    def __init__(
        self,
        ground: Ground,
        owner: Leased,
        memory: Memory,
        looking: Looking,
        waiters: Waiters,
    ) -> None:
        """Reach everything that is held in memory; the rest is set by whoever composes this."""
        self.leases: Leases
        self.recovery: Recovery
        self.moves: Moves
        self.housekeeping: Housekeeping
        self._reader = ground.reader
        self._landing = ground.landing
        self._owner = owner
        self._residents = memory.residents
        self._ready = memory.ready
        self._tasks = memory.tasks
        self._turns = memory.turns
        self._timers = memory.timers
        self._waiters = waiters
        self._looking = looking
        self._rereading = looking.rereading
        self._loop = asyncio.get_running_loop()
        self._ending: dict[int, bool] = {}  # by key, and whether to look once more
        self._is_looking = False
        self._looks_everywhere = False
        self._to_look_at: dict[Partition, None] = {}

    # ---- life

    async def start(self) -> None:
        """Stand among the others, and begin to hear of them."""
        self.leases.store.listen(self.hear)
        await self.leases.start()
        self._landing.keep(self.leases.run, "seeing to leases")
        self._landing.keep(self.run, _LOOKING)

    async def stop(self) -> None:
        """Give everything back; nothing is landed any more."""
        await self.leases.stop()

    # ---- leases (see `engine.leases.Tenant`)

    def taken(self, terms: Collection[Term]) -> None:
        """Take in what is under way in partitions that are held from now on."""
        partitions = [term.partition for term in terms]
        if HOUSEKEEPING in partitions:
            self.housekeeping.take()
        self._turns.took_over()
        self._landing.spawn(self._take(partitions), "taking partitions in")

    async def _take(self, partitions: Collection[Partition]) -> None:
        await self.recovery.take(partitions)
        self._timers.look_again()

    def lost(self, terms: Collection[Term]) -> None:
        """Drop everything that is held under terms that are over."""
        over = frozenset(terms)
        if any(term.partition == HOUSEKEEPING for term in over):
            self.housekeeping.end()
        for resident in self._residents.all():
            if resident.term in over:
                self._residents.drop(resident.key)
                self._turns.let_go(resident)
        self._tasks.let_go(over)
        for app_id in {term.partition.app_id for term in over}:
            self._ready.forget(app_id, lambda key: self._residents.peek(key) is None)
            self.recovery.refill_turns(app_id)

    def out_under(self, terms: Collection[Term]) -> bool:
        """Tell whether work is out of what is held under these terms."""
        return self._turns.out_under(terms) or self._tasks.out_under(terms)

    def widened(self) -> None:
        """Hand out what waited for a limit: more of it may be out here now."""
        for app_id in dict.fromkeys([*self._ready.apps(), *self._tasks.apps()]):
            self._turns.on_room(app_id)

    # ---- news

    def hear(self, news: News) -> None:
        """Take news, from any thread."""
        self._loop.call_soon_threadsafe(self._heard, news)

    def _heard(self, news: News) -> None:
        if news.touched is None:
            self._ask_for_a_look(None)
        for touched in news.touched or ():
            if touched.keys is None:
                self._ask_for_a_look(touched.partition)
            elif self._owner.term_in(touched.partition) is not None:
                for key in touched.keys:
                    self._rereading.look(key)
            else:
                self._see_to_nobodys(touched.partition, touched.keys)
        self._tell_of(news)
        if news.leases:
            self.leases.look_again()

    def _tell_of(self, news: News) -> None:
        if news.ids is None:
            self._waiters.look_all()
        for instance_id in news.ids or ():
            self._waiters.look(instance_id)
            if self._owner.keeps_house:
                self.housekeeping.changed(instance_id)
        if self._owner.keeps_house and (news.ids is None or news.noted is None or news.noted):
            self.housekeeping.heard()

    # ---- looking

    async def run(self) -> None:
        """Look now and then, until cancelled."""
        while True:
            await asyncio.sleep(NEIGHBOURS_POLL_US / SECOND_US)
            self._ask_for_a_look(None)

    def _ask_for_a_look(self, partition: Partition | None) -> None:
        """Have a partition, or everything, looked at: now, or after the look that is under way.

        News may come faster than it can be looked at. What is told of meanwhile is one more look.
        """
        if partition is None:
            self._looks_everywhere = True
        else:
            self._to_look_at[partition] = None
        if not self._is_looking:
            self._is_looking = True
            self._landing.spawn(self._look(), _LOOKING)

    async def _look(self) -> None:
        try:
            while self._looks_everywhere or self._to_look_at:
                partitions, self._to_look_at = self._to_look_at, {}
                if self._looks_everywhere:
                    self._looks_everywhere = False
                    await self._look_everywhere()
                if partitions:
                    await self._looking.at_all_of(partitions)
        finally:
            self._is_looking = False

    async def _look_everywhere(self) -> None:
        within = self._owner.within
        if within:
            await self._looking.at_a_piece_of(within)
        await self._looking.at_the_suspended()
        self._waiters.look_all()
        if self._owner.keeps_house:
            self.housekeeping.heard()
            await self._look_at_nobodys()

    # ---- what nobody owns

    async def _look_at_nobodys(self) -> None:
        keys = await self._reader.surely(lambda store: store.terminating())
        found = await self._reader.surely(partial(_snapshots, keys=keys))
        for snapshot in found:
            identity = snapshot.identity
            where = self._owner.partition_of(identity.app_id, identity.instance_id)
            self._see_to_nobodys(where, [snapshot.key])

    def _see_to_nobodys(self, partition: Partition, keys: Collection[int]) -> None:
        """End who is to be ended: no node has workers of the app, and none are needed for it."""
        if not self._owner.keeps_house or self.leases.holder_of(partition) is not None:
            return
        for key in keys:
            if key in self._ending:
                self._ending[key] = True
            else:
                self._ending[key] = False
                self._landing.spawn(self._end(key), "terminating")

    async def _end(self, key: int) -> None:
        try:
            again = True
            while again:
                self._ending[key] = False
                loaded = await self._reader.surely(lambda store: store.load(key))
                if loaded is not None and loaded.snapshot.head.phase not in TERMINAL:
                    await self._end_if_told(resident_of(loaded))
                again = self._ending[key]
        finally:
            del self._ending[key]

    async def _end_if_told(self, resident: Resident) -> None:
        if resident.terminating:
            # Whoever comes to own it meanwhile moves it first, or finds it moved.
            resident.moving = True
            await self.moves.terminate(resident)


def _snapshots(store: Store, keys: Collection[int]) -> list[Snapshot]:
    found = [store.snapshot(key) for key in keys]
    return [snapshot for snapshot in found if snapshot is not None]
