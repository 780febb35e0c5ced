"""Stores swept of what has been kept long enough: when something is due, and when that changes."""

import asyncio
from collections.abc import Awaitable, Callable

from perdure.base.errors import StoreError
from perdure.base.limits import LAND_RETRY_LONGEST_US
from perdure.base.observer import Observer
from perdure.base.time import SECOND_US


async def sweep_on(
    sweep: Callable[[], Awaitable[int]], changed: asyncio.Event, observer: Observer, what: str
) -> None:
    """Sweep until cancelled: again after the microseconds that a sweep returns, or on a change.

    A store that cannot be asked is told of as `what`, and asked again after a while.
    """
    while True:
        changed.clear()
        try:
            pause_us = await sweep()
        except StoreError as error:
            observer.fault(what, error)
            pause_us = LAND_RETRY_LONGEST_US
        try:
            async with asyncio.timeout(pause_us / SECOND_US):
                await changed.wait()
        except TimeoutError:
            continue
