"""What becomes of a message: delivered to each trigger once, or kept with the reason why not."""

import asyncio
import json
from collections import Counter
from pathlib import Path

import pytest

from perdure.base.time import SECOND_US
from perdure.core.status import Status
from perdure.store.port import Verdict
from perdure.triggers.port import Settled
from tests.kit.reception import QUICK, Bench, bench, trigger_spec

ACCEPTED, LATER = Settled.ACCEPTED, Settled.LATER


async def test_a_message_starts_a_workflow_once(tmp_path: Path) -> None:
    async with bench(tmp_path, tags={"who": "data.who"}) as there:
        for _ in range(3):
            assert await there.send('{"id": "a", "who": "ada"}') is ACCEPTED
        view = await there.instance("a")
        assert view is not None
        assert view.input == '{"id": "a", "who": "ada"}'
        assert view.tags == (("who", "ada"),)
        assert await there.count() == 1
        assert there.counts() == {"started": 1, "duplicate": 2}


async def test_a_message_that_comes_again_after_its_workflow_is_gone_starts_none(
    tmp_path: Path,
) -> None:
    """The receipt counts, not the instance: what was finished and purged is not begun anew."""
    async with bench(tmp_path, onExisting="recycle") as there:
        assert await there.send('{"id": "a"}', "m1") is ACCEPTED
        assert await there.send('{"id": "a"}', "m2") is ACCEPTED
        assert await there.send('{"id": "a"}', "m1") is ACCEPTED
        assert there.counts() == {"started": 1, "recycled": 1, "duplicate": 1}


@pytest.mark.parametrize(
    ("policy", "counted", "letters"),
    [
        ("discard", {"started": 1, "discarded": 1}, 0),
        ("reject", {"started": 1, "dead-lettered": 1}, 1),
        ("startNext", {"started": 1, "parked": 1}, 0),
        ("recycle", {"started": 1, "recycled": 1}, 0),
    ],
)
async def test_an_existing_instance(
    tmp_path: Path, policy: str, counted: dict[str, int], letters: int
) -> None:
    async with bench(tmp_path, onExisting=policy) as there:
        await there.send('{"id": "a"}', "m1")
        assert await there.send('{"id": "a", "n": 2}', "m2") is ACCEPTED
        assert there.counts() == counted
        assert len(await there.reasons()) == letters


async def test_an_event_is_raised_once(tmp_path: Path) -> None:
    spec = {"action": "raiseEvent", "workflow": None, "eventName": "'paid'", "onMissing": "keep"}
    async with bench(tmp_path, **spec) as there:
        for message_id in ("m1", "m1", "m2"):
            assert await there.send('{"id": "a"}', message_id) is ACCEPTED
        assert there.counts() == {"kept": 2, "duplicate": 1}
        kept = await there.component.deliveries.mailbox("a", limit=10)
        assert [(each.name, each.input) for each in kept] == [("paid", '{"id": "a"}')] * 2


@pytest.mark.parametrize(
    ("policy", "counted", "letters"),
    [
        ("discard", {"discarded": 1}, []),
        ("deadLetter", {"retried": 1, "dead-lettered": 1}, ["no such instance exists"]),
        ("keep", {"kept": 1}, []),
    ],
)
async def test_a_missing_instance(
    tmp_path: Path, policy: str, counted: dict[str, int], letters: list[str]
) -> None:
    spec = {"action": "raiseEvent", "workflow": None, "onMissing": policy}
    async with bench(tmp_path, **spec) as there:
        assert await there.send('{"id": "a"}') is ACCEPTED
        assert there.counts() == counted
        assert await there.reasons() == letters


