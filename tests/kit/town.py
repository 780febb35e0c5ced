"""Several engines on one store, each in a house of its own."""

import asyncio
from collections.abc import Callable, Collection
from typing import Any, Self

from perdure.base.errors import StoreUnavailable
from perdure.base.time import SECOND_US
from perdure.components.embedded import EmbeddedComponent
from perdure.engine.ownership import Leased
from perdure.engine.residents import resident_of
from perdure.engine.service import Engine
from perdure.engine.settings import Sharing
from perdure.store.leases import News, NodeReport, Standing, Term
from perdure.store.memory import MemoryCluster, SharedMemoryStore
from perdure.store.partitions import HOUSEKEEPING, Partition, partition_of
from tests.kit.clock import BEGINNING_US, VirtualLoop
from tests.kit.house import APP, House
from tests.kit.shaky_store import ShakyStore
from tests.kit.worker import Worker

STEP_US = SECOND_US // 2


class TownStore(ShakyStore, SharedMemoryStore):
    """A node's way to a shared store, which can be cut."""

    def __init__(self, cluster: MemoryCluster) -> None:
        super().__init__(cluster)
        self.is_cut = False
        self.deaf = False
        self.is_slow_to_leave = False

    def _reach(self) -> None:
        if self.is_cut:
            raise StoreUnavailable("the store cannot be reached")

    def stand(self, report: NodeReport) -> Standing:
        self._count()
        self._reach()
        return super().stand(report)

    def claim(self, node: str, partitions: Collection[Partition], ttl_us: int) -> tuple[Term, ...]:
        self._count()
        self._reach()
        return super().claim(node, partitions, ttl_us)

    def release(self, node: str, terms: Collection[Term]) -> None:
        self._reach()
        super().release(node, terms)

    def leave(self, node: str) -> None:
        self._reach()
        super().leave(node)

    def listen(self, hear: Callable[[News], None]) -> None:
        super().listen(lambda news: None if self.deaf or self.is_cut else hear(news))


class TownHouse(House):
    """One node. `cut` it from the store, or let it `die` without a word."""

    store: TownStore

    def __init__(self, name: str, cluster: MemoryCluster, **settings: Any) -> None:
        super().__init__(TownStore(cluster), **settings)
        self.name = name
        self.life = 0
        self.there = True

    async def open(self) -> None:
        self.life += 1
        sharing = Sharing(store=self.store, node=f"{self.name}.{self.life}", name=self.name)
        self.engine = Engine(self.settings, self.store, self.clock, self.recorder, sharing=sharing)
        self.component = EmbeddedComponent(self.engine, self.clock, self.recorder)
        await self.engine.start()
        self.there = True

    async def die(self) -> None:
        """End without giving anything back."""
        self.store.is_cut = True
        self.store.power_fails_after(0)
        self.expected_faults = ("",)
        await self.close()
        self.there = False

    def cut(self) -> None:
        """Let nothing reach the store any more."""
        self.store.is_cut = True
        self.store.power_fails_after(0)
        self.expected_faults = ("seeing to leases", "landing", "looking")

    def mend(self) -> None:
        """Let the store be reached again."""
        self.store.is_cut = False
        self.store.power_returns()

    async def reads_done(self) -> None:
        await super().reads_done()
        neighbours = self.engine._neighbours  # noqa: SLF001 - a thread of its own
        assert neighbours is not None
        await neighbours.leases._reader.read(lambda _: None)  # noqa: SLF001 - no door shows it
        for _ in range(10):
            await asyncio.sleep(0)

    @property
    def owner(self) -> Leased:
        owner = self.engine._residents._owner  # noqa: SLF001 - no door shows it
        assert isinstance(owner, Leased)
        return owner

    def owned(self, app_id: str = APP) -> set[int]:
        """Return the numbers of the partitions of an app that this node holds."""
        terms = self.owner.terms
        return {t.partition.number for t in terms if t.partition.app_id == app_id}

    @property
    def keeps_house(self) -> bool:
        return HOUSEKEEPING in {term.partition for term in self.owner.terms}

    def check_activities(self) -> None:
        rows = self.store.tasks(0, 1_000_000, self.owner.within)
        on_disk = {(row.key, row.add.generation, row.add.task_id) for row in rows}
        assert set(self.engine._queues._live) == on_disk  # noqa: SLF001 - no door shows it

    def check_residents(self) -> None:
        for resident in self.engine._residents.all():  # noqa: SLF001 - no door shows it
            loaded = self.store.load(resident.key)
            assert loaded is not None, f"a ghost: {resident.instance_id}"
            read = resident_of(loaded)
            assert resident.snapshot() == read.snapshot()
            assert (resident.state, resident.past) == (read.state, read.past)
            identity = resident.identity
            assert self.owner.owns(identity.app_id, identity.instance_id)
            assert resident.term == self.owner.term_of(identity.app_id, identity.instance_id)

    def check_waiting(self) -> None:
        if self.keeps_house:
            super().check_waiting()


class Town:
    """Nodes by name; use it with `async with`."""

    def __init__(self, *names: str, **settings: Any) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self._loop = loop
        self.cluster = MemoryCluster(lambda: BEGINNING_US + loop.passed_us)
        self.houses = {name: TownHouse(name, self.cluster, **settings) for name in names}

    def __getitem__(self, name: str) -> TownHouse:
        return self.houses[name]

    @property
    def there(self) -> list[TownHouse]:
        return [house for house in self.houses.values() if house.there]

    async def __aenter__(self) -> Self:
        for house in self.houses.values():
            await house.open()
        await self.settle()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            for house in self.there:
                house.mend()
            await self.settle()
            for house in self.there:
                house.check()
        for house in self.there:
            await house.close()

    async def settle(self) -> None:
        """Return once nothing is under way at any node."""
        before = -1
        while before != (calls := sum(house.store.calls for house in self.there)):
            before = calls
            for house in self.there:
                await house.settle()

    async def pass_time(self, duration_us: int) -> None:
        """Let time pass in steps, and everything happen that this brings about.

        What was under way before happens before, as in a house.
        """
        await self.settle()
        while duration_us > 0:
            self._loop.passed_us += min(STEP_US, duration_us)
            duration_us -= STEP_US
            await self.settle()

    async def begun(self, instance_id: str, at: str) -> Worker:
        """Start an instance at a node, and return its worker there, which knows its workflow."""
        worker = self[at].worker()
        await self.spread()
        await self[at].start(instance_id)
        return worker

    async def spread(self) -> None:
        """Let partitions find their places."""
        await self.pass_time(8 * SECOND_US)

    def owner_of(self, instance_id: str, app_id: str = APP) -> TownHouse:
        """Return the node that owns an instance."""
        number = partition_of(app_id, instance_id).number
        (owner,) = [house for house in self.there if number in house.owned(app_id)]
        return owner

    def id_at(self, name: str, app_id: str = APP) -> str:
        """Return an id of an instance that a node owns."""
        return next(
            each
            for each in map("i{}".format, range(10_000))
            if partition_of(app_id, each).number in self[name].owned(app_id)
        )
