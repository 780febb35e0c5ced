"""What is sent of a history: once to a worker that keeps it, each time to one that does not."""

import pytest

from perdure.core.events import TaskCompleted
from tests.kit.answers import complete, schedule
from tests.kit.house import House
from tests.kit.worker import TurnItem

STEPS = 60


async def _events_sent(house: House, *, stateful: bool) -> tuple[int, int]:
    """Run a chain of activities; how many past events were sent, and how long it is in the end."""
    worker = house.worker(stateful=stateful)
    await house.start("a")
    sent = 0
    while True:
        match await worker.take():
            case TurnItem() as item:
                sent += len(item.past_bytes)
                done = [e for e in (*item.known, *item.new) if isinstance(e, TaskCompleted)]
                if len(done) == STEPS:
                    await worker.decide(item, complete(STEPS + 1))
                    break
                await worker.decide(item, schedule(len(done) + 1))
            case activity:
                await worker.finish(activity, "done")
    return sent, house.on_disk("a").head.history_length


async def test_a_worker_that_keeps_histories_is_sent_each_event_once() -> None:
    async with House() as house:
        sent, length = await _events_sent(house, stateful=True)
        assert sent <= length


async def test_a_worker_that_keeps_none_is_sent_everything_each_time() -> None:
    async with House() as house:
        sent, length = await _events_sent(house, stateful=False)
        assert sent > length * STEPS / 4


@pytest.mark.parametrize("times", [1, 3])
async def test_a_worker_that_comes_new_is_sent_the_whole_history_once(times: int) -> None:
    """A multi-turn workflow gets one full send for each stream that has it."""
    async with House() as house:
        worker = house.worker(stateful=True)
        await house.start("a")
        await worker.decide(await worker.turn(), schedule(1))
        for step in range(1, times + 1):
            worker.leave()
            worker = house.worker(stateful=True)
            await worker.finish(await worker.activity(), "done")
            item = await worker.turn()
            assert item.cached is None
            assert len(item.past_bytes) == house.on_disk("a").head.history_length
            await worker.decide(item, schedule(step + 1))
        await worker.finish(await worker.activity(), "done")
        last = await worker.turn()
        assert last.cached is not None
        assert len(last.past_bytes) < len(last.known)
        await worker.decide(last, complete())
