"""Turns: frozen batches, fresh tokens, late and nonsensical answers."""

import asyncio

import pytest

from perdure.base.errors import CallerFault, WorkerFault
from perdure.base.time import SECOND_US
from perdure.core.status import Status
from perdure.engine.work import Dialect
from tests.kit.answers import complete, schedule, turn_answer
from tests.kit.house import House
from tests.kit.worker import TurnItem, Worker


async def test_a_lost_turn_is_handed_out_again_with_the_same_batch_and_a_fresh_token() -> None:
    async with House() as house:
        await house.start("a", input="1")
        first_worker = house.worker()
        first = await first_worker.turn()
        await house.raise_event("a", "later")
        first_worker.leave()
        second = await house.worker().turn()
        assert second.new_bytes == first.new_bytes
        assert second.past_bytes == first.past_bytes
        assert second.token != first.token
        assert len(house.recorder.of("turn_retried")) == 1


async def test_what_arrives_during_a_turn_waits_for_the_next() -> None:
    """P6: and it arrives there in order."""
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        first = await worker.turn()
        for name in ("one", "two", "three"):
            await house.raise_event("a", name)
        await worker.decide(first)
        assert (await worker.turn()).raised() == ["one", "two", "three"]


async def test_a_late_answer_with_the_token_of_an_earlier_hand_out_is_dropped() -> None:
    async with House() as house:
        await house.start("a")
        gone = house.worker()
        old = await gone.turn()
        gone.leave()
        worker = house.worker()
        item = await worker.turn()
        await house.engine.land_turn(turn_answer("a", complete(), token=old.token))
        assert len(house.recorder.of("late_completion_dropped")) == 1
        assert await house.status("a") is Status.PENDING
        await worker.decide(item, complete(result="x"))
        assert (await house.view("a")).output == "x"


async def test_a_late_answer_without_a_token_counts_for_the_same_batch() -> None:
    """The batch is frozen, so that it means the same whoever decides on it."""
    async with House() as house:
        await house.start("a")
        gone = house.worker(echoes=False)
        old = await gone.turn()
        gone.leave()
        worker = house.worker(echoes=False)
        item = await worker.turn()
        await gone.decide(old, schedule(1))
        await worker.decide(item, schedule(1))
        assert house.kinds("a") == ["WorkflowStarted", "ExecutionStarted", "TaskScheduled"]
        assert (await worker.activity()).task_id == 1


async def test_duplicate_and_unknown_answers_are_dropped_in_silence() -> None:
    """Section 8: completions of unknown or finished tasks, sent again and again."""
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        item = await worker.turn()
        await worker.decide(item, complete(result="1"))
        for _ in range(3):
            await worker.decide(item, complete(result="2"))
            await house.engine.land_turn(turn_answer("a", complete(result="3")))
            await house.engine.land_turn(turn_answer("nobody", complete()))
        assert (await house.view("a")).output == "1"
        assert len(house.recorder.of("late_completion_dropped")) == 9


async def test_a_second_answer_while_the_first_one_lands_is_dropped() -> None:
    """P5: no two turns commit for one position."""
    async with House() as house:
        worker = house.worker(echoes=False)
        await house.start("a")
        item = await worker.turn()
        house.store.hold_commits()
        answer = turn_answer("a", schedule(1))
        first = asyncio.create_task(house.engine.land_turn(answer))
        await asyncio.sleep(0)
        await worker.decide(item, schedule(1), schedule(2))
        house.store.let_commits_go()
        await first
        assert house.kinds("a").count("TaskScheduled") == 1


async def test_what_is_no_message_is_the_callers_fault() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        item = await worker.turn()
        with pytest.raises(CallerFault):
            await house.engine.land_turn(b"\xff\xff\xff")
        await worker.decide(item, complete())
        assert await house.status("a") is Status.COMPLETED


