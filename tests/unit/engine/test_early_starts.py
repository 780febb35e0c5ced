"""First turns that are handed out while the start they are about is on its way to the disk."""

import asyncio
from typing import Any

import pytest

from perdure.base.errors import StoreFailed, StoreUnsure, WorkerFault
from perdure.base.time import SECOND_US
from perdure.core.events import ExecutionStarted
from perdure.core.status import Status
from tests.kit.answers import (
    complete,
    no_such_version,
    schedule,
    turn_answer,
)
from tests.kit.early import breathe, early
from tests.kit.house import House


async def test_a_first_turn_is_handed_out_before_its_start_is_on_disk() -> None:
    async with House() as house:
        worker = house.worker()
        turn, starting = await early(house, worker)
        assert turn.names() == ["WorkflowStarted", "ExecutionStarted"]
        assert house.store.list_ids(0, 9) == ()
        await breathe()
        assert not starting.done(), "it is acknowledged when it is on disk"
        house.store.let_commits_go()
        await starting
        await worker.decide(turn, complete(1, "x"))
        assert (await house.view("a")).output == "x"
        assert house.kinds("a") == ["WorkflowStarted", "ExecutionStarted", "ExecutionCompleted"]


async def test_nothing_of_an_early_answer_happens_before_the_start_is_on_disk() -> None:
    async with House() as house:
        worker = house.worker()
        turn, starting = await early(house, worker)
        deciding = asyncio.create_task(worker.decide(turn, schedule(1)))
        await breathe()
        assert not worker.waiting, "no activity before its cause"
        assert not deciding.done()
        assert not starting.done()
        assert await house.component.get("a") is None
        house.store.let_commits_go()
        await asyncio.gather(starting, deciding)
        await worker.finish(await worker.activity(), "done")
        await worker.decide(await worker.turn(), complete(2, "x"))
        assert (await house.view("a")).output == "x"


async def test_whoever_waits_for_the_end_of_what_is_not_born_yet_is_told() -> None:
    async with House() as house:
        worker = house.worker()
        waiting = asyncio.create_task(house.finished("a"))
        turn, starting = await early(house, worker)
        await house.engine.complete_turn(turn_answer("a", complete(1, "x"), token=turn.token))
        house.store.let_commits_go()
        await starting
        assert (await waiting).output == "x"


@pytest.mark.parametrize("echoes", [True, False])
@pytest.mark.parametrize("answered", [True, False])
async def test_a_start_that_could_not_be_stored_leaves_nothing(
    answered: bool, echoes: bool
) -> None:
    async with House() as house:
        house.expected_faults = ("landing",)
        worker = house.worker(echoes=echoes)
        house.store.hold_commits()
        house.store.fail_commits(1)
        starting = asyncio.create_task(house.start("a", input="lost"))
        void = await worker.turn()
        deciding = None
        if answered:
            deciding = asyncio.create_task(worker.decide(void, complete(1, "lost")))
            await breathe()
        house.store.let_commits_go()
        with pytest.raises(StoreFailed):
            await starting
        if deciding is not None:
            await deciding
        assert await house.component.get("a") is None
        assert house.engine.figures()["outstanding_turns"] == 0
        await house.start("a", input="kept")
        turn = await worker.turn()
        assert turn.input == "kept"
        if not answered:
            await worker.decide(void, complete(1, "of what was lost"))
            assert not (await house.view("a")).finished
        await worker.decide(turn, complete(1, "right"))
        while not (await house.view("a")).finished:
            # Without tokens, the answer to what was lost could come yet: it is asked once more.
            assert not echoes
            await worker.decide(await worker.turn(), complete(1, "right"))
        assert (await house.view("a")).output == "right"


async def test_a_start_whose_reply_is_lost_goes_on_from_what_is_on_disk() -> None:
    async with House() as house:
        worker = house.worker()
        house.store.hold_commits()
        house.store.lose_replies(1)
        starting = asyncio.create_task(house.start("a"))
        void = await worker.turn()
        house.store.let_commits_go()
        with pytest.raises(StoreUnsure):
            await starting
        await worker.decide(void, complete(1, "never"))
        turn = await worker.turn()
        assert turn.token != void.token
        await worker.decide(turn, complete(1, "x"))
        assert (await house.finished("a")).output == "x"


@pytest.mark.parametrize("answered", [True, False])
async def test_a_restart_goes_on_from_what_is_on_disk(answered: bool) -> None:
    async with House() as house:
        worker = house.worker()
        house.store.power_fails_after(0)
        starting = asyncio.create_task(house.start("a"))
        turn = await worker.turn()
        if answered:
            await house.engine.complete_turn(turn_answer("a", schedule(1), token=turn.token))
        await asyncio.gather(starting, return_exceptions=True)
        await house.restart()
        other = house.worker()
        assert await house.component.get("a") is None
        await house.start("a")
        await other.decide(await other.turn(), complete(1, "x"))
        assert (await house.finished("a")).output == "x"


async def test_a_worker_that_leaves_has_its_early_turn_done_by_another() -> None:
    async with House() as house:
        gone = house.worker()
        turn, starting = await early(house, gone)
        gone.leave()
        other = house.worker()
        house.store.let_commits_go()
        await starting
        again = await other.turn()
        assert again.new_bytes == turn.new_bytes
        await other.decide(again, complete(1, "x"))
        assert (await house.view("a")).output == "x"


