"""Turns that are handed out while their cause is on its way to the disk."""

import asyncio

import pytest

from perdure.base.errors import StoreFailed, WorkerFault
from perdure.base.limits import LAND_ATTEMPTS_MAX
from perdure.base.time import SECOND_US
from perdure.core.events import TaskCompleted
from perdure.core.status import Status
from tests.kit.answers import complete, schedule, timer, turn_answer
from tests.kit.house import House
from tests.kit.worker import ActivityItem, TurnItem, Worker


async def at_an_activity(house: House, worker: Worker, *ids: int) -> list[ActivityItem]:
    """Start an instance that waits for activities, and return them."""
    await house.start("a")
    await worker.decide(await worker.turn(), *(schedule(number) for number in ids))
    return [await worker.activity() for _ in ids]


async def early(house: House, worker: Worker) -> tuple[TurnItem, "asyncio.Task[None]"]:
    """Return a turn whose cause is held on its way to the disk, and the landing of that."""
    (activity,) = await at_an_activity(house, worker, 1)
    house.store.hold_commits()
    landing = asyncio.create_task(worker.finish(activity, "done"))
    turn = await worker.turn()
    return turn, landing


def results(item: TurnItem) -> list[str | None]:
    return [event.result for event in item.new if isinstance(event, TaskCompleted)]


async def test_a_turn_is_handed_out_before_its_cause_is_on_disk() -> None:
    async with House() as house:
        worker = house.worker()
        turn, landing = await early(house, worker)
        assert results(turn) == ["done"]
        assert house.on_disk("a").inbox_length == 0
        house.store.let_commits_go()
        await landing
        await worker.decide(turn, complete(2, "x"))
        assert (await house.view("a")).output == "x"


async def test_an_early_answer_lands_after_its_cause() -> None:
    async with House() as house:
        worker = house.worker()
        turn, landing = await early(house, worker)
        deciding = asyncio.create_task(worker.decide(turn, complete(2, "x")))
        for _ in range(20):
            await asyncio.sleep(0)
        assert not deciding.done()
        assert await house.status("a") is Status.RUNNING
        house.store.let_commits_go()
        await landing
        await deciding
        assert house.kinds("a")[-2:] == ["TaskCompleted", "ExecutionCompleted"]
        assert (await house.view("a")).output == "x"


async def test_an_early_answer_that_breaks_the_protocol_is_refused_to_its_face() -> None:
    async with House() as house:
        worker = house.worker()
        turn, landing = await early(house, worker)
        with pytest.raises(WorkerFault):
            await worker.decide(turn, schedule(1), schedule(1))
        house.store.let_commits_go()
        await landing
        await house.pass_minutes()
        again = await worker.turn()
        assert results(again) == ["done"]
        await worker.decide(again, complete())


async def test_a_second_early_answer_is_dropped() -> None:
    async with House() as house:
        worker = house.worker()
        turn, landing = await early(house, worker)
        deciding = asyncio.create_task(worker.decide(turn, complete(2, "first")))
        await asyncio.sleep(0)
        await worker.decide(turn, complete(2, "second"))
        house.store.let_commits_go()
        await asyncio.gather(landing, deciding)
        assert (await house.view("a")).output == "first"


@pytest.mark.parametrize("answered", [True, False])
async def test_a_turn_whose_cause_does_not_land_never_was(answered: bool) -> None:
    async with House() as house:
        house.expected_faults = ("landing",)
        worker = house.worker()
        (activity,) = await at_an_activity(house, worker, 1)
        house.store.fail_commits(LAND_ATTEMPTS_MAX)
        landing = asyncio.create_task(worker.finish(activity, "lost"))
        turn = await worker.turn()
        deciding = None
        if answered:
            deciding = asyncio.create_task(worker.decide(turn, complete(2, "of what was lost")))
        while not landing.done():
            await house.pass_time(10 * SECOND_US)
        assert isinstance(landing.exception(), StoreFailed)
        await house.pass_minutes()
        if deciding is not None:
            await deciding
        await worker.decide(turn, complete(2, "late"))
        assert await house.status("a") is Status.RUNNING
        await worker.finish(await worker.activity(), "of the second run")
        again = await worker.turn()
        assert results(again) == ["of the second run"]
        await worker.decide(again, complete(2, "right"))
        assert (await house.view("a")).output == "right"


@pytest.mark.parametrize("answered", [True, False])
async def test_a_restart_goes_on_from_what_is_on_disk(answered: bool) -> None:
    async with House() as house:
        house.expected_faults = ("landing", "moving")
        worker = house.worker()
        (activity,) = await at_an_activity(house, worker, 1)
        house.store.power_fails_after(0)
        landing = asyncio.create_task(worker.finish(activity, "lost"))
        turn = await worker.turn()
        if answered:
            await house.engine.complete_turn(
                turn_answer("a", complete(2, "never"), token=turn.token)
            )
        await house.restart()
        await asyncio.gather(landing, return_exceptions=True)
        other = house.worker()
        await other.finish(await other.activity(), "again")
        item = await other.turn()
        assert results(item) == ["again"]
        await other.decide(item, complete())


