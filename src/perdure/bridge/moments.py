"""Time as a Temporal workflow knows it: a replay comes to the same again."""

from datetime import timedelta
from typing import Final

from temporalio import workflow

_NANOSECONDS_A_US: Final = 1_000


def now_us() -> int:
    """Return the time of the present step; in a replay the same again."""
    return workflow.time_ns() // _NANOSECONDS_A_US


async def sleep_until(at_us: int) -> None:
    """Return at a time, or at once if that is over."""
    wait_us = at_us - now_us()
    if wait_us > 0:
        await workflow.sleep(timedelta(microseconds=wait_us))
