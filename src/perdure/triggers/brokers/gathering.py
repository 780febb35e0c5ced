"""Acknowledging many messages at once: while one batch is on its way, the next gathers."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Gathering(Generic[T]):
    """What was added goes to `flush` in batches; `run` has to run beside the session."""

    def __init__(self, flush: Callable[[list[T]], Awaitable[None]]) -> None:
        self._flush = flush
        self._items: list[tuple[T, asyncio.Future[None]]] = []
        self._some = asyncio.Event()

    async def add(self, item: T) -> None:
        """Return when the batch with `item` was flushed; raises what its flush raised."""
        flushed = asyncio.get_running_loop().create_future()
        self._items.append((item, flushed))
        self._some.set()
        await flushed

    async def run(self) -> None:
        """Flush until cancelled; raises what a flush raises, after those who wait were told."""
        while True:
            await self._some.wait()
            self._some.clear()
            batch, self._items = self._items, []
            try:
                await self._flush([item for item, _ in batch])
            except Exception as error:
                _tell(batch, error)
                raise
            _tell(batch, None)


def _tell(batch: list[tuple[T, asyncio.Future[None]]], error: Exception | None) -> None:
    for _, flushed in batch:
        if flushed.done():
            continue
        if error is None:
            flushed.set_result(None)
        else:
            flushed.set_exception(error)
