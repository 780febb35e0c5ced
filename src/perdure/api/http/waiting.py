"""Long polls, which end when the caller goes away or the server stops."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request

from perdure.api.http.settings import Call
from perdure.base.errors import ShuttingDown

Answer = TypeVar("Answer")


async def wait_for(call: Call, work: Coroutine[Any, Any, Answer]) -> Answer:
    """Return what `work` returns.

    Cancels it and raises ClientDisconnect if the caller leaves, ShuttingDown if the server stops.
    The request's body must have been read, or must not matter.
    """
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_gone(call.request))
    stopping = asyncio.ensure_future(call.door.stopping.wait())
    try:
        await asyncio.wait({working, leaving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        if leaving.done():
            raise ClientDisconnect
        raise ShuttingDown("the server is stopping")
    finally:
        for task in (working, leaving, stopping):
            task.cancel()
        await asyncio.gather(working, leaving, stopping, return_exceptions=True)


async def _gone(request: Request) -> None:
    message = await request.receive()
    while message["type"] != "http.disconnect":
        message = await request.receive()
