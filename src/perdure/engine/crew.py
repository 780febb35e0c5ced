"""Who does for the engine what blocks, and where ids come from that nobody has had.

In a server these are threads and chance. Whoever wants a run that can be repeated puts others in
their place; what is written, in which order, and who is told, stays the committer's business.
"""

import asyncio
import os
import threading
import time
from collections.abc import Callable
from typing import Final, Protocol

from perdure.base.limits import COMMIT_ENTRIES_MAX
from perdure.store.port import Entry, Outcome

Came = Callable[[Outcome | BaseException], None]
Pending = tuple[Entry, Came]
Results = list[Outcome | BaseException]
Land = Callable[[list[Pending]], Results]
Tell = Callable[[list[Pending], Results, int], None]


class Writer(Protocol):
    """Lands batches one at a time; while one is being landed, the next gathers."""

    def start(self) -> None:
        """Begin to land."""
        ...

    def put(self, pending: list[Pending]) -> None:
        """Add entries behind those that wait. Called on the loop's thread."""
        ...

    def waiting(self) -> int:
        """Return how many entries wait."""
        ...

    async def stop(self) -> None:
        """Land what waits, then end."""
        ...


class Crew(Protocol):
    """What the engine has from outside besides its store and its clock."""

    def fresh_id(self) -> str:
        """Return 32 hexadecimal digits that nobody has had."""
        ...

    def writer(self, land: Land, tell: Tell) -> Writer:
        """Return who lands batches with `land`, which may block.

        The loop's thread is told of each with `tell`: the batch, its results and how many
        microseconds it took.
        """
        ...


class ThreadedWriter:
    """A thread that lands batches of one event loop."""

    def __init__(self, land: Land, tell: Tell) -> None:
        """Begin with nothing to land; `start` makes the thread."""
        self._land = land
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        self._waiting: list[Pending] = []  # under `_changed`
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._write, name="perdure-writer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def put(self, pending: list[Pending]) -> None:
        with self._changed:
            self._waiting += pending
            self._changed.notify()

    def waiting(self) -> int:
        return len(self._waiting)

    async def stop(self) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join)

    def _write(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._stopping:
                    self._changed.wait()
                if not self._waiting:
                    return
                batch = self._waiting[:COMMIT_ENTRIES_MAX]
                del self._waiting[: len(batch)]
            began = time.perf_counter()
            results = self._land(batch)
            duration_us = int((time.perf_counter() - began) * 1_000_000)
            self._loop.call_soon_threadsafe(self._tell, batch, results, duration_us)


class Threads:
    """The crew of a server."""

    def fresh_id(self) -> str:
        return os.urandom(16).hex()

    def writer(self, land: Land, tell: Tell) -> Writer:
        return ThreadedWriter(land, tell)


THREADS: Final = Threads()
