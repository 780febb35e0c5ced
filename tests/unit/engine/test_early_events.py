"""Turns of events and timers that are handed out while these are on their way to the disk."""

import asyncio

import pytest

from perdure.base.errors import StoreFailed
from perdure.base.time import SECOND_US
from perdure.core.events import EventRaised
from perdure.core.status import Status
from tests.kit.answers import complete, timer
from tests.kit.house import House


async def test_a_turn_of_an_event_is_out_before_the_event_is_acknowledged() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn())
        house.store.hold_commits()
        raising = asyncio.create_task(house.raise_event("a", "go"))
        turn = await worker.turn()
        assert turn.names() == ["WorkflowStarted", "EventRaised"]
        deciding = asyncio.create_task(worker.decide(turn, complete(1, "gone")))
        for _ in range(20):
            await asyncio.sleep(0)
        assert not raising.done()
        assert not deciding.done()
        assert house.on_disk("a").inbox_length == 0
        house.store.let_commits_go()
        await raising
        await deciding
        assert house.kinds("a")[-2:] == ["EventRaised", "ExecutionCompleted"]


async def test_an_event_that_could_not_be_stored_was_in_no_turn() -> None:
    async with House() as house:
        house.expected_faults = ("landing",)
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn())
        house.store.hold_commits()
        house.store.fail_commits(1)
        raising = asyncio.create_task(house.raise_event("a", "lost"))
        void = await worker.turn()
        house.store.let_commits_go()
        with pytest.raises(StoreFailed):
            await raising
        await worker.decide(void, complete(1, "never"))
        assert await house.status("a") is Status.RUNNING
        await house.raise_event("a", "kept")
        turn = await worker.turn()
        assert [event.name for event in turn.new if isinstance(event, EventRaised)] == ["kept"]
        await worker.decide(turn, complete(1, "x"))


async def test_a_turn_of_a_timer_is_out_before_the_timer_has_fired_on_disk() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), timer(1, house.clock.now_us() + SECOND_US))
        house.store.hold_commits()
        house.clock.advance(SECOND_US)
        turn = await worker.turn()
        assert turn.names() == ["WorkflowStarted", "TimerFired"]
        assert house.on_disk("a").inbox_length == 0
        house.store.let_commits_go()
        await worker.decide(turn, complete(2, "x"))
        assert house.kinds("a")[-2:] == ["TimerFired", "ExecutionCompleted"]


async def test_the_timer_beside_an_event_is_no_reason_to_wait() -> None:
    async with House() as house:
        worker = house.worker()
        later_us = house.clock.now_us() + 60 * SECOND_US
        await house.start("a")
        await worker.decide(await worker.turn(), timer(1, later_us, awaited="go"))
        house.store.hold_commits()
        raising = asyncio.create_task(house.raise_event("a", "go"))
        turn = await worker.turn()
        house.store.let_commits_go()
        await raising
        await worker.decide(turn, complete(2, "x"))
        assert await house.status("a") is Status.COMPLETED
