"""Instances read anew: after a commit whose reply was lost, memory is what is on disk."""

from perdure.core.events import EventRaised
from perdure.core.status import Status
from tests.kit.answers import child, complete, schedule, timer
from tests.kit.house import House

LOST = ("landing, attempt", "landing a note")


async def test_an_event_that_landed_unheard_is_taken_in() -> None:
    async with House() as house:
        house.expected_faults = LOST
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn())
        house.store.lose_replies(1)
        told = await house.soon(_trying(house.raise_event("a", "go", "x")))
        assert told is not None, "who raised it hears of an error"
        turn = await worker.turn()
        assert [type(e) for e in turn.new if isinstance(e, EventRaised)] == [EventRaised]
        await worker.decide(turn, complete(1))


async def test_a_start_that_landed_unheard_begins() -> None:
    async with House() as house:
        house.expected_faults = LOST
        worker = house.worker()
        house.store.lose_replies(1)
        assert await house.soon(_trying(house.start("a"))) is not None
        void, turn = await worker.turn(), await worker.turn()
        await worker.decide(void, complete(1, "of what nobody heard of"))
        await worker.decide(turn, complete(1, "x"))
        assert (await house.view("a")).output == "x"


async def test_a_turn_that_landed_unheard_has_its_effects() -> None:
    async with House() as house:
        house.expected_faults = LOST
        worker = house.worker()
        await house.start("a")
        turn = await worker.turn()
        house.store.lose_replies(1)
        at_us = house.clock.now_us() + 1_000_000
        landing = house.soon(
            worker.decide(turn, schedule(1, "act", "x"), timer(2, at_us), child(3, "b"))
        )
        await house.settle()
        await house.pass_time(1_000_000)
        await landing
        items = [await worker.take() for _ in range(3)]
        assert sorted(type(item).__name__ for item in items) == [
            "ActivityItem",
            "TurnItem",
            "TurnItem",
        ]


async def test_a_result_that_landed_unheard_is_taken_in() -> None:
    async with House() as house:
        house.expected_faults = LOST
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), schedule(1), schedule(2))
        first, second = await worker.activity(), await worker.activity()
        house.store.lose_replies(1)
        landing = house.soon(worker.finish(first, "x"))
        await house.settle()
        await house.pass_time(1_000_000)
        await landing
        turn = await worker.turn()
        assert turn.has_kind("TaskCompleted")
        await worker.decide(turn)
        await worker.finish(second, "y")
        await worker.decide(await worker.turn(), complete(3))


async def test_a_suspension_that_landed_unheard_holds() -> None:
    async with House() as house:
        house.expected_faults = LOST
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), schedule(1))
        item = await worker.activity()
        house.store.lose_replies(1)
        assert await house.soon(_trying(house.suspend("a"))) is not None
        await house.settle()
        assert await house.status("a") is Status.SUSPENDED
        await worker.finish(item, "x")
        await house.settle()
        assert not worker.waiting
        await house.resume("a")
        await worker.decide(await worker.turn(), complete(2))


async def test_a_purge_that_landed_unheard_is_known() -> None:
    async with House() as house:
        house.expected_faults = LOST
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), complete(1))
        house.store.lose_replies(1)
        assert await house.soon(_trying(house.purge("a"))) is not None
        await house.settle()
        assert await house.component.get("a") is None
        assert house.engine.resident("a") is None


async def _trying(work: object) -> Exception | None:
    try:
        await work  # type: ignore[misc]  # whatever it is, it can be awaited
    except Exception as error:  # noqa: BLE001 - it is looked at
        return error
    return None
