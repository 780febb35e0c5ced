"""Events that are kept for whoever is not there yet: in order, each once, by whichever door."""

import asyncio

import pytest

from perdure.base.errors import StoreError
from perdure.base.limits import MAIL_BATCH_EVENTS_MAX, MAILBOX_EVENTS_OF_ONE_MAX
from perdure.base.time import HOUR_US, SECOND_US
from perdure.components.port import Done
from perdure.core.deliveries import Fate, OnExisting
from perdure.core.events import EventRaised
from perdure.core.notes import Shelf
from perdure.core.requests import Reason, Refusal, Rerun
from perdure.core.status import Status
from tests.kit.answers import child, complete, continue_as_new, detached, schedule
from tests.kit.house import House
from tests.kit.posting import event, post, post_surely, start, start_or_raise


def kept(house: House) -> int:
    return house.store.note_count(Shelf.MAILBOX)


async def keep(house: House, instance_id: str, *names: str) -> None:
    for name in names:
        assert await post(house, f"{instance_id} {name}", event(instance_id, name)) is Fate.KEPT


async def test_events_reach_an_instance_that_is_started_later() -> None:
    async with House() as house:
        await keep(house, "a", "e1", "e2", "e3")
        assert await post(house, "a e2", event("a", "e2")) is Fate.DUPLICATE
        await keep(house, "b", "other")
        await house.start("a")
        await house.settle()
        turn = await house.worker().turn()
        assert turn.raised() == ["e1", "e2", "e3"]
        assert turn.names()[:2] == ["WorkflowStarted", "ExecutionStarted"]
        moments = [e.at_us for e in turn.new if isinstance(e, EventRaised)]
        assert moments == sorted(set(moments)), "raised events have times of their own"
        assert kept(house) == 1


async def test_a_later_event_comes_after_those_that_were_kept() -> None:
    async with House() as house:
        await keep(house, "a", "e1", "e2")
        await house.start("a")
        assert await house.raise_event("a", "e3") == Done()
        assert await post(house, "m", event("a", "e4")) is Fate.RAISED
        await house.settle()
        assert (await house.worker().turn()).raised() == ["e1", "e2", "e3", "e4"]


@pytest.mark.parametrize("door", ["child", "detached", "delivery", "rerun", "next", "recycle"])
async def test_whoever_is_born_gets_its_mail(door: str) -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("other", input="x")
        turn = await worker.turn()
        await keep(house, "a", "e1", "e2")
        match door:
            case "child":
                await worker.decide(turn, child(1, "a"))
            case "detached":
                await worker.decide(turn, detached(1, "a"))
            case "delivery":
                await post(house, "m", start_or_raise("a", "not told"))
            case "rerun":
                await worker.decide(turn, schedule(1))
                await worker.finish(await worker.activity(), "r")
                await worker.decide(await worker.turn(), complete(2))
                await house.component.rerun(Rerun(source_id="other", event_id=1, new_id="a"))
                await worker.finish(await worker.activity(), "r")
            case _:
                await _after_another_life(house, door)
        raised: list[str] = []
        while len(raised) < 2:
            turn = await worker.turn()
            if turn.instance_id == "a":
                raised += turn.raised()
            await worker.decide(turn)
        assert raised == ["e1", "e2"]
        await house.settle()
        assert kept(house) == 0


async def _after_another_life(house: House, door: str) -> None:
    """Have `a` born anew with mail that came when its life before was over."""
    await house.start("a", input="first")
    await house.settle()
    await house.terminate("a")
    for name in ("e1", "e2"):
        assert await post(house, f"again {name}", event("a", name)) is Fate.KEPT
    way = OnExisting.START_NEXT if door == "next" else OnExisting.RECYCLE
    assert await post(house, "anew", start("a", way, "second")) in {Fate.STARTED, Fate.RECYCLED}


async def test_mail_for_one_that_has_ended_waits_for_its_next_life() -> None:
    async with House() as house:
        await house.start("a")
        await house.terminate("a")
        await keep(house, "a", "e1")
        await house.settle()
        assert kept(house) == 1
        await house.start("a")
        await house.settle()
        assert (await house.worker().turn()).raised() == ["e1"]


async def test_mail_reaches_the_suspended_and_the_held() -> None:
    async with House() as house:
        await keep(house, "a", "e1")
        await house.start("a", scheduled_start_us=house.clock.now_us() + 5 * SECOND_US)
        await house.settle()
        assert kept(house) == 0
        await house.suspend("a")
        await house.pass_time(6 * SECOND_US)
        worker = house.worker()
        await house.resume("a")
        assert (await worker.turn()).raised() == ["e1"]


async def test_much_mail_is_handed_over_in_parts() -> None:
    async with House() as house:
        names = [f"e{n:04}" for n in range(2 * MAIL_BATCH_EVENTS_MAX + 1)]
        await asyncio.gather(*(keep(house, "a", name) for name in names))
        order = [row.body for row in house.store.notes_about(Shelf.MAILBOX, "a", 0, 9_999)]
        await house.start("a")
        await house.settle()
        turn = await house.worker().turn()
        assert len(order) == len(names)
        assert turn.raised() == names


async def test_an_event_expires() -> None:
    async with House() as house:
        await post(house, "m1", event("a", "early", keep_us=10 * SECOND_US))
        await post(house, "m2", event("a", "late", keep_us=HOUR_US))
        await house.pass_time(9 * SECOND_US)
        assert kept(house) == 2
        await house.pass_time(1 * SECOND_US)
        assert kept(house) == 1
        await house.start("a")
        await house.settle()
        assert (await house.worker().turn()).raised() == ["late"]