async def test_start_or_raise_and_terminate(tmp_path: Path) -> None:
    there = Bench(tmp_path)
    there.add("orders", **trigger_spec(action="startOrRaise", match="data.what == 'go'"))
    stop = {"action": "terminate", "workflow": None, "match": "data.what == 'stop'"}
    there.add("stop", **trigger_spec(**stop, input="'told'"))
    await there.open()
    try:
        await there.send('{"id": "a", "what": "go"}', "m1")
        await there.send('{"id": "a", "what": "go"}', "m2")
        assert there.counts() == {"started": 1, "raised": 1}
        await there.send('{"id": "a", "what": "stop"}', "m3")
        ended = await there.component.wait("a", finished=True, timeout_us=20 * SECOND_US)
        assert ended is not None
        assert (ended.status, ended.output) == (Status.TERMINATED, '"told"')
        await there.send('{"id": "b", "what": "stop"}', "m4")
        assert there.counts("stop") == {"ignored": 2, "terminated": 1, "discarded": 1}
        assert there.counts("orders")["ignored"] == 2
    finally:
        await there.crash()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("not json", "data.id: "),
        ('{"other": 1}', 'data.id: there is no "id"'),
        ('{"id": [1]}', "data.id: expected text that is not empty, found a list"),
        ('{"id": "", "specversion": "1.0"}', "data.id: expected text"),
        (b"\xff\xfe", "data.id: "),
        (b"", "data.id: "),
    ],
)
async def test_what_cannot_be_used_is_tried_again_and_then_a_dead_letter(
    tmp_path: Path, body: bytes | str, reason: str
) -> None:
    async with bench(tmp_path) as there:
        for _ in range(2):
            assert await there.send(body) is ACCEPTED
        (found,) = await there.reasons()
        assert found.startswith(reason)
        assert there.counts() == {"retried": 2, "dead-lettered": 1}
        (letter,) = (await there.letters().page(None, 10)).letters
        assert letter.attempts == 2
        assert letter.message.data == (body.encode() if isinstance(body, str) else body)
        assert await there.count() == 0


async def test_an_event_that_is_none_is_a_dead_letter_of_every_trigger(tmp_path: Path) -> None:
    there = Bench(tmp_path)
    there.add("orders", **trigger_spec())
    there.add("more", **trigger_spec(workflow="other"))
    await there.open()
    try:
        kind = "application/cloudevents+json"
        assert await there.send("[1]", content_type=kind) is ACCEPTED
        for name in ("orders", "more"):
            assert await there.reasons(name) == ["a CloudEvent is a JSON object"]
    finally:
        await there.crash()


async def test_a_cloud_event_is_known_by_its_source_and_id(tmp_path: Path) -> None:
    event = {"id": "1", "source": "shop", "type": "t", "specversion": "1.0", "data": {"n": 1}}
    async with bench(tmp_path, instanceID="'x-' + event.id", onExisting="recycle") as there:
        for _ in range(2):
            assert await there.send(json.dumps(event), None) is ACCEPTED
        assert await there.send(json.dumps({**event, "source": "till"}), None) is ACCEPTED
        assert there.counts() == {"started": 1, "duplicate": 1, "recycled": 1}


async def test_the_default_id_is_the_source_and_id_of_the_event(tmp_path: Path) -> None:
    event = {"id": "42", "source": "urn:shop", "type": "t", "specversion": "1.0", "data": {"n": 1}}
    spec = trigger_spec()
    del spec["instanceID"]
    there = Bench(tmp_path)
    there.add("orders", **spec)
    await there.open()
    try:
        await there.send(json.dumps(event), "m1")
        (found,) = (await there.component.list_ids(None, 10)).instance_ids
        assert found.startswith("urn-shop-42--")
        # Published twice by one who was not told, it is two messages of the broker, and one event.
        await there.send(json.dumps(event), "m2")
        assert there.counts() == {"started": 1, "duplicate": 1}
    finally:
        await there.crash()


async def test_what_nothing_names_is_told_apart_by_the_brokers_word(tmp_path: Path) -> None:
    """Twice the same content is two messages, unless the broker says that it comes again."""
    spec = {"action": "raiseEvent", "workflow": None, "onMissing": "keep"}
    async with bench(tmp_path, **spec) as there:
        for redelivered in (False, True, True, False):
            sent = await there.send('{"id": "a"}', None, redelivered=redelivered)
            assert sent is ACCEPTED
        assert there.counts() == {"kept": 2, "duplicate": 2}


