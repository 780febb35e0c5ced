"""Several nodes: a worker hears that nobody wants its activity, wherever that was decided."""

import pytest

from perdure.base.time import SECOND_US
from tests.kit.answers import complete, schedule
from tests.kit.house import APP
from tests.kit.town import Town
from tests.kit.worker import ActivityItem, Worker

BANK = "bank"


@pytest.mark.parametrize("how", ["terminate", "purge", "terminate and purge", "start again"])
@pytest.mark.parametrize("asked", ["ann", "ben"])
async def test_the_worker_of_an_instance_hears_what_any_node_was_asked(
    asked: str, how: str
) -> None:
    async with Town("ann", "ben") as town:
        worker = town["ann"].worker(recalls=True)
        await town.spread()
        await town["ann"].start("a")
        await worker.decide(await worker.turn(), schedule(1), schedule(2))
        first, second = await worker.activity(), await worker.activity()
        await worker.finish(second, "kept")
        await worker.decide(await worker.turn())
        await _end(town, asked, how)
        assert worker.recalled == [first.token]
        await worker.finish(first, "too late")


@pytest.mark.parametrize("how", ["terminate", "purge", "terminate and purge", "start again"])
@pytest.mark.parametrize("asked", ["ann", "ben"])
async def test_the_worker_of_another_app_at_another_node_hears_it_too(asked: str, how: str) -> None:
    async with Town("ann", "ben") as town:
        _, banker, paying = await _paying(town)
        await _end(town, asked, how)
        assert banker.recalled == [paying.token]
        await banker.finish(paying, "too late")


async def test_it_hears_it_though_the_news_was_lost() -> None:
    async with Town("ann", "ben") as town:
        _, banker, paying = await _paying(town)
        town["ben"].store.deaf = True
        await town["ann"].terminate("a")
        town["ben"].store.deaf = False
        await town.pass_time(25 * SECOND_US)
        assert banker.recalled == [paying.token]


async def test_what_another_node_runs_again_is_recalled_at_the_one_that_has_lost_it() -> None:
    """Its answer would be dropped: the activity is handed out anew under another's lease."""
    async with Town("ann", "ben") as town:
        worker = town["ann"].worker(recalls=True)
        await town.spread()
        await town["ann"].start("a")
        await worker.decide(await worker.turn(), schedule(1))
        lost = await worker.activity()
        town["ann"].cut()
        other = town["ben"].worker()
        await town.pass_time(20 * SECOND_US)
        again = await other.activity()
        assert (again.instance_id, again.task_id) == ("a", 1)
        assert worker.recalled == [lost.token]
        town["ann"].mend()
        await other.finish(again, "x")
        await other.decide(await other.turn(), complete(2, "x"))
        assert (await town["ben"].finished("a")).output == "x"


async def test_what_goes_on_is_not_recalled() -> None:
    async with Town("ann", "ben") as town:
        worker, banker, paying = await _paying(town)
        await town["ben"].raise_event("a", "other")
        await town["ben"].suspend("a")
        await town["ann"].resume("a")
        await town.pass_time(25 * SECOND_US)
        assert not banker.recalled
        await banker.finish(paying, "paid")
        turns = [await worker.turn()]
        await worker.decide(turns[-1])
        while not turns[-1].has_kind("TaskCompleted"):
            turns.append(await worker.turn())
            await worker.decide(turns[-1])


async def _paying(town: Town) -> tuple[Worker, Worker, ActivityItem]:
    """Return the worker of a workflow at ann, and at ben that of the bank, which is at its work."""
    worker, banker = town["ann"].worker(), town["ben"].worker(BANK, recalls=True)
    await town.spread()
    await town["ann"].start("a")
    await worker.decide(await worker.turn(), schedule(1, "pay", app=BANK))
    return worker, banker, await banker.activity()


async def _end(town: Town, asked: str, how: str) -> None:
    house = town[asked]
    if "terminate" in how:
        await house.terminate("a", "over")
    if "purge" in how:
        await house.purge("a", force=how == "purge")
    if how == "start again":
        await house.terminate("a", "over")
        await house.finished("a")
        await house.start("a", replace_finished=True)
    await town.settle()
    assert town.owner_of("a", APP).name == "ann"
