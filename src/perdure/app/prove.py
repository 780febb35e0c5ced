"""Composes a simulation: the store it runs on, and the clock that the engine reads."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory

from perdure.app.clock import SystemClock
from perdure.base.errors import ConfigurationError
from perdure.base.time import HOUR_US
from perdure.proving.plan import plan_of
from perdure.proving.simulation import Simulation
from perdure.store.memory.cluster import MemoryCluster
from perdure.store.memory.store import MemoryStore
from perdure.store.port import Store
from perdure.store.sqlite.store import SqliteStore


class ProofStore(StrEnum):
    """What a simulation keeps its instances in."""

    MEMORY = "memory"
    SQLITE = "sqlite"


@contextmanager
def simulation(seed: int, hours: float, store: ProofStore, nodes: int = 1) -> Iterator[Simulation]:
    """Give the simulation of a seed, of one node or of several on one store in memory."""
    if nodes > 1:
        if store is not ProofStore.MEMORY:
            raise ConfigurationError("several nodes are proved on the store in memory")
        plan = plan_of(seed, round(hours * HOUR_US), nodes)
        cluster = MemoryCluster(int)
        yield Simulation(plan, cluster.open(), SystemClock, cluster)
        return
    with _opened(store) as opened:
        plan = plan_of(seed, round(hours * HOUR_US), store=store.value)
        yield Simulation(plan, opened, SystemClock)


@contextmanager
def _opened(store: ProofStore) -> Iterator[Store]:
    if store is ProofStore.MEMORY:
        yield MemoryStore()
        return
    with TemporaryDirectory(prefix="perdure-prove-") as folder:
        opened = SqliteStore(Path(folder) / "prove.db")
        try:
            yield opened
        finally:
            opened.close()
