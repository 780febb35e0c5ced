"""Reads of the store, off the loop's thread."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from perdure.base.errors import StoreError
from perdure.base.limits import LAND_ATTEMPTS_MAX, LAND_RETRY_FIRST_US, LAND_RETRY_LONGEST_US
from perdure.base.observer import Observer
from perdure.base.time import SECOND_US
from perdure.store.port import Store

T = TypeVar("T")
_THREADS: Final = 4


class Reader:
    """Reads one store from a few threads of its own."""

    def __init__(self, store: Store, observer: Observer, threads: int = _THREADS) -> None:
        """Begin to read `store`."""
        self._store = store
        self._observer = observer
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="perdure-reader")

    async def read(self, question: Callable[[Store], T]) -> T:
        """Return the answer to a question that may block."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, question, self._store)

    async def surely(self, question: Callable[[Store], T]) -> T:
        """Return the answer to a question of the engine's own, asked until the store is there.

        Nobody outside would ask it again, so that an instance would stay where it is.
        """
        for attempt in range(1, LAND_ATTEMPTS_MAX):
            try:
                return await self.read(question)
            except StoreError as error:
                self._observer.fault(f"reading, attempt {attempt}", error)
                pause_us = min(LAND_RETRY_FIRST_US << min(attempt, 16), LAND_RETRY_LONGEST_US)
                await asyncio.sleep(pause_us / SECOND_US)
        return await self.read(question)

    def stop(self) -> None:
        """Let the threads end once their reads are done."""
        self._threads.shutdown(wait=True, cancel_futures=True)