async def test_what_has_expired_is_not_handed_over_even_if_it_is_still_there() -> None:
    async with House() as house:
        house.expected_faults = ("forgetting",)
        await post(house, "m1", event("a", "early", keep_us=10 * SECOND_US))
        await post(house, "m2", event("a", "late"))
        house.store.fail_commits(1, away=True)
        await house.pass_time(10 * SECOND_US)
        assert kept(house) == 2
        await house.start("a")
        await house.settle()
        assert (await house.worker().turn()).raised() == ["late"]
        assert kept(house) == 0


async def test_a_birth_at_the_same_moment_loses_no_event() -> None:
    async with House() as house:
        house.store.hold_commits()
        keeping = house.soon(post(house, "m", event("a", "e")))
        starting = house.soon(house.start("a"))
        await house.reads_done()
        house.store.let_commits_go()
        assert await keeping in {Fate.KEPT, Fate.RAISED}
        await starting
        await house.settle()
        assert (await house.worker().turn()).raised() == ["e"]


async def test_mail_waits_over_a_restart() -> None:
    async with House() as house:
        await keep(house, "a", "e1", "e2")
        await house.restart()
        await house.start("a")
        await house.settle()
        assert (await house.worker().turn()).raised() == ["e1", "e2"]


@pytest.mark.parametrize("landed", range(6))
async def test_each_event_is_handed_over_once_wherever_the_power_fails(landed: int) -> None:
    async with House() as house:
        house.expected_faults = ("handing", "landing", "forgetting")
        house.store.power_fails_after(landed)
        acknowledged = set()
        try:
            for name in ("e1", "e2", "e3"):
                await post(house, name, event("a", name))
                acknowledged.add(name)
            await house.start("a")
            acknowledged.add("a")
        except StoreError:
            assert landed < 4
        await house.settle()
        await house.restart()
        if "a" not in acknowledged:
            await house.start("a")
        for name in ("e1", "e2", "e3"):
            fate = await post_surely(house, name, event("a", name))
            assert (fate is Fate.DUPLICATE) is (name in acknowledged)
        await house.settle()
        assert (await house.worker().turn()).raised() == ["e1", "e2", "e3"]
        assert kept(house) == 0


async def test_a_store_that_is_away_only_delays() -> None:
    async with House() as house:
        house.expected_faults = ("handing",)
        await keep(house, "a", "e1")
        house.store.hold_commits(after=1)
        await house.start("a")
        await house.blocking(house.store.commit_waits.wait)
        house.store.fail_commits(1, away=True)
        house.store.let_commits_go()
        await house.settle()
        assert kept(house) == 1
        await house.pass_time(10 * SECOND_US)
        assert kept(house) == 0
        assert (await house.worker().turn()).raised() == ["e1"]


async def test_a_store_that_is_away_holds_no_request_up() -> None:
    async with House() as house:
        house.expected_faults = ("handing",)
        await keep(house, "a", "e1")
        house.store.hold_commits(after=1)
        await house.start("a")
        await house.blocking(house.store.commit_waits.wait)
        house.store.fail_commits(1, away=True)
        house.store.let_commits_go()
        await house.recorder.reported("fault")
        assert await house.raise_event("a", "e2") == Done()
        await house.pass_time(10 * SECOND_US)
        assert sorted((await house.worker().turn()).raised()) == ["e1", "e2"]


async def test_a_new_generation_is_no_birth() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), continue_as_new(1, "again"))
        assert await post(house, "m", event("a", "e")) is Fate.RAISED
        turn = await worker.turn()
        while not turn.raised():
            await worker.decide(turn)
            turn = await worker.turn()
        assert turn.raised() == ["e"]


async def test_what_waits_for_one_birth_is_bounded() -> None:
    async with House() as house:
        steps = (post(house, f"m{n}", event("a", "e")) for n in range(MAILBOX_EVENTS_OF_ONE_MAX))
        assert set(await asyncio.gather(*steps)) == {Fate.KEPT}
        refused = await post(house, "over", event("a", "e"))
        assert isinstance(refused, Refusal)
        assert refused.reason is Reason.NOT_FOUND
        assert await post(house, "other", event("b", "e")) is Fate.KEPT


async def test_events_that_could_not_be_kept_take_no_place() -> None:
    async with House() as house:
        for n in range(MAILBOX_EVENTS_OF_ONE_MAX):
            house.store.fail_commits(1, away=True)
            with pytest.raises(StoreError):
                await post(house, f"m{n}", event("a", "e"))
        assert await post(house, "m", event("a", "e")) is Fate.KEPT


async def test_the_mailbox_can_be_looked_into_and_emptied() -> None:
    async with House() as house:
        began_us = house.clock.now_us()
        await post(house, "m1", event("a", "e1", text='{"x": "é"}', keep_us=HOUR_US))
        await keep(house, "b", "e2")
        deliveries = house.component.deliveries
        (found,) = await deliveries.mailbox("a", limit=9)
        assert (found.instance_id, found.name, found.input) == ("a", "e1", '{"x": "é"}')
        assert (found.kept_at_us, found.expires_at_us) == (began_us, began_us + HOUR_US)
        assert len(await deliveries.mailbox(None, limit=9)) == 2
        assert await deliveries.count_notes_about(Shelf.MAILBOX) == {"a": 1, "b": 1}
        assert await deliveries.discard_kept(found.key)
        assert not await deliveries.discard_kept(found.key)
        await house.start("a")
        await house.settle()
        assert (await house.worker().turn()).raised() == []
        assert await house.status("a") is Status.PENDING
