"""The store in memory: the reference that the other stores are compared with."""

from perdure.store.memory.store import MemoryStore

__all__ = ["MemoryStore"]
