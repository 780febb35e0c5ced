"""Timers and scheduled starts: at their moment, once, and never when nobody waits for them."""

import asyncio

import pytest

from perdure.base.time import HOUR_US, LATEST_US, SECOND_US
from perdure.components.port import Done
from perdure.core.events import TimerFired
from perdure.core.status import Status
from tests.kit.answers import complete, continue_as_new, timer
from tests.kit.house import House


async def test_a_timer_fires_at_its_moment_and_not_before() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        due_us = house.clock.now_us() + SECOND_US
        await worker.decide(await worker.turn(), timer(1, due_us))
        view = await house.view("a")
        assert (view.waits_for, view.next_wake_us) == ("timer", due_us)
        await house.pass_time(SECOND_US - 1)
        assert not worker.waiting
        await house.pass_time(1)
        fired = (await worker.turn()).new[1]
        assert isinstance(fired, TimerFired)
        assert (fired.timer_id, fired.fire_at_us, fired.at_us) == (1, due_us, due_us)
        assert house.store.next_timer_us() is None


async def test_timers_fire_in_the_order_of_their_moments() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        turn = await worker.turn()
        now_us = house.clock.now_us()
        await worker.decide(turn, *(timer(n, now_us + (9 - n) * SECOND_US) for n in range(1, 9)))
        await house.pass_time(HOUR_US)
        fired = []
        while worker.waiting:
            turn = await worker.turn()
            fired += [e.timer_id for e in turn.new if isinstance(e, TimerFired)]
            await worker.decide(turn)
            await house.settle()
        assert fired == [8, 7, 6, 5, 4, 3, 2, 1]


async def test_a_timer_in_the_past_fires_at_once_and_one_at_the_end_of_time_never() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), timer(1, 0), timer(2, LATEST_US, "e"))
        assert (await worker.turn()).names() == ["WorkflowStarted", "TimerFired"]
        assert house.store.next_timer_us() is None


async def test_an_answered_wait_takes_its_timer_with_it() -> None:
    """Section 8: timers of an answered event wait are cancelled in the same commit."""
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        due_us = house.clock.now_us() + SECOND_US
        await worker.decide(
            await worker.turn(), timer(1, due_us, "Go"), timer(2, due_us, "go"), timer(3, due_us)
        )
        await house.raise_event("a", "gO")
        await worker.decide(await worker.turn())
        assert [row.timer_id for row in house.store.due_timers(due_us, 10)] == [2, 3]
        last = house.store.landed[-1]
        assert (len(last.history), [end.timer_id for end in last.ended_timers]) == (2, [1])
        house.workers.pop().leave()
        await house.pass_time(SECOND_US)
        turn = await house.worker().turn()
        assert {e.timer_id for e in turn.new if isinstance(e, TimerFired)} == {2, 3}


async def test_an_event_and_the_timer_of_its_wait_at_once() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        due_us = house.clock.now_us() + SECOND_US
        await worker.decide(await worker.turn(), timer(1, due_us, "go"), timer(2, due_us, "go"))
        house.workers.pop().leave()
        await house.raise_event("a", "go")
        await house.pass_time(SECOND_US)
        worker = house.worker()
        turn = await worker.turn()
        assert turn.names() == ["WorkflowStarted", "EventRaised", "TimerFired", "TimerFired"]
        await worker.decide(turn, complete(9))


async def test_finished_instances_leave_no_timers() -> None:
    async with House() as house:
        worker = house.worker()
        for end in ("complete", "terminate", "purge", "continue"):
            await house.start(end)
            due_us = house.clock.now_us() + SECOND_US
            await worker.decide(await worker.turn(), timer(1, due_us))
        await house.raise_event("complete", "e")
        await worker.decide(await worker.turn(), timer(2, due_us), complete(3))
        await house.terminate("terminate")
        await house.purge("purge", force=True)
        await house.raise_event("continue", "e")
        await worker.decide(await worker.turn(), continue_as_new(2))
        await worker.turn()
        assert house.store.next_timer_us() is None


async def test_timers_run_on_while_their_instance_is_suspended() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        due_us = house.clock.now_us() + SECOND_US
        await worker.decide(await worker.turn(), timer(1, due_us))
        await house.suspend("a")
        await house.pass_time(SECOND_US)
        assert not worker.waiting
        await house.resume("a")
        assert "TimerFired" in (await worker.turn()).names()


async def test_an_earlier_timer_wakes_the_loop_that_sleeps_for_a_later_one() -> None:
    async with House() as house:
        worker = house.worker()
        now_us = house.clock.now_us()
        for name, wait_us in (("late", 2 * HOUR_US), ("early", SECOND_US)):
            await house.start(name)
            await worker.decide(await worker.turn(), timer(1, now_us + wait_us))
        await house.pass_time(SECOND_US)
        assert (await worker.turn()).instance_id == "early"
        await house.pass_time(HOUR_US)
        assert not worker.waiting
        await house.pass_time(HOUR_US)
        assert (await worker.turn()).instance_id == "late"


async def test_a_start_is_held_until_its_time_also_when_events_come_first() -> None:
    async with House() as house:
        worker = house.worker()
        start_us = house.clock.now_us() + SECOND_US
        await house.start("a", scheduled_start_us=start_us)
        assert await house.raise_event("a", "early") == Done()
        view = await house.view("a")
        assert (view.status, view.waits_for) == (Status.PENDING, "start time")
        await house.pass_time(SECOND_US - 1)
        assert not worker.waiting
        await house.pass_time(1)
        turn = await worker.turn()
        assert turn.names() == ["WorkflowStarted", "ExecutionStarted", "EventRaised"]
        await worker.decide(turn, complete())


async def test_a_held_start_can_be_terminated_suspended_and_purged() -> None:
    async with House() as house:
        worker = house.worker()
        start_us = house.clock.now_us() + SECOND_US
        for name in ("terminated", "suspended", "purged"):
            await house.start(name, scheduled_start_us=start_us)
        await house.terminate("terminated", "out")
        assert (await house.view("terminated")).output == "out"
        await house.suspend("suspended")
        await house.purge("purged", force=True)
        await house.pass_time(SECOND_US)
        assert not worker.waiting
        assert await house.status("suspended") is Status.SUSPENDED
        await house.resume("suspended")
        turn = await worker.turn()
        assert (turn.instance_id, turn.names()[1]) == ("suspended", "ExecutionStarted")


async def test_a_start_time_in_the_past_is_now() -> None:
    async with House() as house:
        await house.start("a", scheduled_start_us=house.clock.now_us() - SECOND_US)
        assert (await house.worker().turn()).instance_id == "a"


@pytest.mark.parametrize("steps", range(6))
async def test_a_stop_at_the_moment_of_a_wake_ends_the_loop(steps: int) -> None:
    """What went on after its end would fire timers beside the next engine."""
    async with House() as house:
        await house.settle()
        before = len(asyncio.all_tasks())
        house.engine._timers.note(house.clock.now_us())  # noqa: SLF001 - the moment counts
        for _ in range(steps):
            await asyncio.sleep(0)
        await house.restart()
        await house.settle()
        assert len(asyncio.all_tasks()) == before
