"""Starts that wait for an end: begun in their turn, each once, whatever happens between."""

import asyncio

import pytest

from perdure.base.errors import StoreError, StoreUnavailable
from perdure.base.limits import PARKED_STARTS_OF_ONE_MAX
from perdure.base.time import SECOND_US
from perdure.core.deliveries import Fate, OnExisting, StartStep
from perdure.core.notes import Shelf
from perdure.core.requests import Reason, Refusal
from perdure.core.status import Status
from perdure.core.tracing import TraceContext
from tests.kit.answers import child, complete
from tests.kit.house import House
from tests.kit.posting import message, post, post_surely, start, started
from tests.kit.worker import Worker, hello


def behind(instance_id: str, text: str) -> StartStep:
    return start(instance_id, OnExisting.START_NEXT, text)


def parked(house: House) -> int:
    return house.store.note_count(Shelf.PARKED)


async def finish_next(worker: Worker) -> str | None:
    """Let the next instance end, and return what it was started with."""
    turn = await worker.turn()
    await worker.decide(turn, complete(0))
    return turn.input


async def test_starts_follow_one_another_in_the_order_of_arrival() -> None:
    async with House() as house:
        worker = house.worker()
        assert await post(house, "m0", behind("a", "0")) is Fate.STARTED
        fates = [await post(house, f"m{n}", behind("a", str(n))) for n in (1, 2, 3)]
        assert fates == [Fate.PARKED] * 3
        assert await post(house, "m2", behind("a", "2")) is Fate.DUPLICATE
        assert parked(house) == 3
        seen = [await finish_next(worker) for _ in range(4)]
        assert seen == ["0", "1", "2", "3"]
        await house.settle()
        assert parked(house) == 0
        assert await post(house, "m4", behind("a", "4")) is Fate.STARTED, "the last has ended"


async def test_a_start_and_the_removal_of_its_note_are_one_commit() -> None:
    async with House() as house:
        await house.start("a")
        await post(house, "m", behind("a", "next"))
        await house.terminate("a")
        await house.settle()
        births = [entry for entry in house.store.landed if entry.births]
        assert [end.shelf for end in births[-1].ended_notes] == [Shelf.PARKED]
        assert (await house.view("a")).input == "next"


@pytest.mark.parametrize("way", ["completed", "failed", "terminated", "purged", "replaced"])
async def test_any_end_will_do(way: str) -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a", input="old")
        turn = await worker.turn()
        await post(house, "m", behind("a", "next"))
        match way:
            case "completed":
                await worker.decide(turn, complete(0))
            case "failed":
                await worker.decide(turn, complete(0, status=Status.FAILED))
            case "terminated":
                await house.terminate("a")
            case "purged":
                await house.purge("a", force=True)
            case _:
                assert await post(house, "r", start("a", OnExisting.RECYCLE, "other"))
                assert await finish_next(worker) == "other"
        assert await finish_next(worker) == "next"
        await house.settle()


async def test_what_waits_goes_on_after_a_restart() -> None:
    async with House() as house:
        await house.start("a", input="0")
        for n in (1, 2):
            await post(house, f"m{n}", behind("a", str(n)))
        await house.restart()
        worker = house.worker()
        assert [await finish_next(worker) for _ in range(3)] == ["0", "1", "2"]
        await house.settle()


async def test_an_end_before_a_restart_is_found_after_it() -> None:
    async with House() as house:
        await house.start("a", input="0")
        await post(house, "m1", behind("a", "1"))
        worker = house.worker()
        turn = await worker.turn()
        house.store.power_fails_after(1)
        await worker.decide(turn, complete(0))
        house.expected_faults = ("starting",)
        await house.restart()
        await house.settle()
        assert (await house.view("a")).input == "1"


@pytest.mark.parametrize("landed", range(7))
async def test_each_is_begun_once_wherever_the_power_fails(landed: int) -> None:
    async with House() as house:
        house.expected_faults = ("landing", "moving", "starting", "reading", "trying")
        await house.start("a", input="0")
        house.store.power_fails_after(landed)
        worker = house.worker().work(lambda _: [complete(0)])
        with_trouble = [post(house, f"m{n}", behind("a", str(n))) for n in (1, 2)]
        results = await asyncio.gather(*with_trouble, return_exceptions=True)
        assert all(isinstance(each, Fate | StoreError) for each in results)
        await house.pass_time(SECOND_US)
        await house.restart()
        worker.leave()
        house.worker().work(lambda _: [complete(0)])
        for n in (1, 2):
            again = await post_surely(house, f"m{n}", behind("a", str(n)))
            assert isinstance(results[n - 1], StoreError) or again is Fate.DUPLICATE
        await house.pass_minutes()
        kinds = [row.add.kind for row in house.store.lifecycle(0, 99)]
        assert kinds.count("created") == 3
        assert parked(house) == 0


