"""Incidents of others: work that was run twice, and work that nobody took up again."""

import asyncio

from perdure.base.time import HOUR_US
from perdure.core.events import TaskCompleted
from perdure.core.status import Status
from tests.kit.answers import complete, no_such_version, schedule
from tests.kit.house import House
from tests.kit.worker import hello


async def test_an_activity_is_at_one_worker_at_a_time() -> None:
    """Streams that came and went made the same activity run two to N times in parallel.

    dapr/dapr#9903.
    """
    async with House() as house:
        first, second = house.worker(), house.worker()
        await house.start("a")
        await house.settle()
        holder = first if first.waiting else second
        await holder.decide(await holder.turn(), schedule(1))
        await house.settle()
        assert len(first.waiting) + len(second.waiting) == 1
        for _ in range(5):
            house.worker().leave()
        await house.pass_minutes()
        assert len(first.waiting) + len(second.waiting) == 1


async def test_a_long_activity_is_not_taken_for_dead() -> None:
    """A lock ran out while the activity ran, and another machine ran it again.

    microsoft/durabletask-mssql#132, microsoft/durabletask-netherite#304.
    """
    async with House() as house:
        worker, other = house.worker(), house.worker()
        await house.start("a")
        await house.settle()
        holder, idle = (worker, other) if worker.waiting else (other, worker)
        await holder.decide(await holder.turn(), schedule(1))
        await house.settle()
        runner, idle = (worker, other) if worker.waiting else (other, worker)
        activity = await runner.activity()
        for _ in range(30):
            await house.pass_time(HOUR_US)
        assert not idle.waiting
        assert not runner.waiting
        await runner.finish(activity, "after thirty hours")
        await house.settle()
        done = [e for e in house.history("a") if isinstance(e, TaskCompleted)]
        assert not done, "it waits for the turn that takes it"
        assert house.on_disk("a").inbox_length == 1


async def test_trouble_of_the_store_during_recovery_strands_nothing() -> None:
    """The database went away during recovery: the error was swallowed, the work forgotten.

    dbos-inc/dbos-transact-py#716.
    """
    async with House() as house:
        house.expected_faults = ("reading", "loading", "waking", "recovering", "landing")
        for number in range(5):
            await house.start(f"a{number}")
        await house.restart()
        house.store.fail_reads(3)
        house.worker().work(hello)
        await house.pass_minutes(2)
        for number in range(5):
            assert await house.status(f"a{number}") is Status.COMPLETED


async def test_what_was_recovered_between_two_steps_goes_on() -> None:
    """A recovered workflow stayed PENDING after its last completed step.

    dbos-inc/dbos-transact-py#805, dapr/python-sdk#857.
    """
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), schedule(1))
        await worker.finish(await worker.activity(), "one")
        turn = await worker.turn()
        await worker.decide(turn, schedule(2))
        await house.restart()
        again = house.worker()
        await again.finish(await again.activity(), "two")
        item = await again.turn()
        results = [e.result for e in (*item.past, *item.new) if isinstance(e, TaskCompleted)]
        assert results == ["one", "two"]
        await again.decide(item, complete())


async def test_a_server_that_stops_takes_up_nothing_more() -> None:
    """The old process, while draining, took again what the new one had just put back.

    dbos-inc/dbos-transact-py#804.
    """
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        turn = await worker.turn()
        resting = asyncio.create_task(house.engine.rest(60.0))
        await asyncio.sleep(0)
        await worker.decide(turn, schedule(1))
        assert await resting
        await house.settle()
        assert not worker.waiting, "it is on disk, and for the next process"
        await house.restart()
        assert (await house.worker().activity()).task_id == 1


async def test_what_runs_already_is_not_run_by_a_recovery() -> None:
    """Recovery at launch ran a workflow that was running in the process already.

    dbos-inc/dbos-transact-java#491, dbos-inc/dbos-transact-py#742.
    """
    async with House() as house:
        await house.start("a")
        await house.restart()
        worker = house.worker()
        turn = await worker.turn()
        house.engine._recovery.refill_turns("app")  # noqa: SLF001 - what a recovery does
        await house.settle()
        assert not worker.waiting
        await worker.decide(turn, complete())
        assert house.kinds("a").count("ExecutionCompleted") == 1


async def test_a_stalled_run_goes_on_when_a_fitting_worker_comes_back() -> None:
    """Runs that stalled for a version stayed so although all workers had been replaced.

    dapr/docs#5003 (stalled workflows will eventually run in a newer replica).
    """
    async with House() as house:
        old = house.worker()
        await house.start("a")
        await old.decide(await old.turn(), no_such_version())
        assert await house.status("a") is Status.STALLED
        old.leave()
        await house.pass_minutes()
        fitting = house.worker()
        await fitting.decide(await fitting.turn(), complete())
        assert await house.status("a") is Status.COMPLETED


async def test_nobody_is_waiting_after_a_thousand_children() -> None:
    """Parents of hundreds of children in parallel got stuck under load.

    dapr/dapr#7751, dapr/dapr#8323.
    """
    async with House() as house:
        worker = house.worker().work(hello)
        count = 300
        await house.gather(house.start(f"a{number}", input=str(number)) for number in range(count))
        for number in range(count):
            view = await house.finished(f"a{number}")
            assert view.output == str(number)
        assert len(worker.activities_run) == count
