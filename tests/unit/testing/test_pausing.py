"""A coroutine that tells when it waits does all else as it would."""

import asyncio
from collections.abc import Generator
from typing import cast

import pytest

from perdure.testing.pausing import pausing


async def test_each_wait_is_told_and_the_result_is_what_it_was() -> None:
    waits: list[int] = []
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def work() -> int:
        await asyncio.sleep(0)
        return await future

    asyncio.get_running_loop().call_soon(future.set_result, 7)
    assert await pausing(work(), lambda: waits.append(1)) == 7
    assert len(waits) >= 1


async def test_what_is_thrown_in_reaches_the_work() -> None:
    seen: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(pausing(work(), lambda: None), 0.001)
    assert seen == ["cancelled"]


async def test_an_error_of_the_work_comes_out() -> None:
    async def work() -> None:
        await asyncio.sleep(0)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await pausing(work(), lambda: None)


def test_one_that_is_closed_closes_the_work() -> None:
    closed: list[bool] = []

    async def work() -> None:
        try:
            await asyncio.sleep(0)
        finally:
            closed.append(True)

    steps = cast("Generator[None, None, None]", pausing(work(), lambda: None))
    steps.send(None)
    steps.close()
    assert closed == [True]
