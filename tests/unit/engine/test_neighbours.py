"""Several nodes on one store: who does what, and that each hears of what the others have done."""

from perdure.base.limits import NEIGHBOURS_POLL_US
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


async def test_suspending_and_resuming_from_any_node() -> None:
    async with Town("ann", "ben") as town:
        worker = town["ann"].worker()
        await town.spread()
        await town["ann"].start("a")
        await worker.decide(await worker.turn())
        await town["ben"].suspend("a")
        await town["ben"].raise_event("a", "go", "x")
        await town.settle()
        assert not worker.waiting, "it is suspended"
        assert await town["ann"].status("a") is Status.SUSPENDED
        await town["ben"].resume("a")
        turn = await worker.turn()
        await worker.decide(turn, complete(1))
        assert (await town["ben"].finished("a")).status is Status.COMPLETED


async def test_a_suspension_of_which_the_owner_has_not_heard_is_in_force() -> None:
    """A turn that was handed out after the suspension was acknowledged has landed."""
    async with Town("ann", "ben") as town:
        worker = town["ann"].worker()
        await town.spread()
        await town["ann"].start("a")
        await worker.decide(await worker.turn(), schedule(1))
        activity = await worker.activity()
        town["ann"].store.deaf = True
        await town["ben"].suspend("a")
        await worker.finish(activity)
        turn = await worker.turn()
        town["ann"].store.deaf = False
        await worker.decide(turn, complete(2, "too early"))
        await town.settle()
        assert (await town["ben"].view("a")).status is Status.SUSPENDED
        assert not worker.waiting, "it is suspended, and the owner knows it now"
        await town["ben"].resume("a")
        await worker.decide(await worker.turn(), complete(2, "in time"))
        assert (await town["ben"].finished("a")).output == "in time"


async def test_an_event_after_a_suspension_that_was_not_heard_of_waits() -> None:
    async with Town("ann", "ben") as town:
        worker = town["ann"].worker()
        await town.spread()
        await town["ann"].start("a")
        await worker.decide(await worker.turn())
        town["ann"].store.deaf = True
        await town["ben"].suspend("a")
        await town["ann"].raise_event("a", "go", "x")
        await town.settle()
        assert not worker.waiting
        await town["ann"].resume("a")
        turn = await worker.turn()
        assert turn.names()[1:] == ["ExecutionSuspended", "EventRaised", "ExecutionResumed"]
        await worker.decide(turn, complete(1))
        assert (await town["ben"].finished("a")).status is Status.COMPLETED


async def test_a_suspension_at_the_owner_lets_what_is_out_come_to_its_end() -> None:
    async with Town("ann", "ben") as town:
        worker = town["ann"].worker()
        await town.spread()
        await town["ann"].start("a")
        turn = await worker.turn()
        await town["ann"].suspend("a")
        await worker.decide(turn)
        await town["ann"].raise_event("a", "go", "x")
        await town.settle()
        assert not worker.waiting
        await town["ann"].resume("a")
        await worker.decide(await worker.turn(), complete(1))
        assert (await town["ben"].finished("a")).status is Status.COMPLETED


async def test_whoever_is_resumed_elsewhere_has_its_activities_run() -> None:
    """Suspended at the owner and resumed elsewhere, its later activities waited for ever."""
    async with Town("ann", "ben") as town:
        worker = town["ann"].worker()
        await town.spread()
        await town["ann"].start("a")
        await worker.decide(await worker.turn())
        await town["ann"].suspend("a")
        await town["ben"].resume("a")
        await worker.decide(await worker.turn(), schedule(1))
        await worker.finish(await worker.activity())
        await worker.decide(await worker.turn(), complete(2))
        assert (await town["ben"].finished("a")).status is Status.COMPLETED


async def test_whoever_was_suspended_here_and_resumed_elsewhere_before_it_came_here_runs() -> None:
    async with Town("ann", "ben") as town:
        first = town["ann"].worker()
        await town.spread()
        await town["ann"].start("a")
        await first.decide(await first.turn())
        await town["ben"].suspend("a")
        await town["ann"].resume("a")
        await first.decide(await first.turn())
        await town["ann"].raise_event("a", "go", "x")
        await town.settle()
        second = town["ben"].worker()
        first.leave()
        town["ann"].workers.clear()
        await town.spread()
        await second.decide(await second.turn(), schedule(1))
        await second.finish(await second.activity())
        await second.decide(await second.turn(), complete(2))
        assert (await town["ann"].finished("a")).status is Status.COMPLETED


async def test_events_keep_their_order_although_the_owner_has_not_heard_of_the_first() -> None:
    """The second, which was raised at the owner, was delivered first."""
    async with Town("ann", "ben") as town:
        worker = town["ann"].worker()
        await town.spread()
        await town["ann"].start("a")
        await worker.decide(await worker.turn())
        town["ann"].store.deaf = True
        await town["ben"].raise_event("a", "go", "first")
        await town["ann"].raise_event("a", "go", "second")
        turn = await worker.turn()
        raised = [each.input for each in turn.new if isinstance(each, EventRaised)]
        assert raised == ["first", "second"]
        await town["ben"].raise_event("a", "go", "third")
        await worker.decide(turn)
        await town["ann"].raise_event("a", "go", "fourth")
        turn = await worker.turn()
        raised = [each.input for each in turn.new if isinstance(each, EventRaised)]
        assert raised == ["third", "fourth"]
        await worker.decide(turn, complete(1))
        assert (await town["ann"].finished("a")).status is Status.COMPLETED


