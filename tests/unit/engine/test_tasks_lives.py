"""Results of an earlier life or generation must find nothing: ids are used again."""

import pytest

from perdure.core.events import TaskCompleted
from perdure.core.status import Status
from tests.kit.answers import complete, continue_as_new, schedule
from tests.kit.house import House


@pytest.mark.parametrize("echoes", [True, False])
async def test_a_late_result_of_an_earlier_life_finds_nothing(*, echoes: bool) -> None:
    """Section 8: a finished id started again while an activity of the old life is still out."""
    async with House() as house:
        worker = house.worker(echoes=echoes)
        await house.start("a")
        await worker.decide(await worker.turn(), schedule(1, text="old"))
        old = await worker.activity()
        await house.terminate("a")
        await house.start("a", input="2")
        await worker.decide(await worker.turn(), schedule(1, text="new"))
        await house.settle()
        if echoes:
            # It has answered with a token before, so that its late answer can be told apart.
            assert (await worker.activity()).input == "new"
            await worker.finish(old, "of the old life")
        else:
            assert not worker.waiting, "nobody could tell the two answers apart"
            await worker.finish(old, "of the old life")
            assert (await worker.activity()).input == "new"
        await house.settle()
        assert house.kinds("a") == ["WorkflowStarted", "ExecutionStarted", "TaskScheduled"]
        await house.terminate("a")


@pytest.mark.parametrize("echoes", [True, False])
async def test_slots_of_an_earlier_life_come_back(*, echoes: bool) -> None:
    """Whatever becomes of the instance, what is at a worker counts until it comes back."""
    async with House(activities_max=2) as house:
        worker = house.worker(echoes=echoes)
        for life in range(5):
            await house.start("a")
            await worker.decide(await worker.turn(), schedule(1, text=str(life)))
            item = await worker.activity()
            assert item.input == str(life)
            await house.purge("a", force=True)
            await worker.finish(item)
            await house.settle()
            assert house.engine.figures()["outstanding_activities"] == 0


async def test_slots_of_purged_instances_come_back_when_their_worker_leaves() -> None:
    async with House(activities_max=1) as house:
        worker = house.worker()
        await house.start("warm")
        await worker.decide(await worker.turn(), schedule(1))
        await worker.finish(await worker.activity())
        await worker.decide(await worker.turn(), complete())
        await house.start("a")
        await worker.decide(await worker.turn(), schedule(1))
        await worker.activity()
        await house.purge("a", force=True)
        worker.leave()
        assert house.engine.figures()["outstanding_activities"] == 0
        other = house.worker()
        await house.start("b")
        await other.decide(await other.turn(), schedule(1))
        assert (await other.activity()).instance_id == "b"


@pytest.mark.parametrize("echoes", [True, False])
async def test_a_result_of_an_older_generation_is_dropped(*, echoes: bool) -> None:
    async with House() as house:
        worker = house.worker(echoes=echoes)
        await house.start("a")
        await worker.decide(await worker.turn(), schedule(1, text="g1"))
        old = await worker.activity()
        await house.raise_event("a", "go")
        await worker.decide(await worker.turn(), continue_as_new(text="2"))
        await worker.decide(await worker.turn(), schedule(1, text="g2"))
        await house.settle()
        await worker.finish(old, "of generation 1")
        new = await worker.activity()
        assert new.input == "g2"
        await worker.finish(new, "of generation 2")
        turn = await worker.turn()
        assert [e.result for e in turn.new if isinstance(e, TaskCompleted)] == ["of generation 2"]
        assert turn.names() == ["WorkflowStarted", "TaskCompleted"]
        await worker.decide(turn, complete())
        assert await house.status("a") is Status.COMPLETED


async def test_an_activity_of_an_older_generation_does_not_hold_up_the_new_one() -> None:
    """A worker that echoes tokens cannot mistake one for the other."""
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), schedule(1, text="g0"), schedule(2))
        by_id = {item.task_id: item for item in [await worker.activity() for _ in range(2)]}
        await worker.finish(by_id[2])
        await worker.decide(await worker.turn(), continue_as_new())
        await worker.decide(await worker.turn(), schedule(1, text="g1"))
        new = await worker.activity()
        assert new.input == "g1"
        await worker.finish(by_id[1], "old")
        await worker.finish(new, "new")
        turn = await worker.turn()
        assert [e.result for e in turn.new if isinstance(e, TaskCompleted)] == ["new"]
