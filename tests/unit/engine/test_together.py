"""Results and starts that land as one with the turns that they bring about."""

import asyncio
from typing import Any

import pytest

from perdure.base.errors import StoreFailed, WorkerFault
from perdure.base.limits import LAND_ATTEMPTS_MAX
from perdure.base.time import SECOND_US
from perdure.components.port import Started
from perdure.core import requests as rq
from perdure.core.status import Status
from perdure.engine.dispatcher import WorkStream
from tests.kit.answers import child, complete, no_such_version, schedule
from tests.kit.early import breathe
from tests.kit.house import APP, House
from tests.kit.town import Town
from tests.kit.worker import ActivityItem, TurnItem, Worker

WAIT_US = 2_000
Finishing = asyncio.Task[None]


def patient(**settings: Any) -> House:
    """Return a house in which a worker that has nothing else to do is waited for."""
    return House(result_waits_us=WAIT_US, **settings)


def stream_of(worker: Worker) -> WorkStream:
    """Return a worker's stream as the engine has it."""
    stream = worker.stream
    assert isinstance(stream, WorkStream)
    return stream


def be_new(worker: Worker) -> None:
    """Have nothing known of what a worker was like until now."""
    stream = stream_of(worker)
    stream.results_to_hurry = stream.late_results = stream.turn_us = 0


async def started(house: House, worker: Worker, instance_id: str = "a") -> TurnItem:
    """Return the first turn of an instance that is on disk by itself."""
    starting = asyncio.create_task(house.start(instance_id))
    turn = await worker.turn()
    while not starting.done():
        await house.pass_time(WAIT_US)
    return turn


async def waiting(house: House, worker: Worker) -> tuple[TurnItem, ActivityItem, Finishing]:
    """Return a turn whose result waits for its answer, and the activity that has ended."""
    await worker.decide(await started(house, worker), schedule(1))
    activity = await worker.activity()
    be_new(worker)
    finishing = asyncio.create_task(worker.finish(activity, "done"))
    return await worker.turn(), activity, finishing


async def test_a_result_and_the_turn_that_takes_it_are_one_commit() -> None:
    async with patient() as house:
        worker = house.worker()
        turn, _, finishing = await waiting(house, worker)
        await breathe()
        assert not finishing.done(), "it is acknowledged when it is on disk"
        assert house.on_disk("a").inbox_length == 0
        before = house.store.commits
        await worker.decide(turn, complete(2, "x"))
        await finishing
        assert house.store.commits == before + 1
        assert house.kinds("a")[-3:] == ["WorkflowStarted", "TaskCompleted", "ExecutionCompleted"]
        assert (await house.view("a")).output == "x"
        assert len(house.recorder.of("activity_finished")) == 1


async def test_nobody_is_told_before_that_commit_has_landed() -> None:
    async with patient() as house:
        worker = house.worker()
        turn, _, finishing = await waiting(house, worker)
        house.store.hold_commits()
        deciding = asyncio.create_task(worker.decide(turn, schedule(2)))
        await breathe()
        assert not worker.waiting, "no activity before its cause"
        assert not finishing.done()
        assert not deciding.done()
        house.store.let_commits_go()
        await asyncio.gather(finishing, deciding)
        await worker.activity()


async def test_a_result_that_has_waited_long_enough_lands_by_itself() -> None:
    async with patient() as house:
        worker = house.worker()
        turn, _, finishing = await waiting(house, worker)
        await house.pass_time(WAIT_US)
        await finishing
        assert house.on_disk("a").inbox_length == 1
        await worker.decide(turn, complete(2, "x"))
        assert (await house.view("a")).output == "x"


async def test_a_worker_that_was_late_is_not_waited_for_the_next_time() -> None:
    async with patient() as house:
        worker = house.worker()
        turn, _, finishing = await waiting(house, worker)
        await house.pass_time(WAIT_US)
        await finishing
        await worker.decide(turn, schedule(2))
        stream_of(worker).turn_us = 0
        await worker.finish(await worker.activity())
        assert house.on_disk("a").inbox_length == 1
        await worker.decide(await worker.turn(), schedule(3))
        stream_of(worker).turn_us = 0
        again = asyncio.create_task(worker.finish(await worker.activity()))
        turn = await worker.turn()
        await breathe()
        assert not again.done(), "and the time after that it is"
        await worker.decide(turn, complete(4))
        await again


