"""Tweets: the filtered stream of the X API, version 2, played by hand."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from urllib.parse import parse_qs

import pytest

from perdure.base.errors import ConfigurationError
from perdure.base.time import SECOND_US
from perdure.triggers.bindings import twitter
from perdure.triggers.port import Settled, Standing
from tests.kit.clock import VirtualClock
from tests.kit.inbox import Inbox
from tests.kit.metadata import Metadata
from tests.kit.scripted_server import Request, ScriptedServer, Stream

QUERY = "from:daprdev"
TAG = "perdure app/tweets"
RULES, STREAM, SEARCH = (
    "/2/tweets/search/stream/rules",
    "/2/tweets/search/stream",
    "/2/tweets/search/recent",
)
# Ids carry their time; this one and the next are a minute apart, and a bit.
FIRST = 2_000_000_000_000_000_000
OVERLAP = 60_000 << 22


def tweet(tweet_id: int, *rules: str, text: str = "hello") -> dict[str, object]:
    line: dict[str, object] = {
        "data": {"id": str(tweet_id), "text": text, "author_id": "7"},
        "includes": {"users": [{"id": "7", "username": "daprdev"}]},
    }
    if rules:
        line["matching_rules"] = [{"id": rule, "tag": "t"} for rule in rules]
    return line


class X:
    """The API as the test plays it, and the source that listens to it."""

    def __init__(self, server: ScriptedServer) -> None:
        self.server = server
        self.inbox = Inbox()
        self.clock = VirtualClock(asyncio.get_running_loop())

    @asynccontextmanager
    async def followed(self, position: str | None = None, **items: str) -> AsyncIterator[Standing]:
        """Run a source meanwhile."""
        all_items = {"query": QUERY, "bearerToken": "let-me-in", "endpoint": self.server.url}
        metadata = Metadata("bindings.twitter", component="tweets", **(all_items | items))
        source = twitter.build(metadata, self.clock)
        run = asyncio.create_task(source.run(self.inbox.receive, position))
        yield source.standing
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        assert not source.standing.connected

    async def next(self, method: str, path: str, *, passes_time: bool = False) -> Request:
        request = await self.server.next(passes_time=passes_time)
        assert (request.method, request.path) == (method, path)
        assert request.headers["authorization"] == "Bearer let-me-in"
        return request

    async def opened(self, *, passes_time: bool = False) -> Stream:
        """Let the source find its rule, and open the stream."""
        await (await self.next("GET", RULES, passes_time=passes_time)).answer(
            {"data": [{"id": "1", "value": QUERY, "tag": TAG}]}
        )
        return await (await self.next("GET", STREAM)).stream()

    async def quiet(self) -> None:
        """Let everything happen that can happen without time."""
        for _ in range(200):
            await asyncio.sleep(0)


@pytest.fixture
async def x() -> AsyncIterator[X]:
    async with ScriptedServer() as server:
        yield X(server)


async def test_a_tweet_is_a_message_under_its_id(x: X) -> None:
    async with x.followed() as standing:
        stream = await x.opened()
        await stream.send_json(tweet(FIRST, "1"))
        message = await x.inbox.next()
        assert standing.connected
    assert (message.message_id, message.position) == (str(FIRST), str(FIRST))
    assert message.named_after == str(FIRST)
    assert json.loads(message.data) == tweet(FIRST, "1")
    assert message.content_type == "application/json"
    assert message.attributes == (
        ("query", QUERY),
        ("tweetID", str(FIRST)),
        ("authorID", "7"),
    )


async def test_the_rule_is_made_and_asked_for_with_its_fields(x: X) -> None:
    async with x.followed(tweetFields="author_id"):
        await (await x.next("GET", RULES)).answer({"meta": {"result_count": 0}})
        request = await x.next("POST", RULES)
        assert json.loads(request.body) == {"add": [{"value": QUERY, "tag": TAG}]}
        await request.answer({"data": [{"id": "5", "value": QUERY, "tag": TAG}]}, 201)
        request = await x.next("GET", STREAM)
        assert request.query == {
            "tweet.fields": "author_id",
            "expansions": "author_id",
            "user.fields": "username,name",
        }
        assert request.headers["accept-encoding"] == "identity"
        stream = await request.stream()
        await stream.send_json(tweet(FIRST, "5"))
        await x.inbox.next()


async def test_an_old_rule_of_ours_is_replaced_and_those_of_others_are_left(x: X) -> None:
    async with x.followed():
        rules = [
            {"id": "1", "value": "from:other", "tag": TAG},
            {"id": "2", "value": QUERY, "tag": "somebody"},
            {"id": "3", "value": QUERY},
        ]
        await (await x.next("GET", RULES)).answer({"data": rules})
        request = await x.next("POST", RULES)
        assert json.loads(request.body) == {"delete": {"ids": ["1"]}}
        await request.answer({"meta": {"summary": {"deleted": 1}}})
        request = await x.next("POST", RULES)
        assert json.loads(request.body)["add"] == [{"value": QUERY, "tag": TAG}]
        await request.answer({"data": [{"id": "9", "value": QUERY, "tag": TAG}]}, 201)
        stream = await (await x.next("GET", STREAM)).stream()
        # A tweet that only a rule of others matches is theirs.
        await stream.send_json(tweet(FIRST, "2"), tweet(FIRST + 1, "2", "9"))
        await x.inbox.next()
    assert x.inbox.ids() == [str(FIRST + 1)]


async def test_a_rule_that_is_refused_is_told_in_words(x: X) -> None:
    async with x.followed() as standing:
        await (await x.next("GET", RULES)).answer({})
        errors = [{"title": "Invalid Rule", "detail": "no viable alternative"}]
        await (await x.next("POST", RULES)).answer({"errors": errors}, 201)
        await x.next("GET", RULES, passes_time=True)
        assert standing.trouble == "XTrouble: the rule was not taken: no viable alternative"


async def test_a_key_and_a_secret_get_a_token(x: X) -> None:
    source = twitter.build(
        Metadata(
            "bindings.twitter",
            component="tweets",
            query=QUERY,
            consumerKey="key",
            consumerSecret="se:cret",
            accessToken="unused",
            accessSecret="unused",
            endpoint=x.server.url,
        ),
        x.clock,
    )
    run = asyncio.create_task(source.run(x.inbox.receive, None))
    request = await x.server.next()
    assert (request.method, request.path) == ("POST", "/oauth2/token")
    basic = base64.b64encode(b"key:se:cret").decode()
    assert request.headers["authorization"] == f"Basic {basic}"
    assert parse_qs(request.body.decode()) == {"grant_type": ["client_credentials"]}
    await request.answer({"token_type": "bearer", "access_token": "let-me-in"})
    await x.opened()
    run.cancel()
    await asyncio.wait({run})


async def test_signs_of_life_keep_the_stream_and_silence_ends_it(x: X) -> None:
    async with x.followed() as standing:
        stream = await x.opened()
        await stream.send_json(tweet(FIRST))
        await x.inbox.next()
        for _ in range(5):
            x.clock.advance(20 * SECOND_US)
            await stream.send(b"\r\n")
            await x.quiet()
        assert standing.connected
        assert x.server.nothing_came()
        x.clock.advance(23 * SECOND_US)
        # It was open: it is opened again at once.
        stream = await x.opened()
        search = await x.next("GET", SEARCH)
        await search.answer({"meta": {"result_count": 0}})
        await x.quiet()
        assert standing.connected


async def test_what_was_posted_meanwhile_is_searched_for_before_the_stream_goes_on(x: X) -> None:
    async with x.followed(position=str(FIRST)) as standing:
        stream = await x.opened()
        await stream.send_json(tweet(FIRST + 30))
        request = await x.next("GET", SEARCH)
        assert request.query["query"] == QUERY
        assert request.query["since_id"] == str(FIRST - OVERLAP)
        users = {"users": [{"id": "7", "username": "daprdev"}, {"id": "8", "username": "x"}]}
        found = [tweet(FIRST + n)["data"] for n in (20, 10)]
        await request.answer({"data": found, "includes": users, "meta": {"next_token": "more"}})
        request = await x.next("GET", SEARCH)
        assert request.query["next_token"] == "more"
        await request.answer({"data": [tweet(FIRST)["data"]], "meta": {}})
        for _ in range(4):
            await x.inbox.next()
        assert "gap" not in standing.notes
    # What was known before comes again under its id: the receiver knows it.
    assert x.inbox.ids() == [str(FIRST + n) for n in (0, 10, 20, 30)]
    assert [each.position for each in x.inbox.accepted] == x.inbox.ids()
    assert json.loads(x.inbox.accepted[1].data) == tweet(FIRST + 10)


async def test_a_search_that_is_refused_leaves_a_note_and_the_stream(x: X) -> None:
    async with x.followed(position=str(FIRST)) as standing:
        stream = await x.opened()
        forbidden = {"title": "Client Forbidden", "detail": "not in your plan", "status": 403}
        await (await x.next("GET", SEARCH)).answer(forbidden, 403)
        await stream.send_json(tweet(FIRST + 1))
        await x.inbox.next()
        assert standing.connected
        assert "tweets from the last run to 2026-01-01T00:00:00Z may be" in standing.notes["gap"]
        assert "Client Forbidden: not in your plan" in standing.notes["gap"]


async def test_those_who_may_ask_the_stream_itself(x: X) -> None:
    async with x.followed(recovery="backfill", backfillMinutes="3") as standing:
        stream = await x.opened()
        await stream.send_json(tweet(FIRST))
        await x.inbox.next()
        stream.tear()
        await (await x.next("GET", RULES)).answer(
            {"data": [{"id": "1", "value": QUERY, "tag": TAG}]}
        )
        request = await x.next("GET", STREAM)
        assert request.query["backfill_minutes"] == "3"
        await request.stream()
        assert "gap" not in standing.notes


async def test_a_gap_that_nothing_makes_good_is_noted(x: X) -> None:
    async with x.followed(position=str(FIRST), recovery="none") as standing:
        stream = await x.opened()
        await stream.send_json(tweet(FIRST + 1))
        await x.inbox.next()
        assert "recovery: none" in standing.notes["gap"]


@pytest.mark.parametrize(
    "line",
    [
        b'{"errors": [{"title": "operational-disconnect", "detail": "restarting"}]}\r\n',
        b"not json\r\n",
        b"[]\r\n",
    ],
)
async def test_a_stream_that_is_ended_is_opened_again_at_once(x: X, line: bytes) -> None:
    async with x.followed() as standing:
        await (await x.opened()).send(line)
        await x.opened()
        await x.quiet()
        assert standing.connected


async def test_a_line_comes_in_pieces_and_one_that_breaks_off_is_none(x: X) -> None:
    whole = json.dumps(tweet(FIRST, text="ü€")).encode()
    async with x.followed():
        stream = await x.opened()
        for part in (whole[:10], whole[10:-3], whole[-3:] + b"\r\n\r\n" + whole[:20]):
            await stream.send(part)
        await x.inbox.next()
        stream.tear()
        await x.opened()
    assert [each.data for each in x.inbox.accepted] == [whole]


async def test_a_line_without_a_tweet_is_passed_over(x: X) -> None:
    async with x.followed():
        stream = await x.opened()
        await stream.send_json({"data": {"id": "x"}}, {"data": 1}, {}, tweet(FIRST))
        await x.inbox.next()
    assert x.inbox.ids() == [str(FIRST)]


async def test_a_rate_limit_is_waited_out(x: X) -> None:
    async with x.followed() as standing:
        reset = str(x.clock.now_us() // SECOND_US + 100)
        await (await x.next("GET", RULES)).answer(
            {"title": "Too Many Requests"}, 429, {"x-rate-limit-reset": reset}
        )
        began_us = x.clock.now_us()
        await x.next("GET", RULES, passes_time=True)
        assert 100 <= (x.clock.now_us() - began_us) / SECOND_US < 103
        assert standing.trouble == "XTrouble: 429 Because: Too Many Requests"


async def test_a_refused_stream_is_asked_for_ever_more_rarely(x: X) -> None:
    async with x.followed() as standing:
        waits = []
        for _ in range(3):
            await (await x.next("GET", RULES, passes_time=True)).answer(
                {"data": [{"id": "1", "value": QUERY, "tag": TAG}]}
            )
            request = await x.next("GET", STREAM)
            await request.answer({"title": "ConnectionException", "detail": "one stream only"}, 503)
            waits.append(x.clock.now_us())
        await x.next("GET", RULES, passes_time=True)
        waits.append(x.clock.now_us())
        gaps = [(b - a) / SECOND_US for a, b in pairwise(waits)]
        assert [round(gap / 5) for gap in gaps] == [1, 2, 4]
        assert standing.trouble is not None
        assert "one stream only" in standing.trouble


async def test_a_server_that_is_away_is_tried_again(x: X) -> None:
    async with x.followed() as standing:
        (await x.next("GET", RULES)).tear()
        await x.opened(passes_time=True)
        await x.quiet()
        assert standing.connected
        assert standing.trouble is None


async def test_what_is_not_on_disk_is_handed_in_again_and_the_next_waits(x: X) -> None:
    x.inbox.answers.extend([Settled.LATER, Settled.LATER])
    async with x.followed():
        stream = await x.opened()
        await stream.send_json(tweet(FIRST), tweet(FIRST + 1))
        while len(x.inbox.accepted) < 2:
            x.clock.advance(SECOND_US // 10)
            await asyncio.sleep(0)
    ids = [each.message_id for each in x.inbox.messages]
    assert ids == [str(FIRST)] * 3 + [str(FIRST + 1)]


async def test_the_position_is_the_largest_id(x: X) -> None:
    async with x.followed():
        stream = await x.opened()
        await stream.send_json(tweet(FIRST + 5), tweet(FIRST))
        for _ in range(2):
            await x.inbox.next()
    assert [each.position for each in x.inbox.accepted] == [str(FIRST + 5)] * 2


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ({"bearerToken": "t"}, "query: is missing"),
        ({"query": "q"}, "opened with bearerToken, or with consumerKey and consumerSecret"),
        ({"query": "q", "consumerKey": "k"}, "opened with bearerToken"),
        ({"query": "q", "bearerToken": ""}, "bearerToken: is missing"),
        ({"query": "q" * 4_097, "bearerToken": "t"}, "query: a rule has at most"),
        ({"query": "q", "bearerToken": "t", "endpoint": "api.x.com"}, "endpoint: expected a URL"),
        ({"query": "q", "bearerToken": "t", "backfillMinutes": "6"}, "backfillMinutes: expected"),
        ({"query": "q", "bearerToken": "t", "recovery": "magic"}, "recovery: expected one of"),
        ({"query": "q", "bearerToken": "t", "direction": "output"}, "direction: perdure has no"),
    ],
)
async def test_bad_metadata_is_refused(items: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        twitter.build(Metadata("bindings.twitter", **items))
