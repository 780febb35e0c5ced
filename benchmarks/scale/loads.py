"""How evenly instances load partitions and nodes, by the hash that says where each lies."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import log, sqrt
from typing import Final
from uuid import UUID

from perdure.store.partitions import number_of

_BUSY: Final = 1.1  # the exponent of a Zipf distribution: few instances have most of the turns
_BUSY_INSTANCES: Final = 200_000


@dataclass(frozen=True, slots=True)
class Load:
    """How loaded the busiest partition and node are; 1 is the mean."""

    what: str
    partitions: int
    instances_per_partition: float
    busiest_partition: float
    busiest_node: float
    by_chance: float | None  # what the busiest partition of so many sampled ids is with pure luck


def spread(*, nodes: int, partitions: int, sampled: int, instances: int, seed: int) -> list[Load]:
    """Return how so many instances are spread, after hashing `sampled` ids of several kinds."""
    chance = random.Random(seed)
    kinds: dict[str, Callable[[int], str]] = {
        "numbered (order-1, order-2, …)": lambda at: f"order-{at}",
        "random (UUIDs)": lambda _: str(UUID(int=chance.getrandbits(128), version=4)),
    }
    found = []
    for what, named in kinds.items():
        counts = [0.0] * partitions
        for at in range(sampled):
            counts[number_of(named(at), partitions)] += 1
        # Of a sample, luck alone makes one partition larger than it would be of all: only what is
        # beyond that is the hash's doing, and stays.
        lucky = 1 + sqrt(2 * log(partitions) * partitions / sampled)
        found.append(_load(f"{what}, {sampled:,} hashed", counts, nodes, instances, lucky))
    counts = [0.0] * partitions
    for at in range(1, _BUSY_INSTANCES + 1):
        counts[number_of(f"order-{at}", partitions)] += at**-_BUSY
    what = f"turns, if {_BUSY_INSTANCES:,} instances have them all, by a power law ({_BUSY})"
    found.append(_load(what, counts, nodes, instances, None))
    return found


def _load(
    what: str, counts: list[float], nodes: int, instances: int, by_chance: float | None
) -> Load:
    partitions = len(counts)
    mean = sum(counts) / partitions
    per_node = list(_by_node(counts, nodes))
    node_mean = sum(counts) / nodes
    return Load(
        what=what,
        partitions=partitions,
        instances_per_partition=instances / partitions,
        busiest_partition=max(counts) / mean,
        busiest_node=max(per_node) / node_mean,
        by_chance=by_chance,
    )


def _by_node(counts: list[float], nodes: int) -> Iterator[float]:
    """Yield what each node has, if each has as many partitions as any, or one more."""
    order = list(range(len(counts)))
    random.Random(0).shuffle(order)
    least, larger = divmod(len(counts), nodes)
    at = 0
    for node in range(nodes):
        share = least + (node < larger)
        yield sum(counts[place] for place in order[at : at + share])
        at += share
