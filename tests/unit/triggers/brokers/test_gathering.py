"""Acknowledgements gather while others are on their way."""

import asyncio

import pytest

from perdure.triggers.brokers.gathering import Gathering


async def test_what_comes_during_a_flush_goes_with_the_next() -> None:
    batches: list[list[int]] = []
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def flush(items: list[int]) -> None:
        batches.append(items)
        begun.set()
        await go_on.wait()

    gathering = Gathering(flush)
    running = asyncio.create_task(gathering.run())
    first = asyncio.create_task(gathering.add(1))
    await begun.wait()
    rest = [asyncio.create_task(gathering.add(number)) for number in (2, 3, 4)]
    await asyncio.sleep(0)
    assert not first.done()
    go_on.set()
    await asyncio.gather(first, *rest)
    assert batches == [[1], [2, 3, 4]]
    running.cancel()


async def test_a_flush_that_fails_is_told_to_those_who_wait_and_to_the_session() -> None:
    async def flush(_items: list[int]) -> None:
        raise ConnectionError("gone")

    gathering = Gathering(flush)
    running = asyncio.create_task(gathering.run())
    with pytest.raises(ConnectionError, match="gone"):
        await gathering.add(1)
    with pytest.raises(ConnectionError, match="gone"):
        await running
