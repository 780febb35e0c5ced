"""Calls that wait, ended by an outcome, by the client or by the server's stop."""

import asyncio
from typing import Any

import pytest

from perdure.api.grpc.waits import Waits
from perdure.base.errors import ShuttingDown


async def _outcome(future: "asyncio.Future[str]") -> str:
    return await future


async def _begun(waits: Waits, future: "asyncio.Future[str]") -> "asyncio.Task[str]":
    task = asyncio.create_task(waits.until(_outcome(future)))
    await asyncio.sleep(0)
    return task


def _future() -> "asyncio.Future[Any]":
    return asyncio.get_running_loop().create_future()


async def test_an_outcome() -> None:
    waits, future = Waits(), _future()
    task = await _begun(waits, future)
    future.set_result("done")
    assert await task == "done"


async def test_the_stop_ends_those_who_wait() -> None:
    waits = Waits()
    tasks = [await _begun(waits, _future()) for _ in range(3)]
    waits.end()
    for task in tasks:
        with pytest.raises(ShuttingDown):
            await task
        assert task.cancelling() == 0


async def test_nobody_waits_after_the_stop() -> None:
    waits = Waits()
    waits.end()
    with pytest.raises(ShuttingDown):
        await waits.until(_outcome(_future()))


async def test_a_client_that_goes_cancels_as_ever() -> None:
    waits, future = Waits(), _future()
    task = await _begun(waits, future)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_client_that_goes_while_the_server_stops() -> None:
    waits, future = Waits(), _future()
    task = await _begun(waits, future)
    waits.end()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
