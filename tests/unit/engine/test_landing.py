"""A store in trouble: what a worker has done is not done twice, and nobody is stuck afterwards."""

from collections.abc import Callable

import pytest

from perdure.base.errors import StoreFailed
from perdure.base.time import SECOND_US
from perdure.core.status import Status
from tests.kit.answers import child, complete, schedule, timer
from tests.kit.house import House
from tests.kit.worker import hello


async def test_a_request_is_told_what_could_not_be_stored_and_nothing_of_it_is_kept() -> None:
    async with House() as house:
        house.expected_faults = ("landing",)
        house.store.fail_commits(1)
        with pytest.raises(StoreFailed):
            await house.start("a")
        # Whoever looks after the store hears of it as well: nobody else may tell them.
        (report,) = house.recorder.faults()
        assert report.positional[0] == "landing what was asked"
        assert await house.component.get("a") is None
        await house.start("a")
        house.store.fail_commits(1)
        with pytest.raises(StoreFailed):
            await house.raise_event("a", "e")
        house.store.fail_commits(1)
        with pytest.raises(StoreFailed):
            await house.suspend("a")
        assert await house.status("a") is Status.PENDING
        house.store.fail_commits(1)
        with pytest.raises(StoreFailed):
            await house.terminate("a")
        house.store.fail_commits(1)
        with pytest.raises(StoreFailed):
            await house.purge("a", force=True)
        assert (await house.worker().turn()).raised() == []


@pytest.mark.parametrize("failures", [1, 3, 10])
async def test_what_a_worker_has_done_lands_when_the_store_is_back(failures: int) -> None:
    """P3: and the activity is not run again for that."""
    async with House() as house:
        house.expected_faults = ("landing",)
        worker = house.worker()
        await house.start("a")
        turn = await worker.turn()
        house.store.fail_commits(failures)
        deciding = house.soon(worker.decide(turn, schedule(1)))
        await _until_done(house, deciding.done)
        item = await worker.activity()
        house.store.fail_commits(failures)
        finishing = house.soon(worker.finish(item, "x"))
        await _until_done(house, finishing.done)
        await worker.decide(await worker.turn(), complete())
        assert await house.status("a") is Status.COMPLETED
        assert not house.recorder.of("activity_retried")


async def _until_done(house: House, done: Callable[[], bool]) -> None:
    for _ in range(40):
        await house.pass_time(5 * SECOND_US)
        if done():
            return
    raise AssertionError("it never landed")


async def test_hello_through_a_store_that_fails_every_other_commit() -> None:
    for failing in range(1, 9):
        async with House() as house:
            house.expected_faults = ("landing",)
            house.worker().work(hello)
            await house.start("a", input="1")
            # One commit of the many fails, and then one more.
            for _ in range(failing % 4 + 1):
                house.store.fail_commits(failing)
                await house.pass_minutes()
            assert await house.status("a") is Status.COMPLETED


async def test_a_timer_fires_when_the_store_is_back() -> None:
    async with House() as house:
        house.expected_faults = ("landing", "reading")
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), timer(1, house.clock.now_us() + SECOND_US))
        house.store.fail_commits(3)
        await house.pass_time(SECOND_US)
        assert house.on_disk("a").inbox_length == 0
        await house.pass_minutes()
        assert (await worker.turn()).names() == ["WorkflowStarted", "TimerFired"]


@pytest.mark.parametrize("reads", [1, 2, 5])
async def test_a_turn_that_bears_a_child_lands_although_reads_fail(reads: int) -> None:
    """Reads come before the commit there: who holds the child's id."""
    async with House() as house:
        house.expected_faults = ("reading",)
        worker = house.worker()
        await house.start("a")
        turn = await worker.turn()
        house.store.fail_reads(reads)
        deciding = house.soon(worker.decide(turn, child(1, "c")))
        await house.settle()
        await house.pass_minutes()
        await deciding
        assert house.on_disk("c").identity.parent_id == "a"


@pytest.mark.parametrize("reads", [1, 2, 5])
async def test_a_terminate_takes_effect_although_reads_fail(reads: int) -> None:
    async with House() as house:
        house.expected_faults = ("reading",)
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), child(1, "c"))
        await worker.turn()
        await house.settle()
        house.store.fail_reads(reads)
        terminating = house.soon(house.terminate("a"))
        await house.pass_minutes()
        await terminating
        assert await house.status("a") is Status.TERMINATED
        assert await house.status("c") is Status.TERMINATED


async def test_an_evicted_instance_is_woken_although_reads_fail() -> None:
    """P4: an event that has landed is acted upon without a restart."""
    async with House(residents_max=1) as house:
        house.expected_faults = ("reading",)
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn())
        await house.start("b")
        await worker.decide(await worker.turn())
        assert house.engine.resident("a") is None
        house.store.hold_commits()
        raising = house.soon(house.raise_event("a", "e"))
        await house.reads_done()
        house.store.fail_reads(3)
        house.store.let_commits_go()
        await raising
        await house.pass_minutes()
        assert (await worker.turn()).raised() == ["e"]


@pytest.mark.parametrize("losing", [1, 2])
async def test_a_turn_whose_landing_lost_its_reply_counts_once(losing: int) -> None:
    """The port promises that there is no such thing; if there is, the version tells."""
    async with House() as house:
        house.expected_faults = ("landing", "moving")
        worker = house.worker()
        await house.start("a")
        turn = await worker.turn()
        house.store.lose_replies(losing)
        deciding = house.soon(worker.decide(turn, schedule(1)))
        await house.pass_minutes()
        await deciding
        assert house.kinds("a").count("TaskScheduled") == 1
        await house.restart()
        worker = house.worker()
        await worker.finish(await worker.activity(), "x")
        await worker.decide(await worker.turn(), complete())


async def test_a_result_whose_landing_lost_its_reply_counts_once() -> None:
    """P2: the activity's row is gone, and its result is found when the store is read again."""
    async with House() as house:
        house.expected_faults = ("landing",)
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), schedule(1))
        item = await worker.activity()
        house.store.lose_replies(2)
        finishing = house.soon(worker.finish(item, "x"))
        await house.pass_minutes()
        await finishing
        await house.restart()
        worker = house.worker()
        await worker.decide(await worker.turn(), complete())
        assert house.kinds("a").count("TaskCompleted") == 1


async def test_what_goes_on_for_ever_is_begun_anew_where_it_has_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A process whose timers fire no more would seem to be well."""
    async with House() as house:
        house.expected_faults = ("firing timers",)
        timers = house.engine._timers  # noqa: SLF001 - to break it
        sweep, failing = timers._sweep, [True]  # noqa: SLF001 - no door shows it

        async def fails_once(now_us: int) -> None:
            if failing:
                failing.clear()
                raise LookupError("a mistake of ours")
            await sweep(now_us)

        monkeypatch.setattr(timers, "_sweep", fails_once)
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), timer(1, house.clock.now_us() + SECOND_US))
        await house.pass_time(SECOND_US)
        assert not failing
        assert not worker.waiting
        await house.pass_time(2 * SECOND_US)
        assert (await worker.turn()).names() == ["WorkflowStarted", "TimerFired"]
