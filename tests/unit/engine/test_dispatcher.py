"""Who gets what: limits in all and by name, rooms of streams, several apps, the stream's memory."""

import asyncio
from typing import Any

import pytest

from perdure.base.errors import ShuttingDown
from perdure.base.limits import LOADS_AT_ONCE_MAX
from perdure.core.events import ChildCompleted, ChildFailed, TaskCompleted
from perdure.core.status import Status
from perdure.engine.dispatcher import Work, WorkStream
from perdure.engine.work import Dialect, Profile
from perdure.wire.work_items import recall_item
from tests.kit.answers import child, complete, continue_as_new, schedule
from tests.kit.house import House
from tests.kit.worker import ActivityItem, TurnItem, hello


async def test_no_more_turns_are_out_than_allowed() -> None:
    async with House(turns_max=2) as house:
        worker = house.worker()
        for number in range(5):
            await house.start(f"i{number}")
        for number in range(5):
            await house.settle()
            assert house.engine.figures()["outstanding_turns"] == min(2, 5 - number)
            turn = await worker.turn()
            assert turn.instance_id == f"i{number}"
            await worker.decide(turn, complete())


async def test_no_more_are_out_by_name_than_allowed_and_others_pass_by() -> None:
    async with House(turns_max_by_name={"slow": 1}, activities_max_by_name={"rare": 1}) as house:
        worker = house.worker()
        await house.start("s1", name="slow")
        await house.start("s2", name="slow")
        await house.start("f", name="fast")
        first, fast = await worker.turn(), await worker.turn()
        assert (first.instance_id, fast.instance_id) == ("s1", "f")
        await house.raise_event("s2", "noise")
        await house.settle()
        assert not worker.waiting
        await worker.decide(fast, schedule(1, "rare"), schedule(2, "rare"), schedule(3, "often"))
        taken = [await worker.activity() for _ in range(2)]
        assert [item.name for item in taken] == ["rare", "often"]
        await house.settle()
        assert not worker.waiting
        await worker.finish(taken[0])
        names = {type(item).__name__ for item in [await worker.take() for _ in range(2)]}
        assert names == {"ActivityItem", "TurnItem"}
        await worker.decide(first, complete())
        assert (await worker.turn()).instance_id == "s2"


async def test_activities_blocked_by_name_end_with_their_instance() -> None:
    async with House(activities_max_by_name={"rare": 1}) as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), *(schedule(n, "rare") for n in range(4)))
        item = await worker.activity()
        await house.terminate("a")
        await worker.finish(item)
        await house.settle()
        assert not worker.waiting
        assert house.store.tasks(0, 10) == ()


@pytest.mark.parametrize("kind", ["turns", "activities"])
async def test_a_place_that_one_app_frees_is_free_for_all(kind: str) -> None:
    limits: dict[str, Any] = {f"{kind}_max": 1}
    async with House(**limits) as house:
        one, two = house.worker("one"), house.worker("two")
        await house.start("a", app_id="one")
        turn = await one.turn()
        if kind == "turns":
            await house.start("b", app_id="two")
            await house.settle()
            assert not two.waiting
            await one.decide(turn, complete())
        else:
            await one.decide(turn, schedule(1))
            item = await one.activity()
            await house.start("b", app_id="two")
            await two.decide(await two.turn(), schedule(1))
            await house.settle()
            assert not two.waiting
            await one.finish(item)
        assert (await two.take()).instance_id == "b"


async def test_a_place_is_free_also_when_the_stream_left_while_its_answer_landed() -> None:
    async with House(turns_max=1) as house:
        gone, worker = house.worker(), house.worker()
        await house.start("a")
        await house.settle()
        holder = gone if gone.waiting else worker
        other = worker if gone.waiting else gone
        turn = await holder.turn()
        await house.start("b")
        house.store.hold_commits()
        deciding = house.soon(holder.decide(turn, complete()))
        await house.reads_done()
        holder.leave()
        house.store.let_commits_go()
        await deciding
        assert (await other.turn()).instance_id == "b"
        assert await house.status("a") is Status.COMPLETED


async def test_a_stream_is_given_no_more_than_it_has_room_for() -> None:
    async with House() as house:
        for number in range(6):
            await house.start(f"i{number}")
        worker = house.worker(items_max=5, turns_max=3, activities_max=1)
        await house.settle()
        assert len(worker.waiting) == 3
        for _ in range(3):
            await worker.decide(await worker.turn(), schedule(1), schedule(2))
        await house.settle()
        kinds = [type(item) for item in worker.waiting]
        assert (kinds.count(ActivityItem), kinds.count(TurnItem)) == (1, 3)


