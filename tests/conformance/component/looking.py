"""Looking again at what is a moment behind, until a deadline."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

Seen = TypeVar("Seen")
DEADLINE_S = 30.0


async def until(look: Callable[[], Awaitable[Seen]], wanted: Callable[[Seen], bool]) -> Seen:
    """Return what `look` sees once it is as wanted. Each look asks a server, so none is idle."""
    loop = asyncio.get_running_loop()
    end_s = loop.time() + DEADLINE_S
    seen = await look()
    while not wanted(seen):
        assert loop.time() < end_s, f"what is to be seen is still {seen}"
        seen = await look()
    return seen