async def test_after_a_nonsensical_answer_the_turn_is_tried_again_after_a_growing_pause() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        batch = None
        for pause_s in (1, 2, 4, 8, 16, 32, 60, 60):
            item = await worker.turn()
            assert batch in {None, item.new_bytes}, "the batch stays frozen"
            batch = item.new_bytes
            with pytest.raises(WorkerFault):
                await worker.decide(item, schedule(1), schedule(1))
            await house.pass_time(pause_s * SECOND_US - 1)
            assert not worker.waiting
            await house.pass_time(1)
        await worker.decide(await worker.turn(), complete())
        assert await house.status("a") is Status.COMPLETED
        assert house.kinds("a") == ["WorkflowStarted", "ExecutionStarted", "ExecutionCompleted"]


async def test_an_event_during_the_pause_does_not_shorten_it() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        with pytest.raises(WorkerFault):
            await worker.decide(await worker.turn(), complete(status=Status.RUNNING))
        await house.raise_event("a", "e")
        await house.settle()
        assert not worker.waiting
        await house.pass_time(SECOND_US)
        assert (await worker.turn()).names() == ["WorkflowStarted", "ExecutionStarted"]


async def test_an_activity_that_has_failed_may_be_tried_again_under_its_id() -> None:
    """Microsoft's SDK does so; the one that is still out has only one result, all the same."""
    async with House() as house:
        worker = house.worker(dialect=Dialect.MICROSOFT)
        await house.start("a")
        await worker.decide(await worker.turn(), schedule(1))
        for attempt in range(3):
            item = await worker.activity()
            with pytest.raises(WorkerFault, match="action id 1"):
                await worker.decide(await _turn_while(house, worker, attempt), schedule(1))
            await worker.finish(item, failure=f"no {attempt}")
            await worker.finish(item, "late")
            await house.pass_time(60 * SECOND_US)
            await worker.decide(await worker.turn())
            turn = await worker.turn()
            assert turn.names() == ["WorkflowStarted", "TaskFailed"]
            await worker.decide(turn, schedule(1))
        await worker.finish(await worker.activity(), "yes")
        await worker.decide(await worker.turn(), complete())
        assert house.kinds("a").count("TaskFailed") == 3
        assert house.kinds("a").count("TaskCompleted") == 1


async def _turn_while(house: House, worker: Worker, attempt: int) -> TurnItem:
    await house.raise_event("a", f"while {attempt} is out")
    return await worker.turn()


async def test_the_clock_of_a_workflow_never_runs_backwards() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn())
        house.clock.set_back(3600 * SECOND_US)
        await house.raise_event("a", "e")
        item = await worker.turn()
        assert item.new[0].at_us >= item.past[0].at_us
        await worker.decide(item, schedule(1), complete())
        times = [e.at_us for e in house.history("a") if type(e).__name__ != "EventRaised"]
        assert times == sorted(times)


async def test_custom_status_is_replaced_by_each_turn_also_by_absence() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), custom_status="one")
        assert (await house.view("a")).custom_status == "one"
        await house.raise_event("a", "e")
        await worker.decide(await worker.turn())
        assert (await house.view("a")).custom_status is None
        await house.raise_event("a", "e")
        await worker.decide(await worker.turn(), custom_status="two")
        assert (await house.view("a")).custom_status == "two"
        await house.raise_event("a", "e")
        await worker.decide(await worker.turn(), custom_status="")
        assert (await house.view("a")).custom_status is None


async def test_a_worker_is_sent_the_bytes_that_were_committed() -> None:
    """P7."""
    async with House() as house:
        worker = house.worker()
        await house.start("a", input="1", tags=(("k", "v"),))
        await worker.decide(await worker.turn(), schedule(1), patches=["p"], version="v1")
        await worker.finish(await worker.activity(), failure="no")
        for name in ("x", "y"):
            await house.raise_event("a", name, "{}")
        item = await worker.turn()
        loaded = house.store.load("a")
        assert loaded is not None
        assert list(item.past_bytes) == [row.event for row in loaded.history]
        await worker.decide(item, complete(), patches=["p"])
        loaded = house.store.load("a")
        assert loaded is not None
        stored = [row.event for row in loaded.history]
        assert stored[: len(item.past_bytes)] == list(item.past_bytes)
        tail = stored[len(item.past_bytes) :]
        assert tail[: len(item.new_bytes)] == list(item.new_bytes)