async def test_a_store_that_is_away_only_delays() -> None:
    async with House() as house:
        house.expected_faults = ("starting",)
        await house.start("a", input="0")
        await post(house, "m", behind("a", "1"))
        worker = house.worker()
        turn = await worker.turn()
        house.store.hold_commits(after=1)
        await worker.decide(turn, complete(0))
        house.store.fail_commits(1, away=True)
        house.store.let_commits_go()
        await house.settle()
        await house.pass_time(10 * SECOND_US)
        assert (await house.view("a")).input == "1"


async def test_nothing_is_started_over_a_child_that_still_runs() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a", input="0")
        await worker.decide(await worker.turn(), child(1, "b"), complete(2))
        assert await post(house, "m", behind("a", "1")) is Fate.PARKED
        await house.settle()
        assert (await house.view("a")).input == "0"
        assert (await worker.turn()).instance_id == "b"
        await house.terminate("b")
        await house.pass_time(2 * SECOND_US)
        assert (await house.view("a")).input == "1"


async def test_whatever_a_start_asks_for_is_kept_with_it() -> None:
    async with House() as house:
        await house.start("a")
        asked = started(
            "a",
            "",
            name="other",
            version="v",
            tags=(("k", "é"), ("l", "")),
            trace=TraceContext("1" * 32, "2" * 16, "01", "s=1"),
            scheduled_start_us=house.clock.now_us() + 10 * SECOND_US,
        )
        step = StartStep(start=asked, on_existing=OnExisting.START_NEXT)
        deliveries = house.component.deliveries
        await deliveries.deliver(message("m", step))
        (waiting,) = await deliveries.parked(None, limit=9)
        assert (waiting.instance_id, waiting.name, waiting.input) == ("a", "other", "")
        await house.restart()
        await house.terminate("a")
        await house.settle()
        view = await house.view("a")
        assert (view.name, view.version, view.input) == ("other", "v", "")
        assert view.tags == (("k", "é"), ("l", ""))
        assert view.scheduled_start_us == asked.scheduled_start_us
        house.worker().work(hello)
        await house.pass_time(11 * SECOND_US)


async def test_what_waits_for_one_end_is_bounded() -> None:
    async with House() as house:
        await house.start("a")
        steps = (post(house, f"m{n}", behind("a", "")) for n in range(PARKED_STARTS_OF_ONE_MAX))
        assert set(await asyncio.gather(*steps)) == {Fate.PARKED}
        refused = await post(house, "over", behind("a", ""))
        assert isinstance(refused, Refusal)
        assert refused.reason is Reason.ALREADY_EXISTS
        assert await post(house, "other", behind("b", "")) is Fate.STARTED


async def test_starts_that_could_not_be_parked_take_no_place() -> None:
    async with House() as house:
        await house.start("a")
        # All are found to be taken in one commit, and none of them can be parked in the next.
        house.store.power_fails_after(1)
        steps = (post(house, f"m{n}", behind("a", "")) for n in range(PARKED_STARTS_OF_ONE_MAX))
        results = await asyncio.gather(*steps, return_exceptions=True)
        assert {type(result) for result in results} == {StoreUnavailable}
        house.store.power_returns()
        assert await post(house, "m", behind("a", "")) is Fate.PARKED


async def test_a_parked_start_can_be_discarded() -> None:
    async with House() as house:
        await house.start("a")
        for n in (1, 2):
            await post(house, f"m{n}", behind("a", str(n)))
        deliveries = house.component.deliveries
        first, second = await deliveries.parked("a", limit=9)
        assert (first.input, second.input) == ("1", "2")
        assert await deliveries.discard_parked(first.key)
        assert not await deliveries.discard_parked(first.key)
        await house.terminate("a")
        await house.settle()
        assert (await house.view("a")).input == "2"
        assert await deliveries.parked("a", limit=9) == []