async def test_an_expired_message_is_passed_over(tmp_path: Path) -> None:
    event = {"id": "1", "source": "s", "type": "t", "specversion": "1.0", "data": {"id": "a"}}
    old = {**event, "expiration": "2020-01-01T00:00:00Z"}
    async with bench(tmp_path) as there:
        assert await there.send(json.dumps(old), position="7") is ACCEPTED
        assert there.counts() == {"expired": 1}
        assert await there.place() == "7"
        assert await there.count() == 0


async def test_the_place_goes_with_the_last_delivery(tmp_path: Path) -> None:
    async with bench(tmp_path, match="data.id != 'no'") as there:
        await there.send('{"id": "a"}', "m1", position="1")
        assert await there.place() == "1"
        await there.send('{"id": "no"}', "m2", position="2")
        assert await there.place() == "2"
        await there.send("{}", "m3", position="3")
        assert await there.place() == "3"
        await there.send('{"id": "a"}', "m1", position="4")
        assert await there.place() == "4"
        (first,) = [
            entry
            for entry, outcome in zip(there.store.landed, there.store.outcomes, strict=True)
            if entry.births and outcome.verdict is Verdict.LANDED
        ]
        assert {note.shelf for note in first.notes} == {"receipts", "positions"}


async def test_a_paused_trigger_holds_only_what_it_wants(tmp_path: Path) -> None:
    there = Bench(tmp_path)
    there.add("orders", **trigger_spec(match="data.id == 'a'"))
    there.add("more", **trigger_spec(workflow="other", instanceID="'more-' + data.id"))
    await there.open()
    try:
        there.tallies["orders"].paused = True
        assert await there.send('{"id": "a"}', "m1", position="1") is LATER
        assert await there.instance("more-a") is not None
        assert await there.instance("a") is None
        assert await there.place() is None
        assert await there.send('{"id": "b"}', "m2") is ACCEPTED
        there.tallies["orders"].paused = False
        assert await there.send('{"id": "a"}', "m1", position="1") is ACCEPTED
        assert await there.place() == "1"
        assert await there.instance("a") is not None
        assert there.counts("more") == {"started": 2, "duplicate": 1}
    finally:
        await there.crash()


async def test_a_store_that_is_away_means_later(tmp_path: Path) -> None:
    async with bench(tmp_path) as there:
        there.store.fail_commits(1, away=True)
        assert await there.send('{"id": "a"}') is LATER
        assert await there.send('{"id": "a"}') is ACCEPTED
        assert there.counts() == {"started": 1}
        # The commit landed and nobody was told: the message comes again, and changes nothing.
        there.store.lose_replies(1)
        assert await there.send('{"id": "b"}', "m2") is LATER
        assert await there.send('{"id": "b"}', "m2") is ACCEPTED
        assert await there.count() == 2


async def test_a_stop_ends_a_pause_and_takes_nothing_more(tmp_path: Path) -> None:
    slow = {"attempts": 2, "firstPause": "1h", "longestPause": "1h"}
    async with bench(tmp_path, retry=slow) as there:
        retried = asyncio.Event()
        there.tallies["orders"].counts = _Telling(retried)
        waiting = asyncio.ensure_future(there.send("{}"))
        async with asyncio.timeout(20):
            await retried.wait()
        there.stopping.set()
        assert await waiting is LATER
        assert await there.send('{"id": "a"}', "m2") is LATER
        assert await there.reasons() == []


