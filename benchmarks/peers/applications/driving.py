"""The load, the same for every engine: orders come as JSON lines, and so do the answers.

It uses the standard library alone, since it runs in the environment of each engine's own client.
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any, Protocol


class Client(Protocol):
    """What an engine's own client must be able to do."""

    async def run(self, instance_id: str, workflow: str, value: Any) -> Any:
        """Start an instance, wait for its end and return what it returned."""
        ...

    async def begin(self, instance_id: str) -> None:
        """Start an instance that waits for an event, and do not wait for it."""
        ...

    async def wake(self, instance_id: str) -> Any:
        """Send a waiting instance its event, wait for its end and return what it returned."""
        ...


Order = dict[str, Any]
Answer = dict[str, Any]
WAITED = "gone"


async def _spread(order: Order, act: Callable[[int], Awaitable[None]]) -> list[float]:
    """Do `act` for each number, so many at a time, until all are done or the time is up."""
    numbers = iter(range(order["first"], order["first"] + order["count"]))
    latencies: list[float] = []
    end = time.perf_counter() + order["seconds"]

    async def one_after_the_other() -> None:
        for number in numbers:
            began = time.perf_counter()
            await act(number)
            latencies.append(time.perf_counter() - began)
            if time.perf_counter() > end:
                return

    await asyncio.gather(*(one_after_the_other() for _ in range(order["in_flight"])))
    return latencies


async def _obey(client: Client, order: Order) -> Answer:
    prefix = order["prefix"]

    async def run(number: int) -> None:
        result = await client.run(f"{prefix}-{number}", order["workflow"], order["value"])
        assert result == order["expected"], f"{prefix}-{number} returned {result!r}"

    async def begin(number: int) -> None:
        await client.begin(f"{prefix}-{number}")

    async def wake(number: int) -> None:
        result = await client.wake(f"{prefix}-{number}")
        assert result == WAITED, f"{prefix}-{number} returned {result!r}"

    began = time.perf_counter()
    latencies = await _spread(order, {"run": run, "begin": begin, "wake": wake}[order["do"]])
    return {"duration_s": time.perf_counter() - began, "latencies_s": latencies}


async def serve(client: Client) -> None:
    """Say "ready", then obey the orders on standard input until it closes."""
    print(json.dumps({"ready": True}), flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps(await _obey(client, json.loads(line))), flush=True)
