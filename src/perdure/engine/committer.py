"""Group commit: one writer thread lands a batch; while it is busy, the next batch gathers.

There is no timer. An entry that comes while the writer is idle is landed at once, alone; under
load batches grow by themselves until the disk keeps up. Entries land in the order in which
they were handed in, and their outcomes are told in that order too, on the loop's thread.
"""

import asyncio
import threading
import time
from collections.abc import Sequence

from perdure.base.errors import StoreError, StoreUnavailable
from perdure.base.limits import COMMIT_ENTRIES_MAX, COMMIT_QUEUE_MAX
from perdure.base.observer import Observer
from perdure.store.port import Entry, Outcome, Store

Pending = tuple[Entry, asyncio.Future[Outcome]]


class Committer:
    """Lands entries in one store. Made and used on one event loop."""

    def __init__(self, store: Store, observer: Observer) -> None:
        """Begin with nothing to land; `start` makes the writer."""
        self._store = store
        self._observer = observer
        self._loop = asyncio.get_running_loop()
        self._waiting: list[Pending] = []
        self._changed = threading.Condition()
        self._stopping = False
        self._writer = threading.Thread(target=self._write, name="perdure-writer", daemon=True)

    def start(self) -> None:
        """Start the writer thread."""
        self._writer.start()

    def submit(self, entry: Entry) -> asyncio.Future[Outcome]:
        """Hand in an entry; the future has its outcome once it is on disk.

        Raises StoreUnavailable if too much waits already or the committer has stopped.
        """
        future: asyncio.Future[Outcome] = self._loop.create_future()
        with self._changed:
            if self._stopping:
                msg = "the store takes no more changes: the server is stopping"
                raise StoreUnavailable(msg)
            if len(self._waiting) >= COMMIT_QUEUE_MAX:
                msg = "the store is too far behind: too many changes are waiting to be written"
                raise StoreUnavailable(msg)
            self._waiting.append((entry, future))
            self._changed.notify()
        return future

    async def stop(self) -> None:
        """Land what was handed in, then end the writer."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._writer.is_alive():
            await asyncio.to_thread(self._writer.join)

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
            results = self._commit([entry for entry, _ in batch])
            duration_us = int((time.perf_counter() - began) * 1_000_000)
            self._loop.call_soon_threadsafe(self._tell, batch, results, duration_us)

    def _commit(self, entries: Sequence[Entry]) -> Sequence[Outcome | BaseException]:
        try:
            return self._store.commit(entries)
        except StoreError as error:
            return [error] * len(entries)
        except Exception as error:  # noqa: BLE001 - told to whoever handed the entry in
            if len(entries) == 1:
                return [error]
            # One entry breaks the store's invariants. The others must not go down with it.
            return [result for entry in entries for result in self._commit([entry])]

    def _tell(
        self,
        batch: Sequence[Pending],
        results: Sequence[Outcome | BaseException],
        duration_us: int,
    ) -> None:
        self._observer.commit_landed(entries=len(batch), duration_us=duration_us)
        assert len(batch) == len(results), "a store answers every entry"
        for (_, future), result in zip(batch, results, strict=True):
            if future.cancelled():
                continue
            if isinstance(result, BaseException):
                future.set_exception(result)
            else:
                future.set_result(result)