async def test_terminating_and_purging_from_any_node() -> None:
    async with Town("ann", "ben") as town:
        worker = town["ann"].worker()
        await town.spread()
        await town["ann"].start("a")
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
        worker = town["ann"].worker()
        await town.spread()
        await town["ann"].start("a")
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


async def test_news_that_is_lost_is_made_up_for_by_looking() -> None:
    async with Town("ann", "ben") as town:
        worker = town["ann"].worker()
        await town.spread()
        await town["ann"].start("a")
        await worker.decide(await worker.turn())
        town["ann"].store.deaf = True
        await town["ben"].raise_event("a", "go", "x")
        await town.settle()
        assert not worker.waiting
        await town.pass_time(11 * SECOND_US)
        await worker.decide(await worker.turn(), complete(1))


async def test_whoever_waits_looks_now_and_then() -> None:
    async with Town("ann", "ben") as town:
        worker = town["ann"].worker()
        await town.spread()
        await town["ann"].start("a")
        town["ben"].store.deaf = True
        wait = town["ben"].soon(town["ben"].finished("a"))
        await town.settle()
        await worker.decide(await worker.turn(), complete(1, "x"))
        await town.settle()
        assert not wait.done()
        await town.pass_time(11 * SECOND_US)
        assert (await wait).output == "x"


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


async def test_an_earlier_life_that_ended_elsewhere_unheard_keeps_no_place() -> None:
    """Its turn was at a worker; the new life's took its name out of the books, not its place."""
    async with Town("ann", "ben") as town:
        worker = town["ann"].worker()
        await town.spread()
        await town["ann"].start("a")
        old = await worker.turn()
        town["ann"].store.deaf = True
        await town["ben"].purge("a", force=True)
        await town["ben"].start("a", input="new")
        town["ann"].store.deaf = False
        await town["ben"].raise_event("a", "go")
        turn = await worker.turn()
        assert (turn.input, town["ann"].engine.figures()["outstanding_turns"]) == ("new", 1)
        await worker.decide(old, complete(0, "late"))
        await worker.decide(turn, complete(0, "end"))
        assert (await town["ben"].finished("a")).output == "end"
        await town.settle()
        assert town["ann"].engine.figures()["outstanding_turns"] == 0


async def test_what_was_to_be_run_for_whoever_was_purged_unheard_is_not_run() -> None:
    async with Town("ann", "ben") as town:
        worker = town["ann"].worker(activities_max=1)
        await town.spread()
        await town["ann"].start("a")
        await worker.decide(await worker.turn(), schedule(1), schedule(2))
        first = await worker.activity()
        town["ann"].store.deaf = True
        await town["ben"].purge("a", force=True)
        await town.pass_time(NEIGHBOURS_POLL_US + SECOND_US)
        await worker.finish(first)
        await town.settle()
        assert not worker.waiting, "the second is of nobody"
        assert town["ann"].engine.figures()["ready_activities"] == 0
        town["ann"].store.deaf = False


async def test_a_suspension_is_in_force_where_its_activity_is_just_being_read() -> None:
    """Who runs it owns nothing else of the instance, and had read that it was not suspended."""
    async with Town("ann", "ben") as town:
        worker, banker = town["ann"].worker(), town["ben"].worker("bank")
        await town.spread()
        await town["ann"].start("a")
        town["ben"].store.hold_loads()
        await worker.decide(await worker.turn(), schedule(1, app="bank"))
        await town["ben"].blocking(town["ben"].store.load_waits.wait)
        await town["ben"].suspend("a")
        town["ben"].store.let_loads_go()
        await town.settle()
        assert not banker.waiting, "it is suspended"
        await town["ann"].resume("a")
        await banker.finish(await banker.activity())
        await worker.decide(await worker.turn(), complete(2))
        assert (await town["ben"].finished("a")).status is Status.COMPLETED


async def test_a_suspension_of_which_nobody_was_told_is_found_by_who_runs_the_activities() -> None:
    async with Town("ann", "ben") as town:
        worker, banker = town["ann"].worker(), town["ben"].worker("bank", activities_max=1)
        await town.spread()
        await town["ann"].start("a")
        await worker.decide(await worker.turn(), schedule(1, app="bank"), schedule(2, app="bank"))
        first = await banker.activity()
        town["ben"].store.deaf = True
        await town["ann"].suspend("a")
        await town.pass_time(NEIGHBOURS_POLL_US + SECOND_US)
        await banker.finish(first)
        await town.settle()
        assert not banker.waiting, "it is suspended"
        town["ben"].store.deaf = False
        await town["ann"].resume("a")
        await banker.finish(await banker.activity())
        await worker.decide(await worker.turn(), complete(3))
        assert (await town["ben"].finished("a")).status is Status.COMPLETED


async def test_a_resume_while_its_activity_is_just_being_read_is_in_force_at_the_next_look() -> (
    None
):
    async with Town("ann", "ben") as town:
        worker, banker = town["ann"].worker(), town["ben"].worker("bank")
        await town.spread()
        await town["ann"].start("a")
        turn = await worker.turn()
        await town["ann"].suspend("a")
        town["ben"].store.hold_loads()
        await worker.decide(turn, schedule(1, app="bank"))
        await town["ben"].blocking(town["ben"].store.load_waits.wait)
        await town["ben"].resume("a")
        town["ben"].store.let_loads_go()
        await town.pass_time(NEIGHBOURS_POLL_US + SECOND_US)
        await banker.finish(await banker.activity())
        await worker.decide(await worker.turn(), complete(2))
        assert (await town["ben"].finished("a")).status is Status.COMPLETED