async def test_an_answer_outlives_the_stream_of_its_worker() -> None:
    async with House() as house:
        gone = house.worker()
        turn, starting = await early(house, gone)
        await house.engine.complete_turn(turn_answer("a", complete(1, "x"), token=turn.token))
        gone.leave()
        house.store.let_commits_go()
        await starting
        assert (await house.finished("a")).output == "x"


async def test_an_answer_that_breaks_the_protocol_is_refused_to_its_face() -> None:
    async with House() as house:
        worker = house.worker()
        turn, starting = await early(house, worker)
        with pytest.raises(WorkerFault):
            await worker.decide(turn, schedule(1), schedule(1))
        house.store.let_commits_go()
        await starting
        again = await worker.turn()
        assert again.new_bytes == turn.new_bytes
        with pytest.raises(WorkerFault):
            await worker.decide(again, schedule(1), schedule(1))
        await house.settle()
        assert not worker.waiting, "the second time it is not asked again at once"
        await house.pass_minutes()
        await worker.decide(await worker.turn(), complete(1))


async def test_a_second_early_answer_is_dropped() -> None:
    async with House() as house:
        worker = house.worker()
        turn, starting = await early(house, worker)
        deciding = asyncio.create_task(worker.decide(turn, complete(1, "first")))
        await breathe()
        await worker.decide(turn, complete(1, "second"))
        house.store.let_commits_go()
        await asyncio.gather(starting, deciding)
        assert (await house.view("a")).output == "first"


async def test_a_worker_that_lacks_the_version_stalls_what_has_just_been_born() -> None:
    async with House() as house:
        worker = house.worker()
        turn, starting = await early(house, worker)
        deciding = asyncio.create_task(worker.decide(turn, no_such_version()))
        house.store.let_commits_go()
        await asyncio.gather(starting, deciding)
        assert await house.status("a") is Status.STALLED
        fitting = house.worker()
        again = await fitting.turn()
        await fitting.decide(again, complete(1, "x"))
        assert (await house.finished("a")).output == "x"


@pytest.mark.parametrize("answered", [True, False])
async def test_a_termination_right_behind_is_in_force(answered: bool) -> None:
    async with House() as house:
        worker = house.worker()
        turn, starting = await early(house, worker)
        if answered:
            await house.engine.complete_turn(turn_answer("a", schedule(1), token=turn.token))
        house.store.let_commits_go()
        await starting
        await house.terminate("a", "stopped")
        await house.settle()
        view = await house.view("a")
        assert (view.status, view.output) == (Status.TERMINATED, "stopped")
        await worker.decide(turn, complete(1, "late"))
        assert (await house.view("a")).output == "stopped"


async def test_a_suspension_right_behind_lets_what_is_out_come_to_its_end() -> None:
    async with House() as house:
        worker = house.worker()
        turn, starting = await early(house, worker)
        house.store.let_commits_go()
        await starting
        await house.suspend("a")
        await worker.decide(turn, schedule(1))
        assert await house.status("a") is Status.SUSPENDED
        assert not worker.waiting
        await house.resume("a")
        await worker.finish(await worker.activity())
        await worker.decide(await worker.turn(), complete(2))


async def test_an_event_meanwhile_waits_for_the_next_turn() -> None:
    async with House() as house:
        worker = house.worker()
        turn, starting = await early(house, worker)
        house.store.let_commits_go()
        await starting
        await house.raise_event("a", "meanwhile")
        await worker.decide(turn)
        nxt = await worker.turn()
        assert nxt.raised() == ["meanwhile"]
        await worker.decide(nxt, complete(1))


async def test_a_worker_that_keeps_histories_is_sent_all_of_it_once_more_at_most() -> None:
    async with House() as house:
        worker = house.worker(stateful=True)
        turn, starting = await early(house, worker)
        house.store.let_commits_go()
        await starting
        await worker.decide(turn, schedule(1))
        await worker.finish(await worker.activity())
        second = await worker.turn()
        await worker.decide(second, schedule(2))
        await worker.finish(await worker.activity())
        third = await worker.turn()
        assert third.cached
        await worker.decide(third, complete(3))


@pytest.mark.parametrize(
    "how", ["scheduled", "no worker", "no room", "resting", "no place", "no place of its name"]
)
async def test_only_what_could_be_handed_out_at_once_is(how: str) -> None:
    limits: dict[str, dict[str, Any]] = {
        "no place": {"turns_max": 1},
        "no place of its name": {"turns_max_by_name": {"wf": 1}},
    }
    async with House(**limits.get(how, {})) as house:
        there = how != "no worker"
        worker = house.worker(turns_max=1 if how == "no room" else 9) if there else None
        busy = None
        if worker is not None and how.startswith("no "):
            await house.start("busy")
            busy = await worker.turn()
        if how == "resting":
            assert await house.engine.rest(1.0)
        due_us = house.clock.now_us() + SECOND_US if how == "scheduled" else None
        house.store.hold_commits()
        starting = asyncio.create_task(house.start("a", scheduled_start_us=due_us))
        await breathe()
        assert worker is None or not worker.waiting
        house.store.let_commits_go()
        await starting
        if how == "resting":
            await house.restart()
            worker = house.worker()
        if worker is None:
            worker = house.worker()
        if busy is not None:
            await worker.decide(busy, complete(1))
        await house.pass_time(2 * SECOND_US)
        turn = await worker.turn()
        assert any(isinstance(event, ExecutionStarted) for event in turn.new)
        await worker.decide(turn, complete(1))