async def test_turns_go_back_to_the_worker_that_had_the_last_one() -> None:
    async with House() as house:
        workers = [house.worker(stateful=True) for _ in range(3)]
        await house.start("a")
        await house.settle()
        [holder] = [worker for worker in workers if worker.waiting]
        cached = []
        for number in range(4):
            turn = await holder.turn()
            cached.append((turn.cached, len(turn.past)))
            await holder.decide(turn)
            await house.raise_event("a", f"e{number}")
            await house.settle()
        # behaviour.md 3.3: turn 1 has no past, turn 2 is still whole, from turn 3 on only news.
        assert cached == [(None, 0), (None, 2), (2, 2), (4, 2)]


async def test_deltas_start_anew_with_each_generation_and_each_life() -> None:
    async with House() as house:
        worker = house.worker(stateful=True)
        await house.start("a")
        for _ in range(3):
            await worker.decide(await worker.turn())
            await house.raise_event("a", "e")
        await worker.decide(await worker.turn(), continue_as_new(1))
        turn = await worker.turn()
        assert (turn.cached, turn.past) == (None, ())
        await worker.decide(turn)
        await house.raise_event("a", "e")
        turn = await worker.turn()
        assert (turn.cached, len(turn.past)) == (None, 2)
        await house.purge("a", force=True)
        await house.start("a")
        assert (await worker.turn()).cached is None


async def test_a_stateful_worker_that_comes_back_is_sent_everything() -> None:
    async with House() as house:
        worker = house.worker(stateful=True)
        await house.start("a")
        for _ in range(3):
            await worker.decide(await worker.turn())
            await house.raise_event("a", "e")
        lost = await worker.turn()
        assert lost.cached == 4
        worker.leave()
        turn = await house.worker(stateful=True).turn()
        assert (turn.cached, len(turn.past)) == (None, 6)
        assert turn.new_bytes == lost.new_bytes


async def test_several_apps_share_one_server() -> None:
    async with House() as house:
        one, two = house.worker("app"), house.worker("other")
        await house.start("a")
        turn = await one.turn()
        await one.decide(turn, schedule(1, app="other"), child(2, "c", app="other"), schedule(3))
        taken = [await two.take() for _ in range(2)]
        assert sorted(type(item).__name__ for item in taken) == ["ActivityItem", "TurnItem"]
        for item in taken:
            if isinstance(item, ActivityItem):
                await two.finish(item, "far")
            else:
                await two.decide(item, complete(0, "child"))
        local = await one.take()
        assert isinstance(local, ActivityItem)
        assert local.task_id == 3
        await house.settle()
        assert house.on_disk("c").identity.parent_app_id == "app"
        turn = await one.turn()
        await one.decide(turn)
        second = (await one.turn()).new[1:] if len(turn.new) == 2 else ()
        events = [type(event) for event in (*turn.new[1:], *second)]
        assert set(events) == {TaskCompleted, ChildCompleted}
        assert ChildFailed not in events


async def test_microsofts_dialect_is_sent_nothing_that_means_something_else_there() -> None:
    async with House() as house:
        worker = house.worker(dialect=Dialect.MICROSOFT)
        await house.start("a")
        turn = await worker.turn()
        assert turn.new[1].router is None
        await worker.decide(turn, schedule(1, execution_id="e"), patches=["not a patch"])
        item = await worker.activity()
        assert item.execution_id == ""
        await worker.finish(item)
        turn = await worker.turn()
        assert [getattr(event, "execution_id", "") for event in turn.past][2:] == [""]
        await worker.decide(turn, complete(2))
        assert house.on_disk("a").head.patches == ()


async def test_the_end_of_the_server_ends_every_stream_well() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        turn = await worker.turn()
        house.engine.stop_handing_out()
        await house.start("b")
        await worker.decide(turn, complete())
        assert await house.status("a") is Status.COMPLETED, "answers still land"
        await worker.ended()
        assert not worker.waiting
        with pytest.raises(ShuttingDown):
            house.worker()


async def test_figures_come_back_to_nothing() -> None:
    async with House() as house:
        house.worker().work(hello)
        for number in range(30):
            await house.start(f"i{number}", input="x")
        for number in range(30):
            await house.finished(f"i{number}")
        await house.settle()
        figures = house.engine.figures()
        assert {name: n for name, n in figures.items() if name != "residents"} == {
            "ready_turns": 0,
            "ready_activities": 0,
            "outstanding_turns": 0,
            "outstanding_activities": 0,
            "streams": 1,
        }


