"""Nodes that hold partitions of one store, and do nothing else: no instance runs on them.

What is real: `engine.leases`, `engine.placement`, `engine.ownership`, and the store's leases and
terms (`store.memory.cluster`, which Postgres is compared with). What is simulated: the clock, how
long a call to the store takes, and that nothing is ever out when a partition is to be given back.
"""

import random
from collections import Counter
from collections.abc import Collection, Coroutine
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any, Final, cast

from perdure.base.observer import NullObserver
from perdure.base.time import SECOND_US
from perdure.engine.landing import Apply, Landing
from perdure.engine.leases import Leases
from perdure.engine.ownership import Leased
from perdure.engine.settings import Sharing
from perdure.proving.loop import HOME, Home, SimLoop
from perdure.store.leases import News, NodeReport, Standing, Term
from perdure.store.memory import MemoryCluster
from perdure.store.memory.cluster import SharedMemoryStore
from perdure.store.partitions import HOUSEKEEPING, Partition
from perdure.store.port import Entry

APP: Final = "shop"
_CALL_US: Final = (1_000, 6_000)  # to the store and back, each way
# What Postgres sends for a row of these, about.
_LEASE_BYTES: Final = 60
_MEMBER_BYTES: Final = 80


@dataclass(slots=True)
class Figures:
    """What was asked of the store, since they were last taken."""

    stands: int = 0
    renewals: int = 0
    claims: int = 0  # leases taken
    releases: int = 0
    bytes_read: int = 0
    news: int = 0
    heard: int = 0  # by each listener
    moves: Counter[Partition] = field(default_factory=Counter)


class _Counted(SharedMemoryStore):
    """One node's way to the store, with what is asked of it counted."""

    figures: Figures

    def stand(self, report: NodeReport) -> Standing:
        standing = super().stand(report)
        self.figures.stands += 1
        self.figures.renewals += len(standing.renewed)
        read = len(standing.leases) * _LEASE_BYTES + len(standing.members) * _MEMBER_BYTES
        self.figures.bytes_read += read
        return standing

    def claim(self, node: str, partitions: Collection[Partition], ttl_us: int) -> tuple[Term, ...]:
        terms = super().claim(node, partitions, ttl_us)
        self.figures.claims += len(terms)
        self.figures.moves.update(term.partition for term in terms)
        return terms

    def release(self, node: str, terms: Collection[Term]) -> None:
        self.figures.releases += len(terms)
        super().release(node, terms)


class _Cluster(MemoryCluster):
    """The store, with its news counted."""

    figures: Figures

    def open(self) -> _Counted:
        opened = _Counted(self)
        opened.figures = self.figures
        self._open.append(opened)
        return opened

    def tell(self, teller: SharedMemoryStore, news: News) -> None:
        self.figures.news += 1
        self.figures.heard += len(self._open) - 1
        super().tell(teller, news)


class _Idle:
    """The rest of a node: nothing is ever out, and nothing waits to land."""

    def __init__(self, loop: SimLoop) -> None:
        self._loop = loop

    def taken(self, terms: Collection[Term]) -> None:
        """Read nothing."""

    def lost(self, terms: Collection[Term]) -> None:
        """Drop nothing."""

    def out_under(self, terms: Collection[Term]) -> bool:
        del terms
        return False

    def widened(self) -> None:
        """Hand out nothing."""

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self._loop.create_task(work, name=name)

    async def once(self, entry: Entry, apply: Apply) -> None:
        """Land nothing."""


class Node:
    """One process that has workers of the app."""

    def __init__(self, fleet: "Fleet", name: str) -> None:
        """Come up, and stand among the others."""
        self.home = Home(name)
        self._fleet = fleet
        self.store = fleet.cluster.open()
        fleet.loop.homes.append(self.home)
        context = copy_context()
        context.run(HOME.set, self.home)
        fleet.loop.call_soon(self._begin, context=context)

    def _begin(self) -> None:
        loop = self._fleet.loop
        name = self.home.name
        sharing = Sharing(store=self.store, node=name, name=name, lease_ttl_us=self._fleet.ttl_us)
        self.owner = Leased(loop.time, self._fleet.cluster.partitions)
        idle = _Idle(loop)
        observer, landing = NullObserver(), cast("Landing", idle)
        self.leases = Leases(sharing, self.owner, landing, observer, lambda: [APP], idle)
        self.store.listen(self._hear)
        loop.create_task(self._run(), name=self.home.name)

    async def _run(self) -> None:
        await self.leases.start()
        await self.leases.run()

    def _hear(self, news: News) -> None:
        if news.leases and self.home.alive:
            self.leases.look_again()

    def die(self) -> None:
        """Be gone, as after kill -9."""
        self.home.alive = False
        self.store.close()
        self._fleet.nodes.remove(self)

    def leave(self) -> None:
        """Stop in good order: everything is given back at once."""
        self.die()
        self.store.leave(self.home.name)


class Fleet:
    """All nodes, and the loop that they run on."""

    def __init__(self, partitions: int, ttl_us: int, seed: int) -> None:
        """Begin without a node."""
        self._chance = random.Random(seed)
        self.loop = SimLoop(self._delays)
        self.figures = Figures()
        self.cluster = _Cluster(lambda: self.loop.now_us, partitions=partitions)
        self.cluster.figures = self.figures
        self.ttl_us = ttl_us
        self.nodes: list[Node] = []
        self._born = 0

    def _delays(self) -> tuple[int, int]:
        return self._chance.randint(*_CALL_US), self._chance.randint(*_CALL_US)

    def come(self, count: int, within_us: int) -> None:
        """Let so many nodes come up at moments within a time."""
        for _ in range(count):
            self.loop.outside(self._chance.randrange(within_us + 1), self._come_one)

    def _come_one(self) -> None:
        self._born += 1
        self.nodes.append(Node(self, f"node-{self._born:05}"))

    def some(self, count: int) -> list[Node]:
        """Return so many nodes, drawn."""
        return self._chance.sample(self.nodes, count)

    def pass_time(self, duration_us: int) -> None:
        """Let time go on."""
        self.loop.run_until(lambda: False, self.loop.now_us + duration_us)

    def held(self) -> Counter[str]:
        """Return how many partitions of the app each node holds, and is sure of."""
        found: Counter[str] = Counter({node.home.name: 0 for node in self.nodes})
        for node in self.nodes:
            found[node.home.name] = (
                sum(term.partition != HOUSEKEEPING for term in node.owner.terms)
                * node.owner.may_hand_out()
            )
        return found

    def is_even(self) -> bool:
        """Tell whether every partition is held, and nobody has two more than another."""
        held = self.held().values()
        whole = sum(held) == self.cluster.partitions
        return whole and max(held) - min(held) <= 1

    def until_even(self, limit_us: int) -> float | None:
        """Let time go on until all is even; return after how many seconds, None if it was not."""
        began_us = self.loop.now_us
        step_us = SECOND_US // 10
        while self.loop.now_us < began_us + limit_us:
            if self.nodes and self.is_even():
                return (self.loop.now_us - began_us) / SECOND_US
            self.pass_time(step_us)
        return None

    def take_figures(self) -> Figures:
        """Return the figures so far, and begin anew."""
        taken = self.figures
        self.figures = Figures()
        self.cluster.figures = self.figures
        for node in self.nodes:
            node.store.figures = self.figures
        return taken

    def close(self) -> None:
        """Let everything end."""
        self.loop.close()
