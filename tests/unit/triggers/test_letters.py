"""Dead letters: seen, changed, tried again once, and let go of."""

import asyncio
import json
from pathlib import Path

from perdure.base.time import HOUR_US
from perdure.components.triggering import Replayed
from perdure.core.notes import Shelf, kept_shelf
from perdure.triggers.cloud_events import STRUCTURED
from tests.kit.reception import Bench, bench, trigger_spec

EVENT = {"id": "1", "source": "s", "type": "t", "specversion": "1.0", "data": {"other": 1}}


async def the_key(there: Bench) -> str:
    (letter,) = (await there.letters().page(None, 10)).letters
    return letter.key


async def test_a_letter_that_cannot_be_used_still_stays_with_its_reason(tmp_path: Path) -> None:
    async with bench(tmp_path) as there:
        await there.send("{}")
        key = await the_key(there)
        assert await there.letters().replay(key) == Replayed(False, 'data.id: there is no "id"')
        letter = await there.letters().get(key)
        assert letter is not None
        assert letter.attempts == 3
        assert letter.message.message_id == "m1"
        assert letter.message.received_at_us > 0


async def test_a_changed_letter_is_replayed_once(tmp_path: Path) -> None:
    async with bench(tmp_path) as there:
        await there.send("{}")
        key = await the_key(there)
        letters = there.letters()
        assert await letters.edit(key, b'{"id": "a"}', None)
        replays = await asyncio.gather(*(letters.replay(key) for _ in range(3)))
        assert sorted(map(str, replays)) == [
            "None",
            "None",
            "Replayed(done=True, outcome='started')",
        ]
        assert await there.count() == 1
        assert await letters.get(key) is None
        assert not await letters.edit(key, b"x", None)
        assert not await letters.discard(key)
        # The message itself was dealt with when it became a letter, and comes to nothing again.
        await there.send("{}")
        assert await there.reasons() == []


async def test_of_an_event_its_data_are_changed(tmp_path: Path) -> None:
    async with bench(tmp_path) as there:
        await there.send(json.dumps(EVENT), content_type=STRUCTURED)
        key = await the_key(there)
        assert await there.letters().edit(key, b'{"id": "a"}', None)
        letter = await there.letters().get(key)
        assert letter is not None
        assert json.loads(letter.message.data) == {**EVENT, "data": {"id": "a"}}
        assert await there.letters().edit(key, b'{"id": "b"}', "application/json")
        assert await there.letters().replay(key) == Replayed(True, "started")
        assert await there.instance("b") is not None


async def test_a_refusal_keeps_a_letter_too(tmp_path: Path) -> None:
    async with bench(tmp_path, onExisting="reject") as there:
        await there.send('{"id": "a"}', "m1")
        await there.send('{"id": "a"}', "m2")
        replayed = await there.letters().replay(await the_key(there))
        assert replayed == Replayed(False, "a workflow with ID 'a' already exists")


async def test_a_letter_that_no_longer_matches_stays(tmp_path: Path) -> None:
    async with bench(tmp_path, match="data.id != 'no'") as there:
        await there.send("{}")
        key = await the_key(there)
        await there.letters().edit(key, b'{"id": "no"}', None)
        replayed = await there.letters().replay(key)
        assert replayed == Replayed(False, "it does not match data.id != 'no'")


async def test_a_trigger_sees_its_own_letters_only(tmp_path: Path) -> None:
    there = Bench(tmp_path)
    there.add("orders", **trigger_spec())
    there.add("more", **trigger_spec(instanceID="data.no"))
    await there.open()
    try:
        await there.send('{"id": "a"}')
        (letter,) = (await there.letters("more").page(None, 10)).letters
        assert await there.reasons("orders") == []
        assert await there.letters("orders").get(letter.key) is None
        assert await there.letters("orders").replay(letter.key) is None
        assert not await there.letters("orders").discard(letter.key)
        assert await there.letters("more").discard(letter.key)
        assert await there.reasons("more") == []
    finally:
        await there.crash()


async def test_a_listing_has_pages(tmp_path: Path) -> None:
    async with bench(tmp_path) as there:
        for number in range(5):
            await there.send(f'{{"n": {number}}}', f"m{number}")
        token: str | None = None
        seen: list[str | None] = []
        for _ in range(3):
            page = await there.letters().page(token, 2)
            seen += [letter.message.message_id for letter in page.letters]
            token = page.next_token
        assert seen == [f"m{number}" for number in range(5)]
        assert token is None


async def test_what_is_kept_is_let_go_of_in_time(tmp_path: Path) -> None:
    async with bench(tmp_path, keep="1h") as there:
        await there.send('{"id": "a"}', None)
        keeper = there.post.delivering.keeper
        now_us = there.post.clock.now_us()
        await there.letters().sweep(now_us)
        assert await keeper.count_notes(kept_shelf("orders")) == 1
        assert await keeper.count_notes("seen") == 1
        await there.letters().sweep(now_us + 2 * HOUR_US)
        assert await keeper.count_notes(kept_shelf("orders")) == 0
        assert await keeper.count_notes("seen") == 1
        await there.letters().sweep(now_us + 8 * 24 * HOUR_US)
        assert await keeper.count_notes("seen") == 0
        assert await keeper.count_notes(Shelf.DEAD_LETTERS) == 0


async def test_a_sweep_waits_for_a_store_that_is_away(tmp_path: Path) -> None:
    async with bench(tmp_path, keep="1h") as there:
        await there.send('{"id": "a"}')
        there.store.fail_commits(10, away=True)
        await there.letters().sweep(there.post.clock.now_us() + 2 * HOUR_US)
        there.store.fail_commits(0)
        await there.letters().sweep(there.post.clock.now_us() + 2 * HOUR_US)
        assert await there.post.delivering.keeper.count_notes(kept_shelf("orders")) == 0
