"""Incidents of others: starts that never began, ids used again, parents blocked by children.

Each test recreates what set an incident off, and names where it was told.
"""

import asyncio

import pytest

from perdure.base.errors import StoreUnavailable
from perdure.components.port import Started
from perdure.core import requests as rq
from perdure.core.events import ChildFailed
from perdure.core.requests import Reason, Refusal
from perdure.core.status import Status
from tests.kit.answers import child, complete, continue_as_new, schedule
from tests.kit.house import APP, House
from tests.kit.worker import TurnItem


async def test_a_start_whose_server_dies_at_once_begins_after_the_restart() -> None:
    """The state was saved and the wake-up was not: PENDING for ever.

    dapr/dapr#9843 (a scheduler killed while it makes the reminder), dapr/dapr#10465.
    """
    async with House() as house:
        await house.start("a")
        await house.restart()
        worker = house.worker()
        await worker.decide(await worker.turn(), complete(result="done"))
        assert (await house.view("a")).output == "done"


async def test_a_start_whose_reply_was_lost_is_there_once() -> None:
    """A start timed out, was retried by the client, and failed as already existing; or ran twice.

    dapr/dapr#8862, dapr/dapr#9258.
    """
    async with House() as house:
        house.store.lose_replies(1)
        request = rq.Start(instance_id="a", name="wf", app_id=APP)
        with pytest.raises(StoreUnavailable):
            await house.component.start(request)
        await house.restart()
        again = await house.component.start(request)
        assert isinstance(again, Refusal)
        assert again.reason is Reason.ALREADY_EXISTS
        worker = house.worker()
        await worker.decide(await worker.turn(), complete())
        assert house.store.counts() == {int(Status.COMPLETED): 1}


async def test_a_taken_child_id_fails_the_call_and_not_the_parent() -> None:
    """The parent tried for ever to create a child whose id another workflow had.

    dapr/dapr#7633, dapr/dapr#10197.
    """
    async with House() as house:
        worker = house.worker()
        await house.start("busy")
        await worker.decide(await worker.turn())
        await house.start("parent")
        await worker.decide(await worker.turn(), child(1, "busy"))
        after = await worker.turn()
        (failed,) = [event for event in after.new if isinstance(event, ChildFailed)]
        assert failed.task_id == 1
        await worker.decide(after, complete(2, "went on"))
        assert (await house.view("parent")).output == "went on"
        assert await house.status("busy") is Status.RUNNING


async def test_a_child_of_an_earlier_generation_does_not_swallow_the_next_ones() -> None:
    """After continue-as-new a child with the id of one still running was dropped as a duplicate.

    dapr/dapr#10400.
    """
    async with House() as house:
        worker = house.worker()
        await house.start("parent")
        await worker.decide(await worker.turn(), child(1, "kid"))
        first_turns = [await worker.turn()]
        assert first_turns[0].instance_id == "kid"
        await worker.decide(first_turns[0])
        await house.raise_event("parent", "go")
        await worker.decide(await worker.turn(), continue_as_new())
        await worker.decide(await worker.turn(), child(1, "kid"))
        after = await worker.turn()
        assert [type(event) for event in after.new][-1] is ChildFailed
        await worker.decide(after, complete())


async def test_a_parent_that_died_after_making_a_child_makes_no_second_one() -> None:
    """Child and parent were written apart: the parent tried again, and the child existed already.

    dapr/dapr#9258, dapr/dapr#9537.
    """
    async with House() as house:
        await house.start("parent")
        worker = house.worker()
        turn = await worker.turn()
        house.expected_faults = ("landing", "moving")
        house.store.fail_commits(1)
        landing = asyncio.create_task(worker.decide(turn, child(1, "kid")))
        await house.settle()
        assert house.store.snapshot("kid") is None or house.kinds("parent")[-1] == "ChildCreated"
        await house.pass_minutes()
        await landing
        assert house.kinds("parent").count("ChildCreated") == 1
        assert (await house.view("kid")).parent_id == "parent"


async def test_a_result_of_an_earlier_life_finds_nothing() -> None:
    """An id was started again after its end while an activity was out; the result went astray.

    dapr/dapr#6880, microsoft/durabletask-mssql#315.
    """
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), schedule(1))
        old = await worker.activity()
        await house.terminate("a")
        await house.start("a")
        fresh = await worker.turn()
        await worker.decide(fresh, schedule(1))
        new = await worker.activity()
        await worker.finish(old, "of the old life")
        await house.settle()
        assert not worker.waiting
        await worker.finish(new, "of the new life")
        last = await worker.turn()
        assert [event.result for event in last.new if hasattr(event, "result")] == [
            "of the new life"
        ]
        await worker.decide(last, complete())


async def test_an_id_is_not_given_again_while_children_of_its_old_life_run() -> None:
    """Children of the old life reported to the new one.

    dapr/dapr#10192.
    """
    async with House() as house:
        worker = house.worker()
        await house.start("parent")
        await worker.decide(await worker.turn(), child(1, "kid"))
        kid: TurnItem = await worker.turn()
        await worker.decide(kid)
        await house.raise_event("parent", "go")
        await worker.decide(await worker.turn(), complete())
        request = rq.Start(instance_id="parent", name="wf", app_id=APP)
        refused = await house.component.start(request)
        assert isinstance(refused, Refusal)
        assert "kid" in refused.text
        await house.terminate("kid")
        assert await house.component.start(request) == Started("parent")


async def test_a_purged_instance_is_nobodys_and_its_id_free() -> None:
    """A purge raced with an activity, which was scheduled again and again.

    dapr/dapr#8086, dapr/dotnet-sdk#1246.
    """
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), schedule(1))
        activity = await worker.activity()
        await house.terminate("a")
        await house.purge("a")
        await worker.finish(activity, "too late")
        await house.pass_minutes()
        assert not worker.waiting
        assert await house.component.get("a") is None
        assert house.store.tasks(0, 10) == ()
