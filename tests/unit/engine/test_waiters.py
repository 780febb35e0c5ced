"""Those who wait: for an instance that is not there yet, for its start, its end, its loss."""

import pytest

from perdure.base.time import SECOND_US
from perdure.core.status import Status
from tests.kit.answers import complete, continue_as_new
from tests.kit.house import House


async def test_a_missing_instance_is_waited_for() -> None:
    async with House() as house:
        waits = [
            house.soon(house.component.wait("a", finished=finished, timeout_us=None))
            for finished in (False, True)
        ]
        await house.settle()
        await house.start("a")
        worker = house.worker()
        turn = await worker.turn()
        await house.settle()
        assert not any(wait.done() for wait in waits), "pending is not started"
        await worker.decide(turn)
        started = await waits[0]
        assert started is not None
        assert started.status is Status.RUNNING
        assert not waits[1].done()
        await house.raise_event("a", "e")
        await worker.decide(await worker.turn(), complete(0, "x"))
        ended = await waits[1]
        assert ended is not None
        assert ended.output == "x"


async def test_continue_as_new_is_no_end() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        wait = house.soon(house.component.wait("a", finished=True, timeout_us=None))
        await worker.decide(await worker.turn(), continue_as_new(1))
        turn = await worker.turn()
        await house.settle()
        assert not wait.done()
        await worker.decide(turn, complete(0))
        assert await wait is not None


async def test_when_time_is_up_the_view_of_that_moment_is_given() -> None:
    async with House() as house:
        await house.start("a")
        wait = house.soon(house.component.wait("a", finished=True, timeout_us=SECOND_US))
        nobody = house.soon(house.component.wait("b", finished=True, timeout_us=SECOND_US))
        await house.settle()
        await house.pass_time(SECOND_US)
        view = await wait
        assert view is not None
        assert view.status is Status.PENDING
        assert await nobody is None


async def test_whoever_waits_for_what_is_purged_does_not_wait_for_ever() -> None:
    async with House() as house:
        await house.start("a")
        wait = house.soon(house.component.wait("a", finished=True, timeout_us=None))
        await house.settle()
        await house.purge("a", force=True)
        assert await wait is None


@pytest.mark.parametrize("end", ["terminate", "complete"])
async def test_what_has_ended_is_not_waited_for(end: str) -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        if end == "terminate":
            await house.terminate("a")
        else:
            await worker.decide(await worker.turn(), complete(0))
        view = await house.component.wait("a", finished=True, timeout_us=None)
        assert view is not None
        assert view.finished
