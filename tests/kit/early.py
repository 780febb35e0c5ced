"""First turns whose starts are held on their way to the disk."""

import asyncio

from tests.kit.house import House
from tests.kit.worker import TurnItem, Worker

Starting = asyncio.Task[None]


async def early(house: House, worker: Worker, instance_id: str = "a") -> tuple[TurnItem, Starting]:
    """Return a first turn whose start is held on its way to the disk, and that start."""
    house.store.hold_commits()
    starting = asyncio.create_task(house.start(instance_id))
    turn = await worker.turn()
    return turn, starting


async def breathe() -> None:
    """Let everything happen that can without the disk."""
    for _ in range(20):
        await asyncio.sleep(0)
