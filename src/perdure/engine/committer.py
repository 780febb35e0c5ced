"""Group commit: one writer lands a batch; while it is busy, the next batch gathers.

What is handed in during one turn of the loop goes to the writer together, at its end. No entry
waits longer than that for company: under load batches grow by themselves until the disk keeps
up. Only notes, which nobody waits for, stay until something else is landed, or for a moment.
Entries land in the order in which they were handed in, and their outcomes are told in that
order too, on the loop's thread.
"""

import asyncio
from typing import Final

from perdure.base.errors import StoreError, StoreUnavailable
from perdure.base.limits import COMMIT_QUEUE_MAX
from perdure.base.observer import Observer
from perdure.engine.crew import THREADS, Came, Crew, Pending, Results
from perdure.store.port import Entry, Outcome, Store

_NOTES_WAIT_S: Final = 0.1


class Committer:
    """Lands entries in one store. Made and used on one event loop."""

    def __init__(self, store: Store, observer: Observer, crew: Crew = THREADS) -> None:
        """Begin with nothing to land; `start` lets the writer begin."""
        self._store = store
        self._observer = observer
        self._loop = asyncio.get_running_loop()
        self._gathered: list[Pending] = []  # on the loop's thread
        self._hands_over_soon = False
        self._notes: asyncio.TimerHandle | None = None
        self._stopping = False
        self._writer = crew.writer(self._land, self._tell)

    def start(self) -> None:
        """Let the writer begin."""
        self._writer.start()

    def submit(self, entry: Entry, came: Came, *, soon: bool = True) -> None:
        """Hand in an entry; `came` is told its outcome, or why there is none, once it is on disk.

        Without `soon` it may wait a moment for others. Raises StoreUnavailable if too much waits
        already or the committer has stopped.
        """
        if self._stopping:
            msg = "the store takes no more changes: the server is stopping"
            raise StoreUnavailable(msg)
        if self._writer.waiting() + len(self._gathered) >= COMMIT_QUEUE_MAX:
            msg = "the store is too far behind: too many changes are waiting to be written"
            raise StoreUnavailable(msg)
        self._gathered.append((entry, came))
        if soon and not self._hands_over_soon:
            self._hands_over_soon = True
            self._loop.call_soon(self._hand_over)
        elif not self._hands_over_soon and self._notes is None:
            self._notes = self._loop.call_later(_NOTES_WAIT_S, self._hand_over)

    def _hand_over(self) -> None:
        self._hands_over_soon = False
        if self._notes is not None:
            self._notes.cancel()
            self._notes = None
        self._writer.put(self._gathered)
        self._gathered = []

    async def stop(self) -> None:
        """Land what was handed in, then end the writer."""
        self._hand_over()
        self._stopping = True
        await self._writer.stop()

    def _land(self, batch: list[Pending]) -> Results:
        return self._commit([entry for entry, _ in batch])

    def _commit(self, entries: list[Entry]) -> Results:
        try:
            return [*self._store.commit(entries)]
        except StoreError as error:
            return [error] * len(entries)
        except Exception as error:  # noqa: BLE001 - told to whoever handed the entry in
            if len(entries) == 1:
                return [error]
            # One entry breaks the store's invariants. The others must not go down with it.
            return [result for entry in entries for result in self._commit([entry])]

    def _tell(self, batch: list[Pending], results: Results, duration_us: int) -> None:
        if any(isinstance(result, Outcome) for result in results):
            self._observer.commit_landed(entries=len(batch), duration_us=duration_us)
        assert len(batch) == len(results), "a store answers every entry"
        for (_, came), result in zip(batch, results, strict=True):
            try:
                came(result)
            except Exception as error:  # noqa: BLE001 - one entry's trouble is not the others'
                self._observer.fault("telling what has landed", error)
