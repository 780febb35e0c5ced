"""Where an engine in a program's own process keeps its workflows: a file, or the memory."""

import os
from typing import Final

from perdure.store.memory.store import MemoryStore
from perdure.store.port import Store
from perdure.store.sqlite.store import SqliteStore

MEMORY: Final = ":memory:"


def open_place(place: str | os.PathLike[str]) -> Store:
    """Open the file of that path, or for `:memory:` a store that ends with the process.

    Raises StoreLocked if the file is open somewhere else, StoreBroken or StoreFailed if it cannot
    be used.
    """
    if os.fspath(place) == MEMORY:
        return MemoryStore()
    return SqliteStore(place)
