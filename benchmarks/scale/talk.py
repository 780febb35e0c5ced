"""How much nodes have to tell each other of their work, told by the store itself.

Commits of a few shapes are made at random nodes of a shared store, in which every node holds its
share of the partitions, and the news that each makes is counted: how many, how long they are as a
notification, and how many listeners hear them.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from perdure.store.leases import News
from perdure.store.memory import MemoryCluster
from perdure.store.memory.cluster import SharedMemoryStore
from perdure.store.partitions import Partition, partition_of
from perdure.store.port import Birth, Entry, Head, Identity, InboxAdd, LifecycleAdd

APP: Final = "shop"
_TTL_US: Final = 60_000_000
_COMMITS: Final = 200
_PENDING: Final = 6
_PARTITION_BYTES: Final = 8  # of a notification: an app's short name and a number
_KEY_BYTES: Final = 11


@dataclass(frozen=True, slots=True)
class Talk:
    """Of one shape of commit among so many nodes: news for each, their length, and who hears."""

    what: str
    nodes: int
    news: float
    bytes_long: float
    heard: float


class _Ears(MemoryCluster):
    """A store whose news are counted."""

    def __init__(self, partitions: int) -> None:
        super().__init__(lambda: 0, partitions=partitions)
        self.told: list[News] = []

    def tell(self, teller: SharedMemoryStore, news: News) -> None:
        del teller
        self.told.append(news)


def _birth(instance_id: str) -> tuple[Birth, LifecycleAdd]:
    identity = Identity(instance_id=instance_id, name="order", app_id=APP, execution_id="x")
    start = InboxAdd(3, b"start", rank=0)
    birth = Birth(identity=identity, head=Head(phase=_PENDING), inbox=(start,))
    return birth, LifecycleAdd("created", 0, instance_id, "order")


def _start(instance_id: str) -> Entry:
    birth, told = _birth(instance_id)
    return Entry(key=None, births=(birth,), lifecycle=(told,))


def talk(nodes: int, partitions: int, seed: int) -> list[Talk]:
    """Return what commits of several shapes tell, among so many nodes."""
    chance = random.Random(seed)
    cluster = _Ears(partitions)
    stores = [cluster.open() for _ in range(nodes)]
    owners: dict[Partition, SharedMemoryStore] = {}
    for at, store in enumerate(stores):
        share = [Partition(APP, number) for number in range(at, partitions, nodes)]
        store.claim(f"node-{at}", share, _TTL_US)
        owners |= dict.fromkeys(share, store)
    names = iter(range(10_000_000))

    def fresh() -> str:
        return f"order-{next(names)}"

    def anywhere(count: int) -> None:
        chance.choice(stores).commit([_start(fresh()) for _ in range(count)])

    def at_owner() -> None:
        instance_id = fresh()
        owners[partition_of(APP, instance_id, partitions)].commit([_start(instance_id)])

    shapes: dict[str, Callable[[], None]] = {
        "one start, at any node": lambda: anywhere(1),
        "twenty starts, at any node": lambda: anywhere(20),
        "one start, at its owner": at_owner,
    }
    found = []
    for what, commit in shapes.items():
        cluster.told.clear()
        for _ in range(_COMMITS):
            commit()
        touching = [news for news in cluster.told if news.touched or news.ids]
        length = sum(map(_length, touching)) / max(1, len(touching))
        each = len(touching) / _COMMITS
        found.append(Talk(what, nodes, each, length, each * (nodes - 1)))
    return found


def _length(news: News) -> int:
    touched = news.touched or ()
    keys = sum(len(each.keys or ()) for each in touched)
    ids = sum(len(instance_id) + 3 for instance_id in news.ids or ())
    return _PARTITION_BYTES * len(touched) + _KEY_BYTES * keys + ids