async def test_a_place_that_a_late_result_leaves_is_taken_by_a_turn() -> None:
    """P4: both kinds of work share the room of a stream, so a place of one may be for the other."""
    async with House() as house:
        worker = house.worker(items_max=1)
        await house.start("a")
        await worker.decide(await worker.turn(), schedule(1))
        activity = await worker.activity()
        await house.start("b")
        await house.terminate("a")
        await worker.finish(activity)
        await house.settle()
        await worker.decide(await worker.turn(), complete(0))
        assert await house.status("b") is Status.COMPLETED


async def test_a_place_that_a_turn_leaves_is_taken_by_an_activity() -> None:
    async with House() as house:
        worker = house.worker(items_max=1)
        await house.start("a")
        turn = await worker.turn()
        await house.start("b")
        await worker.decide(turn, schedule(1))
        last = await worker.take()
        while isinstance(last, TurnItem):
            await worker.decide(last, complete(9))
            last = await worker.take()
        await worker.finish(last)
        await worker.decide(await worker.turn(), complete(2))
        assert await house.status("a") is Status.COMPLETED


async def test_a_load_that_one_app_is_done_with_is_free_for_all() -> None:
    async with House(residents_max=1) as house:
        for number in range(LOADS_AT_ONCE_MAX):
            await house.start(f"a{number}")
        await house.start("b", app_id="other")
        await house.start("last")
        house.store.hold_loads()
        house.worker()
        await house.blocking(house.store.load_waits.wait)
        other = house.worker("other")
        house.store.let_loads_go()
        await other.decide(await other.turn(), complete(0))
        assert await house.status("b") is Status.COMPLETED


async def test_whoever_waits_for_its_name_comes_in_its_turn_also_if_those_before_it_are_gone() -> (
    None
):
    async with House(residents_max=1, turns_max_by_name={"wf": 1}) as house:
        one, two = house.worker(), house.worker("two")
        for number in range(30):
            await house.start(f"i{number}", app_id="app" if number % 3 else "two")
        turn = await two.turn()
        await house.settle()
        assert not one.waiting
        for number in range(1, 20):
            await house.purge(f"i{number}", force=True)
        await house.suspend("i20")
        await two.decide(turn, complete(0))
        one.work(lambda _: [complete(0)])
        two.work(lambda _: [complete(0)])
        for number in range(21, 30):
            await house.finished(f"i{number}")
        await house.resume("i20")
        await house.finished("i20")


async def test_a_stop_lets_workers_finish_what_they_have_and_hands_out_nothing_more() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), schedule(1))
        item = await worker.activity()
        resting = house.soon(house.engine.rest(60))
        await asyncio.sleep(0)  # from here on nothing is handed out, early or not
        await house.start("b")
        await worker.finish(item, "1")
        assert await resting
        assert not worker.waiting, "neither the next turn of a nor the first of b is handed out"
        assert house.kinds("a")[-1] == "TaskScheduled"
        assert house.on_disk("a").inbox_length == 1


async def test_a_worker_that_does_not_finish_is_not_waited_for_longer_than_asked() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        await worker.turn()
        assert not await house.engine.rest(0)
        assert house.engine.figures()["outstanding_turns"] == 1


@pytest.mark.parametrize("recalls", [True, False])
async def test_who_asks_for_it_is_told_of_an_activity_that_nobody_wants(recalls: bool) -> None:
    """Nobody else: released SDKs know no such message."""
    profile = Profile(app_id="app", worker="one", takes_recalls=recalls)
    stream = WorkStream(profile, lambda _: None)
    stream.on_recall("token-1")
    stream.end()
    sent = [item async for item in stream.items()]
    assert sent == ([recall_item("token-1")] if recalls else [])


async def test_items_are_offered_once_none_waits_before_them() -> None:
    stream = WorkStream(Profile(app_id="app", worker="one"), lambda _: None)
    offered: list[bytes] = []
    takes = True

    def offer(item: bytes) -> bool:
        if takes:
            offered.append(item)
        return takes

    stream.send(Work.TURN, "a", b"a")
    stream.goes_by(offer)
    stream.send(Work.TURN, "b", b"b")
    items = stream.items()
    assert [await anext(items), await anext(items)] == [b"a", b"b"]
    stream.send(Work.TURN, "c", b"c")
    assert offered == [b"c"]
    takes = False
    stream.send(Work.TURN, "d", b"d")
    assert await anext(items) == b"d"
    takes = True
    stream.close()
    stream.send(Work.TURN, "e", b"e")
    assert offered == [b"c"]
    assert len(stream.held[Work.TURN]) == 5
