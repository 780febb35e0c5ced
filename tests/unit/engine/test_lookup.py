"""Finding instances: in memory or in the store, and in the order in which they are asked for."""

import asyncio
from threading import Event

from perdure.core.requests import Reason, Refusal
from perdure.store.port import Snapshot
from tests.kit.answers import complete
from tests.kit.house import House
from tests.kit.shaky_store import ShakyStore


class _SlowToFind(ShakyStore):
    """Its first snapshot takes until it may end."""

    def __init__(self) -> None:
        super().__init__()
        self.waits = Event()
        self.may_end = Event()

    def snapshot(self, instance: str | int) -> Snapshot | None:
        found = super().snapshot(instance)
        if not self.waits.is_set():
            self.waits.set()
            self.may_end.wait()
        return found


async def test_events_to_an_evicted_instance_keep_their_order() -> None:
    """P6: also if they come so fast that the first one is still being looked for."""
    store = _SlowToFind()
    async with House(store, residents_max=1) as house:
        await house.start("a")
        await house.start("b")
        assert house.engine.resident("a") is None
        names = [f"e{number}" for number in range(5)]
        first = house.soon(house.raise_event("a", names[0]))
        await house.blocking(store.waits.wait)
        others = [house.soon(house.raise_event("a", name)) for name in names[1:]]
        # Whatever the others would have read and written by themselves would be done by now.
        for _ in range(10):
            await house.engine.read(lambda _: None)
        await house.terminate("b")
        store.may_end.set()
        await asyncio.gather(first, *others)
        worker = house.worker()
        turn = await worker.turn()
        assert turn.raised() == names
        await worker.decide(turn, complete(0))


async def test_who_asks_for_nobody_holds_up_nobody() -> None:
    async with House() as house:
        missing = Refusal(Reason.NOT_FOUND, "no such instance exists")
        asked = [house.raise_event("a", f"e{number}") for number in range(20)]
        assert await asyncio.gather(*asked) == [missing] * 20
        await house.start("a")
        assert await house.raise_event("a", "e") != missing
