"""A thread with an event loop, for synchronous callers of asynchronous code."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import CancelledError
from threading import Lock, Thread
from typing import Any, Final, TypeVar

from perdure.base.errors import StoreUnavailable

T = TypeVar("T")

_STOP_TIMEOUT_S: Final = 5.0


class Errands:
    """Runs coroutines on a loop of its own, for whoever waits in another thread."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._lock = Lock()
        self._stopped = False
        self._thread = Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    @property
    def stopped(self) -> bool:
        return self._stopped

    def run(self, errand: Coroutine[Any, Any, T]) -> T:
        """Return what `errand` returns. Raises StoreUnavailable once this stops."""
        with self._lock:
            if self._stopped:
                errand.close()
                raise StoreUnavailable("the store is closed")
            waited_for = asyncio.run_coroutine_threadsafe(errand, self._loop)
        try:
            return waited_for.result()
        except CancelledError as cancelled:
            raise StoreUnavailable("the store was closed meanwhile") from cancelled

    def stop(self) -> None:
        """Cancel what is under way, and end the thread. May be called twice."""
        with self._lock:
            if self._stopped:
                return
            self._stopped = True
        self._loop.call_soon_threadsafe(self._cancel_all)
        self._thread.join(_STOP_TIMEOUT_S)
        if not self._thread.is_alive():
            self._loop.close()

    def _cancel_all(self) -> None:
        ending = asyncio.gather(*asyncio.all_tasks(self._loop), return_exceptions=True)
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        ending.add_done_callback(lambda _: self._loop.stop())
