"""The store in memory: the reference that the other stores are compared with."""

from perdure.store.memory.cluster import MemoryCluster, SharedMemoryStore
from perdure.store.memory.store import MemoryStore

__all__ = ["MemoryCluster", "MemoryStore", "SharedMemoryStore"]
