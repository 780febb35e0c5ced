"""Incidents of others: terminations that did not take, ends that were told twice, zombies."""

import asyncio

from perdure.core.status import Status
from tests.kit.answers import child, complete, continue_as_new, schedule, turn_answer
from tests.kit.house import House


async def test_a_termination_during_a_turn_is_in_force_and_lasts() -> None:
    """The instance stayed RUNNING, and the call that terminated it hung.

    dapr/dapr#10154.
    """
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        turn = await worker.turn()
        done = await house.terminate("a", '"stopped"')
        assert done.in_force
        await worker.decide(turn, schedule(1))
        assert not worker.waiting
        await house.restart()
        view = await house.view("a")
        assert (view.status, view.output) == (Status.TERMINATED, '"stopped"')


async def test_a_termination_wins_over_a_new_generation_of_the_same_moment() -> None:
    """Terminate and continue-as-new in one batch: the workflow went on (api.md section 8).

    Azure/azure-functions-durable-extension#67 tells of that limbo.
    """
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        turn = await worker.turn()
        house.store.hold_commits()
        ending = asyncio.create_task(house.terminate("a"))
        await asyncio.sleep(0)
        going_on = asyncio.create_task(worker.decide(turn, continue_as_new()))
        await asyncio.sleep(0)
        house.store.let_commits_go()
        await asyncio.gather(ending, going_on)
        await house.settle()
        assert await house.status("a") is Status.TERMINATED
        assert not worker.waiting


async def test_an_activity_that_ends_after_a_termination_is_not_run_again() -> None:
    """After TerminateWorkflow the running activity completed, and was started over and over.

    dapr/dapr#8329.
    """
    async with House() as house:
        worker = house.worker()
        await house.start("root")
        await worker.decide(await worker.turn(), child(1, "kid"))
        await worker.decide(await worker.turn(), schedule(1))
        activity = await worker.activity()
        await house.terminate("root")
        await house.settle()
        for _ in range(3):
            await worker.finish(activity, "done")
        await house.pass_minutes()
        assert not worker.waiting
        assert await house.status("kid") is Status.TERMINATED


async def test_a_result_that_nobody_waits_for_is_answered_well() -> None:
    """The worker was told of an unknown task, retried for ever, or broke.

    dapr/dapr#6454, dapr/dapr#9070, dapr/dapr#9641.
    """
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), schedule(1))
        activity = await worker.activity()
        await house.terminate("a")
        await worker.finish(activity, "late")
        await house.purge("a")
        await worker.finish(activity, "later")
        assert len(house.recorder.of("late_completion_dropped")) >= 1


async def test_a_termination_reaches_all_that_is_below_even_what_was_purged() -> None:
    """A child that was gone already made the termination of its parent hang.

    dapr/dapr#9827, dapr/dapr#6393.
    """
    async with House() as house:
        worker = house.worker()
        await house.start("root")
        await worker.decide(await worker.turn(), child(1, "one"), child(2, "two"))
        one, two = await worker.turn(), await worker.turn()
        await worker.decide(one, child(1, "one-a"))
        await worker.decide(two)
        await worker.decide(await worker.turn())
        await house.purge("two", force=True)
        await house.terminate("root")
        await house.settle()
        for instance_id in ("root", "one", "one-a"):
            assert await house.status(instance_id) is Status.TERMINATED, instance_id


async def test_a_workflow_ends_once() -> None:
    """Two completions in one history: potential corruption, and an instance that never ends.

    microsoft/durabletask-mssql#176, Azure/azure-functions-durable-extension#3375.
    """
    async with House() as house:
        first = house.worker(echoes=False)
        await house.start("a")
        await first.turn()
        first.leave()
        second = house.worker(echoes=False)
        again = await second.turn()
        answers = (complete(result="one"), complete(result="two"))
        await asyncio.gather(
            house.engine.land_turn(turn_answer("a", answers[0])),
            second.decide(again, answers[1]),
        )
        assert house.kinds("a").count("ExecutionCompleted") == 1
        assert await house.status("a") is Status.COMPLETED


async def test_a_purge_needs_no_worker() -> None:
    """Purging failed for want of an address of the actor, with the application stopped.

    dapr/docs#4916.
    """
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), complete())
        worker.leave()
        await house.restart()
        assert (await house.purge("a")).count == 1
        assert await house.component.get("a") is None
