"""An instance overwritten in one step: nothing of its old life reaches the new one."""

import asyncio

import pytest

from perdure.base.errors import StoreFailed, StoreUnavailable
from perdure.base.time import SECOND_US
from perdure.core.deliveries import Fate, OnExisting, StartStep
from perdure.core.events import ChildFailed
from perdure.core.status import Status
from perdure.store.port import Entry
from tests.kit.answers import child, complete, schedule, timer
from tests.kit.house import House
from tests.kit.posting import post, receipts, start
from tests.kit.worker import TurnItem, hello


def anew(instance_id: str, text: str = "new") -> StartStep:
    return start(instance_id, OnExisting.RECYCLE, text)


async def test_what_is_not_there_is_started() -> None:
    async with House() as house:
        assert await post(house, "m", anew("a")) is Fate.STARTED


async def test_a_running_instance_is_ended_deleted_and_begun_anew_in_one_commit() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a", input="old")
        old = house.on_disk("a").key
        await worker.decide(await worker.turn(), schedule(1), timer(2, 10**18))
        await house.settle()
        commits = house.store.commits
        assert await post(house, "m", anew("a")) is Fate.RECYCLED
        assert house.store.commits <= commits + 2, "the start that met it, and the step itself"
        new = house.on_disk("a")
        assert new.key > old
        assert (await house.view("a")).input == "new"
        assert house.store.snapshot(old) is None
        assert house.store.tasks(0, 9) == ()
        assert house.store.next_timer_us() is None
        told = [(row.key, row.add.kind) for row in house.store.lifecycle(0, 99)]
        assert told[-3:] == [(old, "terminated"), (old, "purged"), (new.key, "created")]
        assert len(house.recorder.of("instance_finished")) == 1
        assert len(house.recorder.of("instance_purged")) == 1


async def test_answers_to_the_old_life_find_nothing() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a", input="old")
        await worker.decide(await worker.turn(), schedule(1, "act", "old"))
        activity = await worker.activity()
        await house.raise_event("a", "e")
        turn = await worker.turn()
        assert await post(house, "m", anew("a")) is Fate.RECYCLED
        await worker.finish(activity, "late")
        await worker.decide(turn, complete(2, "late"))
        again = await worker.turn()
        assert again.input == "new"
        assert again.names() == ["WorkflowStarted", "ExecutionStarted"]
        await worker.decide(again, complete(0, "end"))
        assert (await house.view("a")).output == "end"


@pytest.mark.parametrize("way", ["suspended", "held", "stalled", "pending", "evicted"])
async def test_an_instance_is_overwritten_whatever_it_waits_for(way: str) -> None:
    async with House(residents_max=1 if way == "evicted" else 100) as house:
        worker = house.worker()
        later_us = house.clock.now_us() + SECOND_US if way == "held" else None
        await house.start("a", input="old", scheduled_start_us=later_us)
        if way == "suspended":
            await house.suspend("a")
        if way == "stalled":
            await worker.decide(await worker.turn(), patches=["p"])
            await house.raise_event("a", "e")
            await worker.decide(await worker.turn(), patches=["q"])
        if way == "evicted":
            await worker.decide(await worker.turn())
            await house.start("b")
            await worker.decide(await worker.turn(), complete(0))
        assert await post(house, "m", anew("a")) is Fate.RECYCLED
        worker.leave()
        house.worker().work(hello)
        assert (await house.finished("a")).output == "new"
        await house.pass_time(2 * SECOND_US)


async def test_its_children_are_ended_and_theirs() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), child(1, "b"), child(2, "done"))
        for _ in range(2):
            turn = await worker.turn()
            actions = [child(1, "c")] if turn.instance_id == "b" else [complete(0)]
            await worker.decide(turn, *actions)
        await house.reads_done()
        assert await post(house, "m", anew("a")) is Fate.RECYCLED
        await house.finished("b")
        await house.finished("c")
        statuses = [await house.status(each) for each in ("b", "c", "done")]
        assert statuses == [Status.TERMINATED, Status.TERMINATED, Status.COMPLETED]
        assert await house.status("a") is Status.PENDING


async def test_the_new_life_may_have_children_of_the_same_ids() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), child(1, "b"))
        await worker.turn()
        house.store.hold_loads()
        assert await post(house, "m", anew("a")) is Fate.RECYCLED
        turn = await worker.turn()
        while turn.instance_id != "a":
            turn = await worker.turn()
        deciding = house.soon(worker.decide(turn, child(1, "b")))
        house.store.let_loads_go()
        await deciding
        await house.settle()
        assert await house.status("b") is Status.PENDING
        assert "ChildFailed" not in house.kinds("a")


async def test_the_parent_of_an_overwritten_child_is_told() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), child(1, "b"))
        await worker.turn()
        assert await post(house, "m", anew("b")) is Fate.RECYCLED
        turns = [await worker.turn(), await worker.turn()]
        parent = next(turn for turn in turns if turn.instance_id == "a")
        assert isinstance(parent.new[1], ChildFailed)


