"""The ring, once around: what the engine promises about the plainest workflows."""

import asyncio

import pytest

from perdure.base.errors import WorkerFault
from perdure.base.time import SECOND_US
from perdure.core.status import Status
from tests.kit.answers import child, complete
from tests.kit.house import House
from tests.kit.worker import hello


async def test_hello() -> None:
    async with House() as house:
        house.worker().work(hello)
        await house.start("a", input="1")
        view = await house.finished("a")
        assert view.status is Status.COMPLETED
        assert view.output == "1"
        assert house.kinds("a") == [
            "WorkflowStarted",
            "ExecutionStarted",
            "TaskScheduled",
            "WorkflowStarted",
            "TaskCompleted",
            "ExecutionCompleted",
        ]


async def test_a_stopped_engine_leaves_nothing_running() -> None:
    """Whatever was to be tried again is found on disk by the next one."""
    async with House(residents_max=1) as house:
        house.expected_faults = ("reading", "landing")
        worker = house.worker()
        await house.start("faulty")
        with pytest.raises(WorkerFault):
            await worker.decide(await worker.turn(), complete(status=Status.RUNNING))
        await house.start("a")
        await worker.decide(await worker.turn())
        await house.start("b")
        turn = await worker.turn()
        house.store.hold_commits()
        raising = house.soon(house.raise_event("a", "e"))
        await house.reads_done()
        house.store.fail_reads(100)
        house.store.let_commits_go()
        await raising
        deciding = house.soon(worker.decide(turn, child(1, "c")))
        await house.settle()
        house.store.fail_commits(1_000)
        note = house.soon(house.component.wait("a", finished=True, timeout_us=None))
        await house.settle()
        await house.engine.stop()
        for left in (deciding, note):
            left.cancel()
        worker.leave()
        reports = len(house.recorder.reports)
        for _ in range(200):
            house.clock.advance(SECOND_US)
            await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert len(house.recorder.reports) <= reports + 2, "nor does it try on and on"
        house.store.fail_reads(0)
        house.store.fail_commits(0)
        await house.open()
        worker = house.worker()
        for _ in range(2):
            await worker.turn()
