"""Deliveries: each message counts once, whatever its source does, and leaves its notes with it."""

import asyncio

import pytest

from perdure.base.errors import StoreUnavailable
from perdure.base.time import SECOND_US
from perdure.components.port import Started
from perdure.core.deliveries import Delivered, Delivery, Fate, OnExisting, OnMissing
from perdure.core.notes import NoteAdd, NoteEnd, Shelf
from perdure.core.requests import Reason, Refusal
from perdure.core.status import Status
from tests.kit.answers import child, complete
from tests.kit.house import House
from tests.kit.posting import (
    event,
    message,
    position,
    post,
    receipts,
    start,
    start_or_raise,
    started,
    terminate,
)
from tests.kit.worker import hello

EVERY_EXISTING = list(OnExisting)


def reason_of(result: object) -> Reason:
    assert isinstance(result, Refusal), result
    return result.reason


# ---- starting


async def test_a_message_starts_an_instance_once() -> None:
    async with House() as house:
        house.worker().work(hello)
        assert await post(house, "m1", start("a", text="1")) is Fate.STARTED
        assert (await house.finished("a")).output == "1"
        for on_existing in OnExisting:
            again = start("a", on_existing, "again")
            assert await post(house, "m1", again) is Fate.DUPLICATE
        assert (await house.view("a")).output == "1"
        assert receipts(house) == 1


async def test_all_that_belongs_to_a_message_is_one_commit() -> None:
    async with House() as house:
        before = house.store.commits
        assert await post(house, "m1", start("a")) is Fate.STARTED
        assert house.store.commits == before + 1
        assert position(house) == "m1"
        assert await post(house, "m2", event("a", "e")) is Fate.RAISED
        assert house.store.commits == before + 2
        assert position(house) == "m2"
        assert await post(house, "m3", start("a")) is Fate.DISCARDED
        assert position(house) == "m3"
        assert await post(house, "m1", start("a")) is Fate.DUPLICATE
        assert position(house) == "m3", "what is a duplicate changes nothing"


async def test_copies_of_a_message_at_once_count_once() -> None:
    async with House() as house:
        for step in (start("a"), event("a", "e"), event("none", "e"), start_or_raise("a", "f")):
            copies = [post(house, f"message {step}", step) for _ in range(10)]
            fates = await asyncio.gather(*copies)
            assert fates.count(Fate.DUPLICATE) == 9
        worker = house.worker()
        turn = await worker.turn()
        assert turn.raised() == ["e", "f"]


async def test_without_a_receipt_nothing_tells_messages_apart() -> None:
    async with House() as house:
        step = event("a", "e")
        deliveries = house.component.deliveries
        await house.start("a")
        for _ in range(2):
            assert await deliveries.deliver(Delivery(receipt=None, step=step)) == Delivered(
                Fate.RAISED
            )
        assert (await house.worker().turn()).raised() == ["e", "e"]


@pytest.mark.parametrize("finished", [False, True])
async def test_what_is_discarded_has_been_dealt_with(*, finished: bool) -> None:
    async with House() as house:
        await house.start("a", input="first")
        if finished:
            house.worker().work(hello)
            await house.finished("a")
        assert await post(house, "m", start("a", OnExisting.DISCARD, "second")) is Fate.DISCARDED
        assert await post(house, "m", start("a", OnExisting.RECYCLE, "second")) is Fate.DUPLICATE
        assert (await house.view("a")).input == "first"


@pytest.mark.parametrize("finished", [False, True])
async def test_what_is_rejected_leaves_nothing(*, finished: bool) -> None:
    async with House() as house:
        await house.start("a")
        if finished:
            house.worker().work(hello)
            await house.finished("a")
        before = list(house.store.dump())
        result = await post(house, "m", start("a", OnExisting.REJECT))
        assert reason_of(result) is Reason.ALREADY_EXISTS
        assert list(house.store.dump()) == before
        assert await house.purge("a", force=True)
        assert await post(house, "m", start("a", OnExisting.REJECT)) is Fate.STARTED


async def test_a_message_that_comes_again_is_not_refused_for_what_it_did() -> None:
    async with House() as house:
        assert await post(house, "m", start("a", OnExisting.REJECT)) is Fate.STARTED
        assert await post(house, "m", start("a", OnExisting.REJECT)) is Fate.DUPLICATE
        assert await post(house, "e", event("a", "e", OnMissing.DEAD_LETTER)) is Fate.RAISED
        await house.purge("a", force=True)
        assert await post(house, "e", event("a", "e", OnMissing.DEAD_LETTER)) is Fate.DUPLICATE


# ---- events


async def test_an_event_reaches_a_running_instance() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn())
        for on_missing in OnMissing:
            assert await post(house, f"m {on_missing}", event("a", "e", on_missing)) is Fate.RAISED
        assert await post(house, "m", start_or_raise("a", "f")) is Fate.RAISED
        raised: list[str] = []
        while len(raised) < 4:
            turn = await worker.turn()
            raised += turn.raised()
            await worker.decide(turn)
        assert raised == ["e", "e", "e", "f"]


@pytest.mark.parametrize("finished", [False, True])
async def test_an_event_for_nobody_is_dealt_with_as_was_asked(*, finished: bool) -> None:
    async with House() as house:
        if finished:
            house.worker().work(hello)
            await house.start("a")
            await house.finished("a")
        assert await post(house, "m1", event("a", "e", OnMissing.DISCARD)) is Fate.DISCARDED
        assert await post(house, "m2", event("a", "e", OnMissing.KEEP)) is Fate.KEPT
        refused = await post(house, "m3", event("a", "e", OnMissing.DEAD_LETTER))
        wanted = Reason.ALREADY_FINISHED if finished else Reason.NOT_FOUND
        assert reason_of(refused) is wanted
        assert receipts(house) == 2


