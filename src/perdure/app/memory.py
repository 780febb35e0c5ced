"""A store in memory, for whoever runs an engine without a file."""

from perdure.store.memory.store import MemoryStore
from perdure.store.port import Store


def memory_store() -> Store:
    """Return a store that forgets everything with the process."""
    return MemoryStore()
