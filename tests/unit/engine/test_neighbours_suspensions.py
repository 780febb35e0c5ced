"""Suspended and resumed at any node: it is in force at all of them."""

from perdure.base.limits import NEIGHBOURS_POLL_US
from perdure.base.time import SECOND_US
from perdure.core.status import Status
from tests.kit.answers import complete, schedule
from tests.kit.town import Town


async def test_suspending_and_resuming_from_any_node() -> None:
    async with Town("ann", "ben") as town:
        worker = await town.begun("a", at="ann")
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
        worker = await town.begun("a", at="ann")
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
        worker = await town.begun("a", at="ann")
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
        worker = await town.begun("a", at="ann")
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
        worker = await town.begun("a", at="ann")
        await worker.decide(await worker.turn())
        await town["ann"].suspend("a")
        await town["ben"].resume("a")
        await worker.decide(await worker.turn(), schedule(1))
        await worker.finish(await worker.activity())
        await worker.decide(await worker.turn(), complete(2))
        assert (await town["ben"].finished("a")).status is Status.COMPLETED


async def test_whoever_was_suspended_here_and_resumed_elsewhere_before_it_came_here_runs() -> None:
    async with Town("ann", "ben") as town:
        first = await town.begun("a", at="ann")
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