async def test_a_stalled_instance_refuses_events_that_were_not_taken_in_before() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), patches=["p"])
        assert await post(house, "m1", event("a", "e")) is Fate.RAISED
        await worker.decide(await worker.turn(), patches=["q"])
        assert await house.status("a") is Status.STALLED
        assert reason_of(await post(house, "m2", event("a", "e"))) is Reason.STALLED
        assert reason_of(await post(house, "m3", start_or_raise("a", "e"))) is Reason.STALLED
        assert await post(house, "m1", event("a", "e")) is Fate.DUPLICATE


# ---- starting or raising, ending


async def test_the_first_message_starts_and_the_next_are_raised() -> None:
    async with House() as house:
        steps = [post(house, f"m{n}", start_or_raise("a", f"e{n}", str(n))) for n in range(5)]
        fates = await asyncio.gather(*steps)
        assert sorted(fate.value for fate in fates if isinstance(fate, Fate)) == [
            *["raised"] * 4,
            "started",
        ]
        worker = house.worker()
        turn = await worker.turn()
        assert len(turn.raised()) == 4
        await worker.decide(turn, complete(1))
        assert await post(house, "m9", start_or_raise("a", "e", "9")) is Fate.STARTED
        assert (await house.view("a")).input == "9", "a finished one is started anew"


async def test_nothing_is_started_over_a_child_that_still_runs() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), child(1, "b"), complete(2))
        refused = await post(house, "m", start_or_raise("a", "e"))
        assert reason_of(refused) is Reason.DESCENDANT_ACTIVE


async def test_an_instance_is_ended_by_a_message() -> None:
    async with House() as house:
        await house.start("a")
        assert await post(house, "m", terminate("a", "over")) is Fate.TERMINATED
        assert (await house.finished("a")).output == "over"
        assert await post(house, "m", terminate("a")) is Fate.DUPLICATE
        assert await post(house, "n", terminate("a")) is Fate.DISCARDED
        assert await post(house, "o", terminate("none")) is Fate.DISCARDED
        assert receipts(house) == 3


# ---- notes


async def test_a_message_without_a_step_leaves_its_notes() -> None:
    async with House() as house:
        letter = NoteAdd(shelf=Shelf.DEAD_LETTERS, key="1", at_us=5, body=b"why", about="trigger")
        deliveries = house.component.deliveries
        buried = message("m", None, notes=(letter,))
        assert await deliveries.deliver(buried) == Delivered(Fate.NOTED)
        assert await deliveries.deliver(buried) == Delivered(Fate.DUPLICATE)
        found = await deliveries.note(Shelf.DEAD_LETTERS, "1")
        assert found is not None
        assert found.body == b"why"


async def test_a_dead_letter_is_replayed_once() -> None:
    async with House() as house:
        deliveries = house.component.deliveries
        letter = NoteAdd(shelf=Shelf.DEAD_LETTERS, key="1", at_us=5, about="trigger")
        await deliveries.deliver(message("m", None, notes=(letter,)))
        replay = Delivery(
            receipt=None, step=start("a"), ended_notes=(NoteEnd(Shelf.DEAD_LETTERS, "1"),)
        )
        results = await asyncio.gather(*(deliveries.deliver(replay) for _ in range(3)))
        assert [each == Delivered(Fate.STARTED) for each in results].count(True) == 1
        assert await deliveries.count_notes(Shelf.DEAD_LETTERS) == 0


async def test_the_shelves_of_the_engine_are_its_own() -> None:
    async with House() as house:
        for shelf in (Shelf.MAILBOX, Shelf.PARKED, Shelf.RECEIPTS):
            note = NoteAdd(shelf=shelf, key="k", at_us=0)
            with pytest.raises(AssertionError):
                await house.component.deliveries.deliver(Delivery(receipt=None, notes=(note,)))


# ---- trouble


async def test_what_could_not_be_stored_may_come_again() -> None:
    async with House() as house:
        for step in (start("a"), event("a", "e"), event("none", "e"), terminate("a")):
            house.store.fail_commits(1, away=True)
            with pytest.raises(StoreUnavailable):
                await post(house, f"m {step}", step)
            house.store.fail_commits(0)
            assert await post(house, f"m {step}", step) is not Fate.DUPLICATE
        assert receipts(house) == 4


async def test_a_lost_reply_is_found_when_the_message_comes_again() -> None:
    async with House() as house:
        for step in (start("a"), event("a", "e"), event("none", "e")):
            house.store.lose_replies(1)
            with pytest.raises(StoreUnavailable):
                await post(house, f"m {step}", step)
            assert await post(house, f"m {step}", step) is Fate.DUPLICATE
            # What has landed unheard of is found by the next process.
            await house.restart()
        turn = await house.worker().turn()
        assert turn.raised() == ["e"]


async def test_starts_of_other_doors_know_nothing_of_deliveries() -> None:
    async with House() as house:
        assert await post(house, "m", start("a")) is Fate.STARTED
        await house.purge("a", force=True)
        assert await house.component.start(started("a")) == Started("a")
        assert await post(house, "m", start("a")) is Fate.DUPLICATE
        await house.pass_time(SECOND_US)