@pytest.mark.parametrize(("turn_us", "waits"), [(1_500, True), (1_501, False)])
async def test_a_result_waits_where_its_commit_would_take_about_as_long_as_the_turn(
    turn_us: int, waits: bool
) -> None:
    """One that is on disk before its turn is answered has cost nobody anything."""
    async with patient() as house:
        worker = house.worker()
        await worker.decide(await started(house, worker), schedule(1))
        be_new(worker)
        stream_of(worker).results_to_hurry = 1
        house.store.hold_commits()
        finishing = asyncio.create_task(worker.finish(await worker.activity()))
        turn = await worker.turn()
        await breathe()
        house.clock.advance(1_000)
        house.store.let_commits_go()
        await finishing
        house.clock.advance(turn_us - 1_000)
        await worker.decide(turn, schedule(2))
        finishing = asyncio.create_task(worker.finish(await worker.activity()))
        turn = await worker.turn()
        if waits:
            await breathe()
            assert not finishing.done()
            assert house.on_disk("a").inbox_length == 0
        else:
            await finishing
            assert house.on_disk("a").inbox_length == 1
        await worker.decide(turn, complete(3))
        await finishing


async def test_a_worker_that_has_something_else_to_do_is_not_waited_for() -> None:
    async with patient() as house:
        worker = house.worker()
        await worker.decide(await started(house, worker, "b"), schedule(1))
        other = await worker.activity()
        await worker.decide(await started(house, worker), schedule(1))
        await worker.finish(await worker.activity(), "done")
        assert house.on_disk("a").inbox_length == 1
        await worker.decide(await worker.turn(), complete(2))
        turn = asyncio.create_task(worker.finish(other))
        await worker.decide(await worker.turn(), complete(2))
        await turn


@pytest.mark.parametrize("how", ["nonsense", "stall", "leaves", "terminated", "stopped"])
async def test_a_result_whose_turn_comes_to_nothing_lands_by_itself(how: str) -> None:
    async with patient() as house:
        worker = house.worker()
        turn, _, finishing = await waiting(house, worker)
        match how:
            case "nonsense":
                with pytest.raises(WorkerFault):
                    await worker.decide(turn, schedule(9), schedule(9))
            case "stall":
                await worker.decide(turn, no_such_version())
            case "leaves":
                worker.leave()
            case "terminated":
                await house.terminate("a", "stopped")
            case _:
                house.engine.stop_handing_out()
        await house.pass_time(WAIT_US)
        await asyncio.gather(finishing, return_exceptions=True)
        if how == "terminated":
            assert (await house.view("a")).output == "stopped"
            return
        assert house.on_disk("a").inbox_length == 1
        if how == "stopped":
            await house.restart()
        other = house.worker()
        await house.pass_minutes()
        there = next(each for each in (*house.workers,) if each.waiting)
        await there.decide(await there.turn(), complete(2, "x"))
        assert (await house.finished("a")).output == "x"
        assert not other.waiting


async def test_a_commit_that_cannot_be_stored_leaves_the_result_to_go_by_itself() -> None:
    async with patient() as house:
        house.expected_faults = ("landing", "moving")
        worker = house.worker()
        turn, _, finishing = await waiting(house, worker)
        house.store.fail_commits(LAND_ATTEMPTS_MAX)
        deciding = asyncio.create_task(worker.decide(turn, complete(2, "lost")))
        while not deciding.done():
            await house.pass_time(10 * SECOND_US)
        assert isinstance(deciding.exception(), StoreFailed)
        await finishing
        await house.pass_minutes()
        again = await worker.turn()
        assert again.new_bytes[1:] == turn.new_bytes[1:]
        await worker.decide(again, complete(2, "x"))
        assert (await house.finished("a")).output == "x"


async def test_a_purge_meanwhile_leaves_nothing() -> None:
    async with patient() as house:
        worker = house.worker()
        turn, _, finishing = await waiting(house, worker)
        purging = asyncio.create_task(house.purge("a", force=True))
        await breathe()
        await worker.decide(turn, schedule(2))
        await house.pass_time(WAIT_US)
        await asyncio.gather(purging, finishing)
        assert await house.component.get("a") is None
        assert house.store.tasks(0, 9) == ()


# ---- starts


