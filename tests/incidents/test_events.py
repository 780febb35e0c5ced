"""Incidents of others: events that were lost, refused or delivered to the wrong generation."""

import asyncio

from perdure.base.time import SECOND_US
from perdure.components.port import Done
from perdure.core.events import TaskCompleted, TimerFired
from perdure.core.status import Status
from tests.kit.answers import complete, continue_as_new, schedule, timer
from tests.kit.house import House
from tests.kit.worker import TurnItem, Worker

MANY = 200


def _carried(item: TurnItem, after: int) -> list[tuple[str, str]]:
    names = item.raised()[after:]
    return [(name, name) for name in names]


async def _count_by_generations(worker: Worker, wanted: int) -> list[str]:
    """Take one event a generation, carry the rest over, and return what was taken."""
    taken: list[str] = []
    while True:
        item = await worker.turn()
        raised = item.raised()
        if not raised:
            await worker.decide(item)
            continue
        taken.append(raised[0])
        if len(taken) == wanted:
            await worker.decide(item, complete())
            return taken
        await worker.decide(item, continue_as_new(carried=_carried(item, 1)))


async def test_no_event_is_lost_while_generations_follow_each_other() -> None:
    """The harder it was driven, the more events disappeared during ContinueAsNew.

    dapr/dapr#8277, dapr/dapr#9760, dapr/dotnet-sdk#1717.
    """
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        counting = asyncio.create_task(_count_by_generations(worker, MANY))
        for number in range(MANY):
            await house.raise_event("a", f"e{number}")
        assert await counting == [f"e{number}" for number in range(MANY)]


async def test_an_event_that_comes_while_a_generation_ends_is_the_next_ones() -> None:
    """Events received while an orchestration was between two generations were dropped.

    Azure/azure-functions-durable-extension#67 and #1676, temporalio/temporal#2694 (a signal at
    that moment was told that there is no such workflow).
    """
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        first = await worker.turn()
        house.store.hold_commits()
        ending = asyncio.create_task(worker.decide(first, continue_as_new()))
        raising = asyncio.create_task(house.raise_event("a", "between"))
        await asyncio.sleep(0)
        house.store.let_commits_go()
        await ending
        assert await raising == Done()
        second = await worker.turn()
        while not second.raised():
            await worker.decide(second)
            second = await worker.turn()
        assert second.raised() == ["between"]
        await worker.decide(second, complete())


async def test_an_event_and_a_timer_before_a_new_generation_lose_nothing() -> None:
    """With a timer between two events the orchestration failed to complete more often.

    microsoft/durabletask-dotnet#387.
    """
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn())
        await house.raise_event("a", "one")
        first = await worker.turn()
        await house.raise_event("a", "two")
        await worker.decide(first, timer(1, house.clock.now_us() + SECOND_US))
        second = await worker.turn()
        assert second.raised() == ["two"]
        await worker.decide(second)
        await house.pass_time(2 * SECOND_US)
        third = await worker.turn()
        assert third.has_kind("TimerFired")
        await worker.decide(third, continue_as_new(carried=[("two", "two")]))
        assert (await worker.turn()).raised() == ["two"]


async def test_events_without_end_do_not_keep_a_generation_from_ending() -> None:
    """A continue-as-new failed for as long as signals kept coming.

    temporalio/temporal#1289, #4137 and #8097.
    """
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        item = await worker.turn()
        for number in range(20):
            await house.raise_event("a", f"during-{number}")
            await worker.decide(item, continue_as_new(carried=_carried(item, 1)))
            item = await worker.turn()
        assert house.on_disk("a").head.generation == 21


async def test_an_event_needs_no_worker() -> None:
    """With no worker connected an event was refused, or its caller blocked.

    dapr/docs#5305 (the actor type is not registered), dapr/dotnet-sdk#1552.
    """
    async with House() as house:
        await house.start("a")
        assert await house.raise_event("a", "early") == Done()
        assert await house.suspend("a") == Done()
        assert await house.resume("a") == Done()
        await house.restart()
        item = await house.worker().turn()
        assert item.raised() == ["early"]


async def test_a_completion_does_not_cross_into_the_next_generation() -> None:
    """Activities after continue-as-new were taken for those before it, and the workflow stalled.

    dapr/dapr#5986, dapr/dapr#5992, dapr/dapr#9641.
    """
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), schedule(1))
        old = await worker.activity()
        await house.raise_event("a", "go")
        await worker.decide(await worker.turn(), continue_as_new())
        await worker.decide(await worker.turn(), schedule(1))
        new = await worker.activity()
        await worker.finish(old, "of before")
        await house.settle()
        await worker.finish(new, "of now")
        item = await worker.turn()
        assert [e.result for e in item.new if isinstance(e, TaskCompleted)] == ["of now"]
        await worker.decide(item, complete())


async def test_the_timer_of_an_answered_wait_is_gone() -> None:
    """A timer of a wait that was over fired, and drove the workflow once more.

    Azure/azure-functions-durable-extension#3414.
    """
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        due_us = house.clock.now_us() + 60 * SECOND_US
        await worker.decide(await worker.turn(), timer(1, due_us, awaited="answer"))
        await house.raise_event("a", "answer")
        await worker.decide(await worker.turn())
        assert house.store.next_timer_us() is None
        await house.pass_minutes(2)
        assert not worker.waiting
        assert not [e for e in house.history("a") if isinstance(e, TimerFired)]


async def test_a_timer_does_not_go_on_after_a_termination() -> None:
    """A timer fired after the termination, and the orchestration kept running.

    lucaslorentz/durabletask-extensions#41.
    """
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        due_us = house.clock.now_us() + 60 * SECOND_US
        await worker.decide(await worker.turn(), timer(1, due_us))
        await house.terminate("a")
        assert house.store.next_timer_us() is None
        await house.pass_minutes(2)
        assert not worker.waiting
        assert await house.status("a") is Status.TERMINATED


async def test_what_completes_while_suspended_is_there_after_the_resumption() -> None:
    """A suspended invocation whose completion had come was never run again.

    restatedev/restate#234, #310 and #5196.
    """
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), schedule(1))
        activity = await worker.activity()
        await house.suspend("a")
        await worker.finish(activity, "came while suspended")
        await house.settle()
        assert not worker.waiting
        await house.resume("a")
        item = await worker.turn()
        assert [e.result for e in item.new if isinstance(e, TaskCompleted)] == [
            "came while suspended"
        ]
        await worker.decide(item, complete())
