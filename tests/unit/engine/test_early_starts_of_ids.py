"""First turns that are handed out early, and whom they meet: another of the id, another node."""

import asyncio

import pytest

from perdure.components.port import Started
from perdure.core import requests as rq
from perdure.core.events import EventRaised
from perdure.core.requests import Refusal
from tests.kit.answers import complete
from tests.kit.early import breathe
from tests.kit.house import APP, House
from tests.kit.town import Town


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
    return rq.Start(**(known | fields))  # type: ignore[arg-type]  # what a test says
