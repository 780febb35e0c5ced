"""Several nodes on one store: who does what, and that each hears of what the others have done."""

from perdure.base.time import HOUR_US, SECOND_US
from perdure.core import requests as rq
from perdure.core.events import EventRaised
from perdure.core.status import Status
from perdure.store.partitions import PARTITIONS
from perdure.wire.generated.work_pb2 import Action
from tests.kit.answers import child, complete, schedule, timer
from tests.kit.town import Town
from tests.kit.worker import TurnItem, hello


def _waits_for_an_event(item: TurnItem) -> list[Action]:
    raised = [e for e in (*item.known, *item.new) if isinstance(e, EventRaised)]
    return [complete(1, raised[0].input)] if raised else []


async def test_partitions_are_shared_by_the_nodes_that_have_workers() -> None:
    async with Town("ann", "ben", "eve") as town:
        town["ann"].worker().work(hello)
        town["ben"].worker().work(hello)
        await town.spread()
        of_ann, of_ben = town["ann"].owned(), town["ben"].owned()
        assert len(of_ann) == len(of_ben) == PARTITIONS // 2
        assert not of_ann & of_ben
        assert not town["eve"].owned()
        assert [house.keeps_house for house in town.there] == [True, False, False]
        for number in range(20):
            await town["eve"].start(f"w{number}", input=f"{number}")
        for number in range(20):
            view = await town["eve"].finished(f"w{number}")
            assert (view.status, view.output) == (Status.COMPLETED, f"{number}")
        run = [len(town[name].workers[0].activities_run) for name in ("ann", "ben")]
        assert sum(run) == 20
        assert min(run) > 0


async def test_the_owner_is_woken_by_what_others_land() -> None:
    async with Town("ann", "ben") as town:
        town["ann"].worker().work(_waits_for_an_event)
        await town.spread()
        await town["ben"].start("a")
        await town.settle()
        assert (await town["ben"].view("a")).status is Status.RUNNING
        await town["ben"].raise_event("a", "go", "x")
        assert (await town["ben"].finished("a")).output == "x"
        assert (await town["ann"].view("a")).output == "x"


async def test_terminating_and_purging_from_any_node() -> None:
    async with Town("ann", "ben") as town:
        worker = await town.begun("a", at="ann")
        turn = await worker.turn()
        await town["ben"].terminate("a", "over")
        assert (await town["ben"].finished("a")).output == "over"
        await worker.decide(turn, schedule(1))
        await town.settle()
        assert await town["ann"].status("a") is Status.TERMINATED
        await town["ben"].purge("a")
        assert await town["ann"].component.get("a") is None


async def test_purging_by_force_what_runs_elsewhere() -> None:
    async with Town("ann", "ben") as town:
        worker = await town.begun("a", at="ann")
        await worker.decide(await worker.turn(), schedule(1), schedule(2))
        await worker.activity()
        await town["ben"].purge("a", force=True)
        await town.settle()
        assert town["ann"].engine.resident("a") is None


async def test_terminating_where_nobody_has_workers() -> None:
    async with Town("ann", "ben") as town:
        await town["ben"].start("a")
        await town["ben"].terminate("a", "over")
        await town.settle()
        assert await town["ann"].status("a") is Status.TERMINATED
        assert (await town["ben"].finished("a")).output == "over"


async def test_another_apps_activity_runs_at_another_node() -> None:
    async with Town("ann", "ben") as town:
        worker, banker = town["ann"].worker(), town["ben"].worker("bank")
        await town.spread()
        await town["ann"].start("a")
        await worker.decide(await worker.turn(), schedule(1, "pay", "5", app="bank"))
        await banker.finish(await banker.activity(), "paid")
        turn = await worker.turn()
        assert turn.has_kind("TaskCompleted")
        await worker.decide(turn, complete(2, "done"))
        assert (await town["ben"].finished("a")).output == "done"


async def test_children_and_their_parents_are_wherever_their_ids_are() -> None:
    async with Town("ann", "ben") as town:

        def code(item: TurnItem) -> list[Action]:
            if item.instance_id != "parent":
                return [complete(1, item.instance_id)]
            if not item.known:
                return [child(n, f"child-{n}") for n in range(1, 9)]
            done = sum(type(e).__name__ == "ChildCompleted" for e in (*item.known, *item.new))
            return [complete(9, str(done))] if done == 8 else []

        town["ann"].worker().work(code)
        town["ben"].worker().work(code)
        await town.spread()
        assert {town.owner_of(f"child-{n}").name for n in range(1, 9)} == {"ann", "ben"}
        await town["ann"].start("parent")
        assert (await town["ben"].finished("parent")).output == "8"


async def test_timers_fire_at_the_owner() -> None:
    async with Town("ann", "ben") as town:
        worker = town["ann"].worker()
        await town.spread()
        await town["ben"].start("a")
        at_us = town["ann"].clock.now_us() + 30 * SECOND_US
        await worker.decide(await worker.turn(), timer(1, at_us))
        await town.pass_time(31 * SECOND_US)
        turn = await worker.turn()
        assert turn.has_kind("TimerFired")
        await worker.decide(turn, complete(2))


async def test_a_start_for_later_begins_at_its_time() -> None:
    async with Town("ann", "ben") as town:
        worker = town["ann"].worker()
        await town.spread()
        at_us = town["ann"].clock.now_us() + 20 * SECOND_US
        await town["ben"].start("a", scheduled_start_us=at_us)
        await town.settle()
        assert not worker.waiting
        await town.pass_time(21 * SECOND_US)
        await worker.decide(await worker.turn(), complete(1))


async def test_rerun_from_any_node() -> None:
    async with Town("ann", "ben") as town:
        town["ann"].worker().work(hello)
        await town.spread()
        await town["ann"].start("a", input="x")
        await town["ann"].finished("a")
        told = await town["ben"].component.rerun(rq.Rerun(source_id="a", event_id=1, new_id="b"))
        assert not isinstance(told, rq.Refusal), told
        assert (await town["ben"].finished("b")).output == "x"


async def test_a_time_out_of_a_wait_elsewhere() -> None:
    async with Town("ann", "ben") as town:
        await town["ann"].start("a")
        wait = town["ben"].soon(
            town["ben"].component.wait("a", finished=True, timeout_us=2 * SECOND_US)
        )
        await town.pass_time(3 * SECOND_US)
        view = await wait
        assert view is not None
        assert view.status is Status.PENDING


async def test_retention_is_done_by_whoever_keeps_the_house() -> None:
    kept = {Status.COMPLETED: HOUR_US}
    async with Town("ann", "ben", retention_us=kept) as town:
        town["ben"].worker().work(hello)
        await town.spread()
        await town["ben"].start("a", input="x")
        await town["ben"].finished("a")
        town["ann"].clock.advance(HOUR_US)
        await town.spread()
        assert await town["ben"].component.get("a") is None
