"""A queue that is filled from the store names instances whose turn is out: it is not taken twice.

What is read from the store is what was on disk a moment ago, so that an instance can be queued
while its turn is at a worker, or just landing. A refill happens above ten thousand ready instances;
here its push is made by hand.
"""

import pytest

from perdure.base.errors import StoreUnavailable, WorkerFault
from perdure.base.time import SECOND_US
from perdure.core.status import Status
from tests.kit.answers import complete, schedule
from tests.kit.house import APP, House


def _queued_again(house: House, instance_id: str) -> None:
    house.engine._ready.push(house.on_disk(instance_id).key, APP)  # noqa: SLF001 - as a refill does


async def test_while_its_turn_lands() -> None:
    async with House() as house:
        worker = house.worker(turns_max=1)
        await house.start("a")
        turn = await worker.turn()
        _queued_again(house, "a")
        await worker.decide(turn, schedule(1))
        await house.settle()
        assert [type(item).__name__ for item in worker.waiting] == ["ActivityItem"]
        assert house.kinds("a").count("ExecutionStarted") == 1


async def test_while_it_is_terminated() -> None:
    async with House() as house:
        worker = house.worker(turns_max=1)
        await house.start("a")
        turn = await worker.turn()
        _queued_again(house, "a")
        await house.terminate("a")
        await house.settle()
        assert not worker.waiting
        await worker.decide(turn, complete(0))
        assert house.engine.figures()["outstanding_turns"] == 0
        assert await house.status("a") is Status.TERMINATED


@pytest.mark.parametrize("end", ["purge", "suspend"])
async def test_while_it_is_purged_or_suspended(end: str) -> None:
    async with House() as house:
        worker = house.worker(turns_max=1)
        await house.start("a")
        turn = await worker.turn()
        _queued_again(house, "a")
        if end == "purge":
            await house.purge("a", force=True)
        else:
            await house.raise_event("a", "e")
            await house.suspend("a")
        await worker.decide(turn)
        await house.settle()
        assert not worker.waiting
        assert house.engine.figures()["outstanding_turns"] == 0


async def test_while_it_waits_after_a_faulty_answer() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        with pytest.raises(WorkerFault):
            await worker.decide(await worker.turn(), schedule(1), schedule(1))
        _queued_again(house, "a")
        await house.settle()
        assert not worker.waiting
        await house.pass_time(SECOND_US)
        await worker.decide(await worker.turn(), complete(0))


async def test_whoever_is_to_be_ended_is_not_handed_out_when_it_is_read_again() -> None:
    """Seed 35: its terminate is on disk, and the reply of that commit was lost."""
    async with House(residents_max=1) as house:
        await house.start("a")
        await house.start("b")
        await house.settle()
        house.store.lose_replies(1)
        with pytest.raises(StoreUnavailable):
            await house.terminate("a")
        worker = house.worker()
        assert (await house.finished("a")).status is Status.TERMINATED
        assert (await worker.turn()).instance_id == "b"
        await house.settle()
        assert not worker.waiting
