"""The engine as the doors see it: views, pages, and the same answers from memory and from disk."""

import asyncio

import pytest

from perdure.base.errors import CallerFault
from perdure.base.time import SECOND_US
from perdure.components.port import Done, FailureView, IdPage, Purged
from perdure.core.status import Status
from perdure.store.query import Compare, Field, InstanceQuery, Operator, Order
from tests.kit.answers import child, complete, schedule, timer
from tests.kit.house import House


async def test_a_view_is_the_same_from_memory_and_from_disk() -> None:
    async with House(residents_max=1) as house:
        worker = house.worker()
        tags = (("k", "v"),)
        await house.start("a", input='{"x": 1}', version="v", tags=tags)
        await worker.decide(await worker.turn(), schedule(1), custom_status="half way")
        await worker.finish(await worker.activity(), failure="no luck")
        await worker.decide(
            await worker.turn(),
            complete(2, status=Status.FAILED, result="", failure="no luck"),
            custom_status="over",
        )
        from_memory = await house.view("a")
        assert house.engine.resident("a") is not None
        await house.start("b")
        assert house.engine.resident("a") is None
        assert await house.view("a") == from_memory
        assert (from_memory.input, from_memory.output) == ('{"x": 1}', "")
        assert (from_memory.custom_status, from_memory.version) == ("over", "v")
        assert from_memory.tags == tags
        assert from_memory.failure == FailureView("ValueError", "no luck")
        assert (from_memory.waits_for, from_memory.waits_since_us) == ("nothing", None)


async def test_a_custom_status_that_is_empty_is_none() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), schedule(1), custom_status="half way")
        await worker.finish(await worker.activity())
        await worker.decide(await worker.turn(), schedule(2), custom_status="")
        assert (await house.view("a")).custom_status is None


async def test_a_view_that_the_disk_knows_before_the_memory_is_whole() -> None:
    async with House(residents_max=1) as house:
        worker = house.worker()
        later_us = house.clock.now_us() + SECOND_US
        await house.start("a", input="1")
        await worker.decide(await worker.turn(), timer(1, later_us))
        await house.start("b")
        assert house.engine.resident("a") is None
        # Somebody asks for "a", which is not in memory; before the disk is read, it ends there.
        house.store.hold_looks()
        asked = asyncio.create_task(house.component.get("a"))
        await asyncio.to_thread(house.store.look_waits.wait)
        house.clock.advance(SECOND_US)
        item = await worker.turn()
        while item.instance_id != "a":
            item = await worker.turn()
        house.store.hold_replies()
        answer = asyncio.create_task(worker.decide(item, complete(2, result='"x"')))
        await asyncio.to_thread(house.store.reply_waits.wait)
        house.store.let_looks_go()
        view = await asked
        house.store.let_replies_go()
        await answer
        assert view is not None
        assert (view.status, view.input, view.output) == (Status.COMPLETED, "1", '"x"')


async def test_payloads_are_left_out_when_nobody_asks() -> None:
    async with House() as house:
        await house.start("a", input="1")
        view = await house.component.get("a", payloads=False)
        assert view is not None
        assert (view.input, view.output, view.failure) == (None, None, None)
        assert await house.component.get("nobody") is None


async def test_what_an_instance_waits_for() -> None:
    async with House() as house:
        worker = house.worker()
        later_us = house.clock.now_us() + SECOND_US
        await house.start("start time", scheduled_start_us=later_us)
        cases = {
            "activity": [schedule(1)],
            "child": [child(1, "the child")],
            "timer": [timer(1, later_us)],
            "event": [],
        }
        for name, actions in cases.items():
            await house.start(name)
            await worker.decide(await worker.turn(), *actions)
            await house.settle()
            worker.waiting.clear()
        await house.start("turn")
        await house.start("resume")
        await house.suspend("resume")
        for name in (*cases, "start time", "turn", "resume"):
            assert (await house.view(name)).waits_for == name
        await house.pass_time(SECOND_US)


async def test_history_comes_in_pages() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), schedule(1), complete(2))
        whole = await house.component.history("a")
        assert whole is not None
        assert (len(whole.events), whole.first_seq, whole.next_after) == (4, 1, None)
        found: list[object] = []
        after: int | None = 0
        while after is not None:
            page = await house.component.history("a", after_seq=after, limit=3)
            assert page is not None
            found += page.events
            after = page.next_after
        assert tuple(found) == whole.events
        beyond = await house.component.history("a", after_seq=9)
        assert beyond is not None
        assert (beyond.events, beyond.next_after) == ((), None)
        assert await house.component.history("nobody") is None