@pytest.mark.parametrize("resident", [True, False])
async def test_a_finished_instance_is_overwritten(*, resident: bool) -> None:
    async with House(residents_max=100 if resident else 1) as house:
        worker = house.worker()
        await house.start("a", input="old")
        await worker.decide(await worker.turn(), child(1, "b"), complete(2))
        await worker.turn()
        if not resident:
            await house.start("other")
            await worker.decide(await worker.turn(), complete(0))
        assert await post(house, "m", anew("a")) is Fate.RECYCLED
        assert (await house.view("a")).input == "new"
        await house.finished("b")
        assert await house.status("b") is Status.TERMINATED, "whom it has left behind ends, too"


async def test_an_old_life_goes_on_if_the_step_cannot_be_stored() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a", input="old")
        turn = await worker.turn()
        # The start that meets the instance lands; what overwrites it does not.
        house.store.power_fails_after(1)
        step = house.soon(post(house, "m", anew("a")))
        with pytest.raises(StoreUnavailable):
            await step
        house.store.power_returns()
        await worker.decide(turn, complete(0, "late"))
        again = await worker.turn()
        assert again.new == turn.new or again.names() == turn.names()
        await worker.decide(again, complete(0, "old"))
        assert (await house.view("a")).output == "old"
        assert receipts(house) == 0


async def test_an_old_life_goes_on_if_its_children_cannot_be_read() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a", input="old")
        await worker.turn()
        house.store.fail_reads(1)
        with pytest.raises(StoreFailed):
            await post(house, "m", anew("a"))
        await worker.decide(await worker.turn(), complete(0, "old"))
        assert (await house.view("a")).output == "old"


async def test_a_caller_that_goes_away_leaves_the_step_to_land() -> None:
    async with House() as house:
        await house.start("a", input="old")
        house.store.hold_commits(after=1)
        step = house.soon(post(house, "m", anew("a")))
        await house.blocking(house.store.commit_waits.wait)
        step.cancel()
        with pytest.raises(asyncio.CancelledError):
            await step
        house.store.let_commits_go()
        await house.settle()
        assert await post(house, "m", anew("a")) is Fate.DUPLICATE
        assert (await house.view("a")).input == "new"


async def test_a_move_under_way_lands_first() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a", input="old")
        turn = await worker.turn()
        house.store.hold_commits()
        deciding = house.soon(worker.decide(turn, child(1, "b")))
        step = house.soon(post(house, "m", anew("a")))
        await house.reads_done()
        house.store.let_commits_go()
        await deciding
        assert await step is Fate.RECYCLED
        await house.settle()
        assert await house.status("b") is Status.TERMINATED, "a child of the last moment, too"


async def test_a_purge_at_the_same_time_leaves_a_start() -> None:
    async with House() as house:
        await house.start("a", input="old")
        house.store.hold_commits()
        purging = house.soon(house.purge("a", force=True))
        await house.reads_done()
        step = house.soon(post(house, "m", anew("a")))
        await house.reads_done()
        house.store.let_commits_go()
        await purging
        assert await step is Fate.STARTED
        assert (await house.view("a")).input == "new"


async def test_many_at_once_all_take_effect() -> None:
    async with House() as house:
        house.worker().work(hello)
        await house.start("a", input="old")
        fates = await asyncio.gather(*(post(house, f"m{n}", anew("a", str(n))) for n in range(10)))
        assert set(fates) <= {Fate.STARTED, Fate.RECYCLED}
        assert receipts(house) == 10
        await house.finished("a")


async def test_whoever_waits_for_the_end_waits_for_that_of_the_new_life() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a", input="old")
        await worker.turn()
        waiting = house.soon(house.finished("a"))
        await house.reads_done()
        assert await post(house, "m", anew("a")) is Fate.RECYCLED
        await house.reads_done()
        assert not waiting.done()
        await worker.decide(await worker.turn(), complete(0, "end"))
        assert (await waiting).output == "end"


def _old_and_new(item: TurnItem) -> list[object]:
    return [] if item.input == "old" else list(hello(item))


@pytest.mark.parametrize("landed", range(8))
@pytest.mark.parametrize("busy", [False, True])
async def test_it_counts_once_wherever_the_power_fails(landed: int, *, busy: bool) -> None:
    """A message is delivered again until it is acknowledged, and once more after that."""
    async with House() as house:
        house.expected_faults = ("landing", "moving", "trying", "terminating", "reading")
        await house.start("a", input="old")
        if busy:
            await house.worker().turn()
        house.store.power_fails_after(landed)
        acknowledged = False
        try:
            fate = await post(house, "m", anew("a"))
            acknowledged = True
            assert fate is Fate.RECYCLED
        except (StoreUnavailable, StoreFailed):
            assert landed < 2
        await house.restart()
        wanted = Fate.DUPLICATE if acknowledged else Fate.RECYCLED
        assert await post(house, "m", anew("a")) is wanted
        assert await post(house, "m", anew("a")) is Fate.DUPLICATE
        house.worker().work(hello)
        assert (await house.finished("a")).output == "new"
        kinds = [row.add.kind for row in house.store.lifecycle(0, 99)]
        assert kinds.count("created") == 2
        assert house.store.commit([Entry(key=None)])
