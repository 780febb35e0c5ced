"""Long polls, which end when the caller goes away, may have gone, or the server stops."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request

from perdure.api.http.serving import has_closed
from perdure.api.http.settings import Call
from perdure.base.errors import ShuttingDown

Answer = TypeVar("Answer")


class NotAwaited(Exception):
    """The caller may have gone: it is told how things stand, in case it has not."""


async def wait_for(call: Call, work: Coroutine[Any, Any, Answer]) -> Answer:
    """Return what `work` returns.

    Cancels it and raises ClientDisconnect if the caller leaves, NotAwaited if it closes its side of
    the connection, ShuttingDown if the server stops.
    The request's body must have been read, or must not matter.
    """
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_gone(call.request))
    closing = asyncio.ensure_future(has_closed(call.request))
    stopping = asyncio.ensure_future(call.door.stopping.wait())
    all_of_them: set[asyncio.Future[Any]] = {working, leaving, closing, stopping}
    try:
        await asyncio.wait(all_of_them, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        if leaving.done():
            raise ClientDisconnect
        if closing.done():
            raise NotAwaited
        raise ShuttingDown("the server is stopping")
    finally:
        for task in all_of_them:
            task.cancel()
        await asyncio.gather(*all_of_them, return_exceptions=True)


async def _gone(request: Request) -> None:
    message = await request.receive()
    while message["type"] != "http.disconnect":
        message = await request.receive()
