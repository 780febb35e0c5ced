"""What others have done and nobody was told of is made up for."""

from perdure.base.limits import NEIGHBOURS_POLL_US
from perdure.base.time import SECOND_US
from perdure.core.events import EventRaised
from perdure.core.status import Status
from tests.kit.answers import complete, schedule
from tests.kit.town import Town


async def test_events_keep_their_order_although_the_owner_has_not_heard_of_the_first() -> None:
    """The second, which was raised at the owner, was delivered first."""
    async with Town("ann", "ben") as town:
        worker = await town.begun("a", at="ann")
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


async def test_news_that_is_lost_is_made_up_for_by_looking() -> None:
    async with Town("ann", "ben") as town:
        worker = await town.begun("a", at="ann")
        await worker.decide(await worker.turn())
        town["ann"].store.deaf = True
        await town["ben"].raise_event("a", "go", "x")
        await town.settle()
        assert not worker.waiting
        await town.pass_time(11 * SECOND_US)
        await worker.decide(await worker.turn(), complete(1))


async def test_whoever_waits_looks_now_and_then() -> None:
    async with Town("ann", "ben") as town:
        worker = await town.begun("a", at="ann")
        town["ben"].store.deaf = True
        wait = town["ben"].soon(town["ben"].finished("a"))
        await town.settle()
        await worker.decide(await worker.turn(), complete(1, "x"))
        await town.settle()
        assert not wait.done()
        await town.pass_time(11 * SECOND_US)
        assert (await wait).output == "x"


async def test_an_earlier_life_that_ended_elsewhere_unheard_keeps_no_place() -> None:
    """Its turn was at a worker; the new life's took its name out of the books, not its place."""
    async with Town("ann", "ben") as town:
        worker = await town.begun("a", at="ann")
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