async def test_ids_come_in_pages_in_the_order_of_birth() -> None:
    async with House() as house:
        ids = [f"i{number}" for number in range(5)]
        for instance_id in ids:
            await house.start(instance_id)
        found: list[str] = []
        token: str | None = None
        while True:
            page = await house.component.list_ids(token, 2)
            found += page.instance_ids
            token = page.next_token
            if token is None:
                break
        assert found == ids
        assert await house.component.list_ids(None, 0) == IdPage(tuple(ids), None)
        for garbage in ("x", "-1", "\u0661", ""):
            if garbage:
                with pytest.raises(CallerFault):
                    await house.component.list_ids(garbage, 2)


async def test_listings_with_and_without_payloads() -> None:
    async with House() as house:
        for number in range(5):
            await house.start(f"i{number}", input=str(number), tags=(("n", str(number % 2)),))
        query = InstanceQuery(
            where=Compare("tags.n", Operator.EQ, ("0",)), order=(Order(Field.ID),), limit=2
        )
        page = await house.component.find(query, payloads=True)
        assert [view.input for view in page.instances] == ["0", "2"]
        assert page.next_token is not None
        bare = await house.component.find(query)
        assert [view.input for view in bare.instances] == [None, None]
        for limit in (0, 1_001):
            with pytest.raises(CallerFault):
                await house.component.find(InstanceQuery(limit=limit))


async def test_activities_are_seen_from_their_schedule_to_their_end() -> None:
    async with House() as house:
        worker = house.worker(activities_max=1)
        await house.start("a")
        await worker.decide(await worker.turn(), schedule(1), schedule(2))
        item = await worker.activity()
        await house.settle()
        tasks = await house.component.tasks("a")
        assert tasks is not None
        assert [(t.task_id, t.worker, t.attempts) for t in tasks] == [
            (1, "worker 0", 1),
            (2, None, 0),
        ]
        await worker.finish(item, failure="no")
        await house.settle()
        tasks = await house.component.tasks("a")
        assert tasks is not None
        assert [(t.failed, t.finished_at_us is not None) for t in tasks] == [
            (True, True),
            (False, False),
        ]
        assert await house.component.tasks("nobody") is None


async def test_known_names_come_most_used_first() -> None:
    async with House() as house:
        for number, name in enumerate(["b", "a", "c", "c"]):
            await house.start(f"i{number}", name=name)
        assert await house.component.known_names() == ["c", "a", "b"]


async def test_operations_are_measured_and_refusals_have_not_succeeded() -> None:
    async with House() as house:
        await house.start("a")
        await house.raise_event("a", "e")
        await house.raise_event("nobody", "e")
        await house.component.get("nobody")
        await house.purge("a", force=True)
        seen = [
            (report.positional[0], report.details["succeeded"])
            for report in house.recorder.of("operation")
        ]
        assert seen == [
            ("create_workflow", True),
            ("add_event", True),
            ("add_event", False),
            ("get_workflow", False),
            ("purge_workflow", True),
        ]


@pytest.mark.parametrize("below", [1, 3])
async def test_a_terminate_is_in_force_when_all_below_have_ended_too(below: int) -> None:
    async with House() as house:
        worker = house.worker()
        names = [f"g{number}" for number in range(below + 1)]
        await house.start(names[0])
        for name in names[1:]:
            await worker.decide(await worker.turn(), child(1, name))
        await worker.decide(await worker.turn(), schedule(1))
        assert await house.terminate(names[0]) == Done(in_force=True)
        ended = [house.on_disk(name).status for name in names]
        assert ended == [Status.TERMINATED] * len(names)
        assert await house.purge(names[0]) == Purged(len(names))


async def test_who_names_one_above_as_its_child_is_waited_for_once() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("parent")
        await worker.decide(await worker.turn(), child(1, "child"))
        # It has not heard that the id is taken when all of it is ended.
        await worker.decide(await worker.turn(), child(1, "parent"))
        assert await house.terminate("parent") == Done(in_force=True)


async def test_a_terminate_is_not_in_force_while_one_below_cannot_be_written() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("parent")
        await worker.decide(await worker.turn(), child(1, "child"))
        await worker.decide(await worker.turn(), schedule(1))
        house.store.hold_commits(after=2)
        asked = asyncio.create_task(house.terminate("parent"))
        await asyncio.to_thread(house.store.commit_waits.wait)
        assert house.on_disk("parent").status == Status.TERMINATED
        house.clock.advance(3 * SECOND_US)
        assert await asked == Done(in_force=False)
        house.store.let_commits_go()
