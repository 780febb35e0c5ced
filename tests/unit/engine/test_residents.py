"""What is in memory can be let go and read again at any time, and nobody notices."""

from perdure.core.status import Status
from tests.kit.answers import complete, schedule
from tests.kit.house import House
from tests.kit.worker import hello


async def test_many_instances_with_room_for_one() -> None:
    async with House(residents_max=1) as house:
        house.worker().work(hello)
        ids = [f"i{number}" for number in range(50)]
        for instance_id in ids:
            await house.start(instance_id, input=instance_id)
        for instance_id in ids:
            assert (await house.finished(instance_id)).output == instance_id
        assert house.engine.figures()["outstanding_turns"] == 0
        await house.start("one more")
        await house.finished("one more")
        assert house.engine.figures()["residents"] <= 2


async def test_many_instances_at_once_with_room_for_two_and_few_slots() -> None:
    """P5: no second turn of an instance is handed out while one is out, whoever is evicted."""
    async with House(residents_max=2, turns_max=3, activities_max=2) as house:
        for number in range(60):
            await house.start(f"i{number}", input="x")
        for _ in range(2):
            house.worker().work(hello)
        for number in range(60):
            await house.raise_event(f"i{number}", "noise")
        for number in range(60):
            await house.finished(f"i{number}")
        await house.settle()
        assert house.engine.figures()["outstanding_turns"] == 0
        assert house.engine.figures()["outstanding_activities"] == 0
        assert not house.recorder.of("late_completion_dropped")


async def test_bytes_are_bounded_too() -> None:
    async with House(resident_bytes_max=50_000) as house:
        house.worker().work(lambda _: [])
        for number in range(20):
            await house.start(f"i{number}", input="x" * 10_000)
        await house.settle()
        assert house.engine.figures()["residents"] < 20


async def test_an_instance_purged_while_it_is_read_leaves_no_ghost() -> None:
    async with House(residents_max=1) as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn())
        await house.start("b")
        await worker.decide(await worker.turn())
        assert house.engine.resident("a") is None
        house.store.hold_loads()
        await house.raise_event("a", "e")
        await house.blocking(house.store.load_waits.wait)
        await house.purge("a", force=True)
        house.store.let_loads_go()
        await house.settle()
        assert await house.component.get("a") is None
        await house.start("a")
        assert (await worker.turn()).raised() == []


async def test_what_lands_while_an_instance_is_read_is_not_lost() -> None:
    async with House(residents_max=1) as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn())
        await house.start("b")
        await worker.decide(await worker.turn())
        house.store.hold_loads()
        await house.raise_event("a", "one")
        await house.blocking(house.store.load_waits.wait)
        await house.raise_event("a", "two")
        await house.suspend("a")
        house.store.let_loads_go()
        await house.settle()
        assert not worker.waiting
        await house.resume("a")
        turn = await worker.turn()
        assert turn.names()[1:] == [
            "EventRaised",
            "EventRaised",
            "ExecutionSuspended",
            "ExecutionResumed",
        ]


async def test_a_terminate_of_an_evicted_instance_takes_effect() -> None:
    async with House(residents_max=1) as house:
        worker = house.worker()
        for instance_id in ("a", "b"):
            await house.start(instance_id)
            await worker.decide(await worker.turn(), schedule(1))
            await worker.activity()
        assert house.engine.resident("a") is None
        await house.terminate("a", "out")
        view = await house.view("a")
        assert (view.status, view.output) == (Status.TERMINATED, "out")


async def test_a_resident_read_again_decides_as_the_one_let_go() -> None:
    async with House(residents_max=1) as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), schedule(1), patches=["p"], version="v")
        before = house.engine.resident("a")
        assert before is not None
        await house.start("b")
        await worker.finish(await worker.activity(), "x")
        taken = [await worker.turn() for _ in range(2)]
        for turn in taken:
            await worker.decide(turn, complete(2), patches=["p"])
        turn = next(turn for turn in taken if turn.instance_id == "a")
        assert len(turn.past) == 3
        assert (await house.view("a")).version == "v"


async def test_many_that_were_purged_while_they_were_ready_do_not_hold_up_the_others() -> None:
    """P4: more than are loaded at once, so that nobody else would look again."""
    async with House(residents_max=1) as house:
        for number in range(150):
            await house.start(f"i{number}")
        for number in range(100):
            await house.purge(f"i{number}", force=True)
        house.worker().work(lambda _: [complete(0)])
        for number in range(100, 150):
            await house.finished(f"i{number}")


async def test_bytes_are_bounded_also_when_nobody_is_born() -> None:
    async with House(resident_bytes_max=100_000) as house:
        worker = house.worker()
        ids = [f"i{number}" for number in range(10)]
        for instance_id in ids:
            await house.start(instance_id)
        assert house.engine.figures()["residents"] == len(ids)
        for _ in ids:
            await worker.decide(await worker.turn(), schedule(1, text="x" * 20_000))
        assert house.engine.figures()["residents"] * 24_000 < 130_000
        worker.work(lambda _: [complete(2)])
        for instance_id in ids:
            assert (await house.finished(instance_id)).status is Status.COMPLETED
