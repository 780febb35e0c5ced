"""First turns that are handed out while the start they are about is on its way to the disk."""

import asyncio
from typing import Any

import pytest

from perdure.base.errors import StoreFailed, StoreUnsure, WorkerFault
from perdure.base.time import SECOND_US
from perdure.components.port import Started
from perdure.core import requests as rq
from perdure.core.events import EventRaised, ExecutionStarted
from perdure.core.requests import Refusal
from perdure.core.status import Status
from tests.kit.answers import (
    complete,
    no_such_version,
    schedule,
    turn_answer,
)
from tests.kit.house import APP, House
from tests.kit.town import Town
from tests.kit.worker import TurnItem, Worker

Starting = asyncio.Task[None]


async def early(house: House, worker: Worker, instance_id: str = "a") -> tuple[TurnItem, Starting]:
    """Return a first turn whose start is held on its way to the disk, and that start."""
    house.store.hold_commits()
    starting = asyncio.create_task(house.start(instance_id))
    turn = await worker.turn()
    return turn, starting


async def breathe() -> None:
    """Let everything happen that can without the disk."""
    for _ in range(20):
        await asyncio.sleep(0)


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


@pytest.mark.parametrize("resident", [True, False])
async def test_an_id_in_use_is_refused_and_its_bearer_goes_on(resident: bool) -> None:
    async with House(residents_max=1) as house:
        worker = house.worker()
        await house.start("a", input="bearer")
        await worker.decide(await worker.turn())
        if not resident:
            await house.start("b")
            await worker.decide(await worker.turn())
            await house.settle()
            assert house.engine.resident("a") is None
        house.store.hold_commits()
        starting = asyncio.create_task(house.component.start(_start(input="second")))
        raising = asyncio.create_task(house.raise_event("a", "go"))
        await breathe()
        house.store.let_commits_go()
        assert isinstance(await starting, Refusal)
        await raising
        turns = [await worker.turn()]
        if not resident:
            assert turns[0].input == "second"
            await worker.decide(turns[0], complete(1, "of nobody"))
            turns.append(await worker.turn())
        last = turns[-1]
        assert [event.name for event in last.new if isinstance(event, EventRaised)] == ["go"]
        await worker.decide(last, complete(1, "x"))
        view = await house.finished("a")
        assert (view.input, view.output) == ("bearer", "x")


async def test_the_bearer_of_an_id_is_not_kept_waiting_by_a_start_that_is_refused() -> None:
    """Its turn goes out while a first turn is out that never will be one."""
    async with House(residents_max=1, turns_max_by_name={"wf": 5}) as house:
        worker = house.worker()
        await house.start("a", input="bearer")
        await worker.decide(await worker.turn())
        await house.start("b")
        await worker.decide(await worker.turn())
        await house.settle()
        house.store.hold_replies()
        raising = asyncio.create_task(house.raise_event("a", "go"))
        await house.blocking(house.store.reply_waits.wait)
        starting = asyncio.create_task(house.component.start(_start(input="second")))
        void = await worker.turn()
        assert void.input == "second"
        house.store.hold_commits()
        house.store.let_replies_go()
        await raising
        last = await worker.turn()
        assert last.raised() == ["go"]
        await worker.decide(void, complete(1, "of nobody"))
        house.store.let_commits_go()
        assert isinstance(await starting, Refusal)
        await worker.decide(last, complete(1, "x"))
        assert (await house.finished("a")).output == "x"
        assert house.engine.figures()["outstanding_turns"] == 0


async def test_an_id_that_is_used_again_begins_anew() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a", input="old")
        await worker.decide(await worker.turn(), complete(1, "old"))
        house.store.hold_commits(after=1)
        starting = asyncio.create_task(house.start("a", input="new"))
        turn = await worker.turn()
        assert (turn.input, turn.past) == ("new", ())
        assert (await house.view("a")).output == "old"
        house.store.let_commits_go()
        await starting
        await worker.decide(turn, complete(1, "new"))
        assert (await house.finished("a")).output == "new"


async def test_of_two_starts_of_an_id_the_first_has_its_turn() -> None:
    async with House() as house:
        worker = house.worker()
        house.store.hold_commits()
        first = asyncio.create_task(house.component.start(_start(input="1")))
        second = asyncio.create_task(house.component.start(_start(input="2")))
        turn = await worker.turn()
        await breathe()
        assert turn.input == "1"
        assert not worker.waiting
        house.store.let_commits_go()
        assert await first == Started("a")
        assert isinstance(await second, Refusal)
        await worker.decide(turn, complete(1, "x"))
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


async def test_a_worker_keeps_one_history_of_an_id_and_a_refused_start_is_one() -> None:
    async with House(residents_max=1) as house:
        worker = house.worker(stateful=True)
        await house.start("a", input="bearer")
        await worker.decide(await worker.turn())
        await house.start("b")
        await worker.decide(await worker.turn())
        await house.settle()
        assert isinstance(await house.component.start(_start(input="second")), Refusal)
        assert (await worker.turn()).input == "second"
        await house.raise_event("a", "go")
        last = await worker.turn()
        assert not last.cached
        await worker.decide(last, complete(1))


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


async def test_where_nodes_share_a_store_only_the_owner_hands_out_early() -> None:
    async with Town("ann", "ben") as town:
        of_ann, of_ben = town["ann"].worker(), town["ben"].worker()
        await town.spread()
        instance_id = town.id_at("ann")
        for asked in ("ben", "ann"):
            house = town[asked]
            house.store.hold_commits()
            starting = asyncio.create_task(house.start(instance_id))
            await breathe()
            assert not of_ben.waiting
            assert bool(of_ann.waiting) is (asked == "ann")
            house.store.let_commits_go()
            await starting
            await of_ann.decide(await of_ann.turn(), complete(1, asked))
            assert (await house.finished(instance_id)).output == asked
            await house.purge(instance_id)
            await town.settle()


async def test_a_node_that_loses_what_it_has_begun_early_leaves_it_to_the_other() -> None:
    async with Town("ann", "ben") as town:
        of_ann, of_ben = town["ann"].worker(), town["ben"].worker()
        await town.spread()
        instance_id = town.id_at("ann")
        house = town["ann"]
        house.store.hold_replies()
        starting = asyncio.create_task(house.start(instance_id))
        void = await of_ann.turn()
        await house.blocking(house.store.reply_waits.wait)
        house.owner.drop([term for term in house.owner.terms if term.partition.app_id == APP])
        house.store.let_replies_go()
        await starting
        await of_ann.decide(void, complete(1, "never"))
        assert not (await town["ben"].view(instance_id)).finished
        assert house.engine.figures()["outstanding_turns"] == 0
        await town.spread()
        for worker in (of_ann, of_ben):
            while worker.waiting:
                await worker.decide(await worker.turn(), complete(1, "x"))
        assert (await town["ben"].finished(instance_id)).output == "x"


def _start(**fields: object) -> rq.Start:
    known: dict[str, object] = {"instance_id": "a", "name": "wf", "app_id": APP}
    return rq.Start(**(known | fields))  # type: ignore[arg-type]
