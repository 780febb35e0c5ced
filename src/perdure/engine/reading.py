"""Reads of the store, off the loop's thread."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from perdure.store.port import Store

T = TypeVar("T")
_THREADS: Final = 4


class Reader:
    """Reads one store from a few threads of its own."""

    def __init__(self, store: Store) -> None:
        """Begin to read `store`."""
        self._store = store
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="perdure-reader")

    async def read(self, question: Callable[[Store], T]) -> T:
        """Return the answer to a question that may block."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, question, self._store)

    def stop(self) -> None:
        """Let the threads end once their reads are done."""
        self._threads.shutdown(wait=True, cancel_futures=True)