async def test_a_dead_letter_topic_takes_the_place_of_the_note(tmp_path: Path) -> None:
    there = Bench(tmp_path)
    there.add(
        "way",
        "Subscription",
        pubsubname="messages",
        topic="orders",
        deadLetterTopic="broken",
        routes={"rules": [{"match": "event.data.id == 'a'", "path": "/a"}], "default": "/orders"},
    )
    there.add("orders", **trigger_spec(source={"subscription": "way"}, instanceID="data.no"))
    there.add("first", **trigger_spec(source={"subscription": "way", "path": "/a"}))
    await there.open()
    try:
        assert await there.send('{"id": "a"}', "m1") is ACCEPTED
        assert await there.instance("a") is not None
        assert there.counts() == {"ignored": 1}
        there.broker.away = True
        assert await there.send('{"id": "b"}', "m2") is LATER
        there.broker.away = False
        for _ in range(2):
            assert await there.send('{"id": "b"}', "m2") is ACCEPTED
        # That is at least once: a copy may be published again, the receipt comes after it.
        assert [topic for topic, _ in there.broker.published] == ["broken", "broken"]
        assert await there.reasons() == []
        assert there.counts()["dead-lettered"] == 1
    finally:
        await there.crash()


async def test_too_many_dead_letters_hold_the_broker_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("perdure.triggers.cases.DEAD_LETTERS_OF_ONE_MAX", 2)
    async with bench(tmp_path) as there:
        settled = [await there.send("{}", f"m{number}") for number in range(3)]
        assert settled == [ACCEPTED, ACCEPTED, LATER]
        assert await there.send('{"id": "a"}', "m4") is ACCEPTED
        (first, _) = (await there.letters().page(None, 10)).letters
        assert await there.letters().discard(first.key)
        assert await there.send("{}", "m2") is ACCEPTED


async def test_messages_are_kept_for_a_backtest(tmp_path: Path) -> None:
    async with bench(tmp_path, keep="1h", match="data.id != 'no'") as there:
        for number, body in enumerate(('{"id": "a"}', '{"id": "no"}', '{"id": 7.5}')):
            await there.send(body, f"m{number}")
            await there.send(body, f"m{number}")
        page = await there.letters().kept(0, None, 10)
        assert [(kept.message.data, kept.outcome) for kept in page.messages] == [
            (b'{"id": "a"}', "start order as a (if it exists: discard)"),
            (b'{"id": "no"}', "ignored: it does not match data.id != 'no'"),
            (b'{"id": 7.5}', page.messages[2].outcome),
        ]
        assert page.messages[2].outcome.startswith("dead-lettered: ")


@pytest.mark.parametrize("action", ["start", "raiseEvent"])
async def test_power_may_fail_at_every_commit(tmp_path: Path, action: str) -> None:
    """Whatever lands last: after the restart everything comes again, and all is there once."""
    sent = [(f"m{number}", json.dumps({"id": f"i{number % 2}"})) for number in range(4)]
    workflow = "order" if action == "start" else None
    for power in range(9):
        folder = tmp_path / f"{action}{power}"
        folder.mkdir()
        there = Bench(folder)
        there.add("orders", **trigger_spec(action=action, workflow=workflow, **_POLICY[action]))
        there.add("bad", **trigger_spec(instanceID="data.no", retry=QUICK))
        await there.open()
        there.store.power_fails_after(power)
        for message_id, body in sent:
            await there.send(body, message_id)
        await there.crash()
        await there.open()
        for message_id, body in sent:
            assert await there.send(body, message_id) is ACCEPTED
        assert len(await there.reasons("bad")) == 4
        if action == "start":
            assert await there.count() == 2
        else:
            for instance_id in ("i0", "i1"):
                kept = await there.component.deliveries.mailbox(instance_id, limit=10)
                assert len(kept) == 2
        await there.crash()


class _Telling(Counter[str]):
    """Counts, and tells of a message that is tried again."""

    def __init__(self, retried: asyncio.Event) -> None:
        super().__init__()
        self._retried = retried

    def __setitem__(self, key: str, value: int) -> None:
        super().__setitem__(key, value)
        if key == "retried":
            self._retried.set()


_POLICY = {"start": {"onExisting": "discard"}, "raiseEvent": {"onMissing": "keep"}}
