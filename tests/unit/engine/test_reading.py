"""Reads of the store: whoever waits for one when the engine stops is told so."""

import asyncio
import threading

import pytest

from perdure.base.errors import ShuttingDown
from perdure.base.observer import NullObserver
from perdure.engine.reading import Reader
from perdure.store.memory import MemoryStore
from perdure.store.port import Store

DEADLINE_S = 60.0


class Held:
    """A question that is not answered before it is let go."""

    def __init__(self) -> None:
        self.begun, self.go = threading.Event(), threading.Event()

    def __call__(self, store: Store) -> int:
        self.begun.set()
        assert self.go.wait(DEADLINE_S)
        return len(store.counts())


async def test_a_stop_lets_reads_end_and_tells_those_that_have_not_begun() -> None:
    reader = Reader(MemoryStore(), NullObserver(), threads=1)
    held = Held()
    first = asyncio.create_task(reader.read(held))
    assert await asyncio.to_thread(held.begun.wait, DEADLINE_S)
    second = asyncio.create_task(reader.read(lambda store: len(store.counts())))
    await asyncio.sleep(0)
    stopping = asyncio.create_task(asyncio.to_thread(reader.stop))
    with pytest.raises(ShuttingDown, match="has stopped"):
        await second
    held.go.set()
    assert await first == 0
    await stopping
    with pytest.raises(ShuttingDown, match="has stopped"):
        await reader.read(lambda store: len(store.counts()))


async def test_whoever_is_cancelled_itself_is_cancelled() -> None:
    reader = Reader(MemoryStore(), NullObserver(), threads=1)
    held = Held()
    asking = asyncio.create_task(reader.read(held))
    assert await asyncio.to_thread(held.begun.wait, DEADLINE_S)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    held.go.set()
    reader.stop()
