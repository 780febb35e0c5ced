"""A disk that several nodes share, each by a way of its own that can be cut.

Theory of operation. The store is the reference of shared stores. Each direction of a way is cut by
itself: what a node asks is lost and nothing of it is done; or it is done, be it a commit or the
renewal of a lease, and the node is told nothing and hears nothing. News comes later, or not at all.
A commit whose reply is lost leaves the node unsure, and it has to find out by itself.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextvars import copy_context
from random import Random
from typing import Final, NoReturn, Protocol

from perdure.base.errors import StoreAway, StoreUnavailable, StoreUnsure
from perdure.proving.disk import Disk, NodeDisk
from perdure.proving.loop import Home, SimLoop
from perdure.store.leases import Lease, News, NodeReport, Standing, Term
from perdure.store.partitions import Partition, partition_of
from perdure.store.port import Entry, Outcome, Store
from perdure.store.sharing import SharedStore

APP: Final = "app"


class Cluster(Protocol):
    """A store that is shared, as whoever watches it sees it."""

    now_us: Callable[[], int]  # the clock that its leases run out by
    partitions: int

    def open(self) -> SharedStore:
        """Return a way to it for one more node."""
        ...

    def lease_of(self, partition: Partition) -> Lease | None:
        """Return a lease as it stands."""
        ...


# How often what befalls the ways between nodes: of each piece of news, and of each minute and node.
USUAL: Final = {
    "news_lost": 0.02,
    "cut": 0.15,  # from the store, in one direction or both, for a while
    "stopped": 0.15,  # it does nothing for a while
    "secluded": 0.1,  # from clients and workers, for a while
}


class Ways:
    """What nodes share, and what befalls the ways between them."""

    def __init__(
        self, cluster: Cluster, loop: SimLoop, chance: Random, *, odds: Mapping[str, float]
    ) -> None:
        """Take `odds` in place of what is usual."""
        self.cluster = cluster
        self.loop = loop
        self.chance = chance
        self.odds = {**USUAL, **odds}
        self.news_on_the_way = 0

    def term_number(self, instance_id: str) -> int:
        """Return the number of the present term of an instance's lease; 0 if there is none."""
        lease = self.cluster.lease_of(self.partition_of(instance_id))
        return 0 if lease is None else lease.term.number

    def partition_of(self, instance_id: str) -> Partition:
        """Return where an instance lies; there is one app."""
        return partition_of(APP, instance_id, self.cluster.partitions)


class SharedNodeDisk(NodeDisk):
    """A `SharedStore` as one node sees it."""

    def __init__(self, disk: Disk, ways: Ways, home: Home, crash: Callable[[], None]) -> None:
        """Open a way of its own."""
        super().__init__(disk, home, crash)
        self._ways = ways
        self._shared: SharedStore = ways.cluster.open()
        self._own = self._shared
        self.asks_in_vain = False  # nothing comes to the store
        self.hears_nothing = False  # nothing comes from it
        self.unsure_us = -1  # when it last was

    @property
    def partitions(self) -> int:
        return self._shared.partitions

    def _reach(self) -> None:
        if not self._home.alive:
            raise StoreUnavailable("the process is dead")
        if self.asks_in_vain:
            self._fail("the store cannot be reached")

    def _hear(self) -> None:
        if self.hears_nothing:
            self._fail("the store does not answer")

    def _fail(self, why: str) -> NoReturn:
        self.has_failed = True
        raise StoreAway(why)

    def commit(self, entries: Sequence[Entry]) -> list[Outcome]:
        self._reach()
        outcomes = super().commit(entries)
        if self.hears_nothing and self._home.alive:
            self._lose_the_reply(0)
        return outcomes

    def _lose_the_reply(self, before: int) -> None:
        del before
        self.unsure_us = self._ways.loop.now_us
        raise StoreUnsure("the reply was lost")

    def _read(self) -> Store:
        self._reach()
        self._hear()
        return super()._read()

    def stand(self, report: NodeReport) -> Standing:
        self._reach()
        standing = self._shared.stand(report)
        self._hear()
        return standing

    def claim(self, node: str, partitions: Collection[Partition], ttl_us: int) -> tuple[Term, ...]:
        self._reach()
        terms = self._shared.claim(node, partitions, ttl_us)
        self._hear()
        return terms

    def release(self, node: str, terms: Collection[Term]) -> None:
        self._reach()
        self._shared.release(node, terms)
        self._hear()

    def leave(self, node: str) -> None:
        self._reach()
        self._shared.leave(node)
        self._hear()

    def listen(self, hear: Callable[[News], None]) -> None:
        ways = self._ways
        context = copy_context()  # it is heard by the process that listens, if that lives

        def arrive(news: News) -> None:
            ways.news_on_the_way -= 1
            if self._home.alive and not self.hears_nothing:
                ways.loop.call_in(0, hear, news, context=context.copy())

        def told(news: News) -> None:
            if ways.chance.random() >= ways.odds["news_lost"]:
                ways.news_on_the_way += 1
                ways.loop.outside(ways.chance.randrange(200, 30_000), arrive, news)

        self._shared.listen(told)

    def close(self) -> None:
        self._shared.close()