async def test_a_worker_that_leaves_has_its_early_turn_done_by_another() -> None:
    async with House() as house:
        gone = house.worker()
        turn, landing = await early(house, gone)
        gone.leave()
        other = house.worker()
        again = await other.turn()
        assert again.new_bytes == turn.new_bytes
        house.store.let_commits_go()
        await asyncio.gather(landing, return_exceptions=True)
        await other.decide(again, complete(2, "x"))
        assert (await house.view("a")).output == "x"


@pytest.mark.parametrize("answered", [True, False])
async def test_a_termination_meanwhile_is_in_force(answered: bool) -> None:
    async with House() as house:
        worker = house.worker()
        turn, landing = await early(house, worker)
        ending = asyncio.create_task(house.terminate("a", "stopped"))
        if answered:
            await house.engine.complete_turn(turn_answer("a", schedule(2), token=turn.token))
        await asyncio.sleep(0)
        house.store.let_commits_go()
        await asyncio.gather(landing, ending)
        await house.settle()
        view = await house.view("a")
        assert (view.status, view.output) == (Status.TERMINATED, "stopped")


async def test_a_purge_meanwhile_leaves_nothing() -> None:
    async with House() as house:
        worker = house.worker()
        turn, landing = await early(house, worker)
        purging = asyncio.create_task(house.purge("a", force=True))
        deciding = asyncio.create_task(worker.decide(turn, schedule(2)))
        await asyncio.sleep(0)
        house.store.let_commits_go()
        await asyncio.gather(landing, purging, deciding)
        await house.settle()
        assert await house.component.get("a") is None
        assert house.store.tasks(0, 10) == ()


async def test_what_comes_meanwhile_waits_for_the_next_turn() -> None:
    async with House() as house:
        worker = house.worker()
        turn, landing = await early(house, worker)
        raising = asyncio.create_task(house.raise_event("a", "meanwhile"))
        deciding = asyncio.create_task(worker.decide(turn, schedule(2)))
        await asyncio.sleep(0)
        house.store.let_commits_go()
        await asyncio.gather(landing, raising, deciding)
        items = [await worker.take(), await worker.take()]
        (nxt,) = [item for item in items if isinstance(item, TurnItem)]
        assert nxt.raised() == ["meanwhile"]
        await worker.decide(nxt, complete())


async def test_results_of_activities_side_by_side_are_not_handed_out_one_by_one() -> None:
    async with House() as house:
        worker = house.worker()
        activities = await at_an_activity(house, worker, 1, 2, 3)
        house.store.hold_commits()
        landings = [asyncio.create_task(worker.finish(each, "done")) for each in activities]
        await asyncio.sleep(0)
        assert not worker.waiting
        house.store.let_commits_go()
        await asyncio.gather(*landings)
        came: list[str | None] = []
        while len(came) < len(activities):
            turn = await worker.turn()
            came += results(turn)
            await worker.decide(turn, *([complete(4)] if len(came) == len(activities) else []))
        assert await house.status("a") is Status.COMPLETED


async def test_one_that_waits_for_something_else_besides_is_not_early() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        due_us = house.clock.now_us() + 10**9
        await worker.decide(await worker.turn(), schedule(1), timer(2, due_us))
        activity = await worker.activity()
        house.store.hold_commits()
        landing = asyncio.create_task(worker.finish(activity, "done"))
        await asyncio.sleep(0)
        assert not worker.waiting
        house.store.let_commits_go()
        await landing
        await worker.decide(await worker.turn(), complete())


@pytest.mark.parametrize("how", ["suspended", "no room", "events in the inbox"])
async def test_only_an_idle_instance_has_early_turns(how: str) -> None:
    async with House() as house:
        worker = house.worker(turns_max=1) if how == "no room" else house.worker()
        (activity,) = await at_an_activity(house, worker, 1)
        if how == "suspended":
            await house.suspend("a")
        elif how == "no room":
            await house.start("b")
            busy = await worker.turn()
        else:
            await house.raise_event("a", "first")
            first = await worker.turn()
        house.store.hold_commits()
        landing = asyncio.create_task(worker.finish(activity, "done"))
        await asyncio.sleep(0)
        assert not worker.waiting
        house.store.let_commits_go()
        await landing
        if how == "suspended":
            await house.resume("a")
        elif how == "no room":
            await worker.decide(busy, complete())
        else:
            await worker.decide(first)
        last = await worker.turn()
        assert results(last) == ["done"]
        await worker.decide(last, complete())
