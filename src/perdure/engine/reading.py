"""Reads of the store, off the loop's thread."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from perdure.base.errors import ShuttingDown, StoreError
from perdure.base.limits import LAND_ATTEMPTS_MAX, LAND_RETRY_FIRST_US, LAND_RETRY_LONGEST_US
from perdure.base.observer import Observer
from perdure.base.time import SECOND_US
from perdure.store.port import Store

T = TypeVar("T")
_THREADS: Final = 4
_STOPPED: Final = "the engine has stopped"


class Reader:
    """Reads one store from a few threads of its own."""

    def __init__(self, store: Store, observer: Observer, threads: int = _THREADS) -> None:
        """Begin to read `store`."""
        self._store = store
        self._observer = observer
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="perdure-reader")
        self._stopped = False

    async def read(self, question: Callable[[Store], T]) -> T:
        """Return the answer to a question that may block.

        Raises what the question raises, and ShuttingDown if this stops before it was asked.
        """
        if self._stopped:
            raise ShuttingDown(_STOPPED)
        loop = asyncio.get_running_loop()
        answer = loop.run_in_executor(self._threads, question, self._store)
        try:
            return await answer
        except asyncio.CancelledError:
            # Whoever is not cancelled itself is told so, and does not take it for that.
            asker = asyncio.current_task()
            if self._stopped and asker is not None and not asker.cancelling():
                raise ShuttingDown(_STOPPED) from None
            raise

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
        """Let the threads end once their reads are done; what waits is not read any more."""
        self._stopped = True
        self._threads.shutdown(wait=True, cancel_futures=True)