async def test_a_start_and_its_first_turn_are_one_commit() -> None:
    async with patient() as house:
        worker = house.worker()
        starting = asyncio.create_task(house.start("a"))
        turn = await worker.turn()
        await breathe()
        assert not starting.done()
        assert not house.store.landed
        deciding = asyncio.create_task(worker.decide(turn, schedule(1)))
        await asyncio.gather(starting, deciding)
        assert len(house.store.landed) == 1
        assert house.kinds("a") == ["WorkflowStarted", "ExecutionStarted", "TaskScheduled"]
        finishing = asyncio.create_task(worker.finish(await worker.activity(), "done"))
        await worker.decide(await worker.turn(), complete(2, "x"))
        await finishing
        assert (await house.view("a")).output == "x"
        assert house.engine.figures()["outstanding_turns"] == 0


async def test_no_activity_of_a_start_is_handed_out_before_that_is_on_disk() -> None:
    async with patient() as house:
        worker = house.worker()
        house.store.hold_commits()
        starting = asyncio.create_task(house.start("a"))
        deciding = asyncio.create_task(worker.decide(await worker.turn(), schedule(1)))
        await breathe()
        assert not worker.waiting
        assert not starting.done()
        house.store.let_commits_go()
        await asyncio.gather(starting, deciding)
        assert (await worker.activity()).task_id == 1


async def test_a_start_that_ends_at_once_is_one_commit() -> None:
    async with patient() as house:
        worker = house.worker()
        starting = asyncio.create_task(house.start("a"))
        await worker.decide(await worker.turn(), complete(1, "x"))
        await starting
        assert len(house.store.landed) == 1
        assert (await house.finished("a")).output == "x"


async def test_a_start_is_not_kept_waiting_by_a_worker_that_is_slow() -> None:
    async with patient() as house:
        worker = house.worker()
        turn = await started(house, worker)
        assert house.on_disk("a").head.phase == Status.PENDING
        second = asyncio.create_task(house.start("b"))
        await second  # without a wait: it has something else in hand, and was late
        await worker.decide(turn, complete(1))
        await worker.decide(await worker.turn(), complete(1))


async def test_a_first_turn_that_asks_for_more_lands_behind_its_start() -> None:
    async with patient() as house:
        worker = house.worker()
        starting = asyncio.create_task(house.start("a"))
        turn = await worker.turn()
        deciding = asyncio.create_task(worker.decide(turn, child(1, "b")))
        await asyncio.gather(starting, deciding)
        assert len(house.store.landed) == 2
        await worker.decide(await worker.turn(), complete(1, "of the child"))
        await worker.decide(await worker.turn(), complete(2, "x"))
        assert (await house.finished("a")).output == "x"


async def test_a_start_that_could_not_be_stored_with_its_turn_leaves_nothing() -> None:
    async with patient() as house:
        house.expected_faults = ("landing",)
        worker = house.worker()
        house.store.fail_commits(1)
        starting = asyncio.create_task(house.start("a"))
        await worker.decide(await worker.turn(), schedule(1))
        with pytest.raises(StoreFailed):
            await starting
        assert await house.component.get("a") is None
        assert not worker.waiting
        assert house.engine.figures()["outstanding_turns"] == 0


async def test_a_caller_that_goes_while_its_start_waits_has_started_nothing() -> None:
    async with patient() as house:
        worker = house.worker()
        starting = asyncio.create_task(house.start("a"))
        turn = await worker.turn()
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        await worker.decide(turn, schedule(1))
        assert await house.component.get("a") is None
        assert house.engine.figures()["outstanding_turns"] == 0


async def test_a_refused_start_leaves_the_bearer_of_the_id_alone() -> None:
    async with patient(residents_max=1) as house:
        worker = house.worker()
        await worker.decide(await started(house, worker))
        await worker.decide(await started(house, worker, "b"))
        await house.settle()
        request = rq.Start(instance_id="a", name="wf", app_id=APP, input="second")
        starting = asyncio.create_task(house.component.start(request))
        await worker.decide(await worker.turn(), schedule(1))
        assert await starting != Started("a")
        assert not worker.waiting
        assert (await house.view("a")).status is Status.RUNNING


async def test_where_nodes_share_a_store_a_start_does_not_wait_and_a_result_does() -> None:
    async with Town("ann", "ben", result_waits_us=WAIT_US) as town:
        worker = town["ann"].worker()
        await town.spread()
        house = town["ann"]
        instance_id = town.id_at("ann")
        await house.start(instance_id)
        await worker.decide(await worker.turn(), schedule(1))
        finishing = asyncio.create_task(worker.finish(await worker.activity(), "done"))
        turn = await worker.turn()
        before = house.store.commits
        await worker.decide(turn, complete(2, "x"))
        await finishing
        assert house.store.commits == before + 1
        assert (await house.finished(instance_id)).output == "x"
