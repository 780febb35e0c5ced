"""`bindings.twitter`: the tweets that match a query, from the filtered stream of the X API.

Theory of operation.
- The query is a rule of the stream, under a tag of ours; the rules of others are left alone, and so
  are the tweets that only they match. A tweet's id is its message id, the largest id the position.
- The stream is read while tweets are handed on, up to a number of lines. A sign of life comes every
  20 seconds; when it stays away, the stream is taken for torn.
- Tweets of a time without a stream are searched for, once the stream is open again and before
  anything from it is handed on: from a minute before the largest id, since the stream has no strict
  order. `recovery: backfill` asks the stream itself for the last minutes, for those who may. What
  cannot be made good is noted in the source's standing, with its time.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import httpx
import structlog

from perdure.base import rfc3339
from perdure.base.time import MINUTE_US, SECOND_US, Clock
from perdure.triggers.bindings.in_order import InOrder
from perdure.triggers.bindings.items import check_items, given
from perdure.triggers.bindings.wall_clock import WallClock
from perdure.triggers.bindings.x_api import (
    TROUBLES,
    Credentials,
    Disconnected,
    Object,
    XApi,
    XTrouble,
    read_object,
    said_errors,
)
from perdure.triggers.bindings.x_patience import Patience
from perdure.triggers.port import Message, Receiver, Settings, Standing
from perdure.triggers.reconnecting import connected, in_words

DEFAULT_ENDPOINT: Final = "https://api.x.com"
LINES_MAX: Final = 256
QUERY_CHARS_MAX: Final = 4_096
BACKFILL_MINUTES_MAX: Final = 5
# A stream that was open for so long was a good one: what ends it then is new trouble.
_STEADY_US: Final = 10 * SECOND_US
# An id has the time in milliseconds in front of 22 other bits.
_ID_TIME_SHIFT: Final = 22
_OVERLAP_MS: Final = 60_000
_ITEMS: Final = (
    "consumerKey",
    "consumerSecret",
    "accessToken",
    "accessSecret",
    "bearerToken",
    "query",
    "endpoint",
    "recovery",
    "backfillMinutes",
    "tweetFields",
    "expansions",
    "userFields",
)
_FIELDS: Final = {
    "tweetFields": ("tweet.fields", "author_id,created_at,lang"),
    "expansions": ("expansions", "author_id"),
    "userFields": ("user.fields", "username,name"),
}

_log = structlog.get_logger(__name__)

# A line of the stream, or what ended it.
_Heard = bytes | Exception


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked of the API."""

    query: str
    tag: str
    recovery: str  # search, backfill or none
    backfill_minutes: int
    fields: Mapping[str, str]


def build(settings: Settings, clock: Clock | None = None) -> "TwitterSource":
    """Return the source of a component; raises ConfigurationError."""
    check_items(settings, _ITEMS)
    query = settings.text("query")
    if len(query) > QUERY_CHARS_MAX:
        raise settings.fault("query", f"a rule has at most {QUERY_CHARS_MAX} characters")
    wanted = Wanted(
        query=query,
        tag=f"perdure {settings.app_id}/{settings.component}",
        recovery=settings.one_of("recovery", ("search", "backfill", "none"), "search"),
        backfill_minutes=settings.integer(
            "backfillMinutes", BACKFILL_MINUTES_MAX, least=1, most=BACKFILL_MINUTES_MAX
        ),
        fields={key: settings.text(name, usual) for name, (key, usual) in _FIELDS.items()},
    )
    return TwitterSource(
        settings.component, _endpoint(settings), _credentials(settings), wanted, clock
    )


def _endpoint(settings: Settings) -> str:
    endpoint = settings.text("endpoint", DEFAULT_ENDPOINT)
    parts = urlsplit(endpoint)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise settings.fault("endpoint", f"expected a URL such as {DEFAULT_ENDPOINT}")
    return endpoint


def _credentials(settings: Settings) -> Credentials:
    token = given(settings, "bearerToken")
    if token is not None:
        return Credentials(token, None, None)
    key, secret = given(settings, "consumerKey"), given(settings, "consumerSecret")
    if key is None or secret is None:
        raise settings.fault(
            None,
            "the stream is opened with bearerToken, or with consumerKey and consumerSecret; "
            "accessToken and accessSecret are not needed",
        )
    return Credentials(None, key, secret)


class TwitterSource:
    """The tweets that match one query."""

    def __init__(
        self,
        name: str,
        endpoint: str,
        credentials: Credentials,
        wanted: Wanted,
        clock: Clock | None = None,
    ) -> None:
        self.name = name
        self.standing = Standing()
        self._endpoint = endpoint
        self._credentials = credentials
        self._wanted = wanted
        self._clock = clock or WallClock()
        self._patience = Patience()
        self._last_id = 0
        self._heard_us: int | None = None
        self._away_since_us: int | None = None

    async def run(self, receive: Receiver, position: str | None) -> None:
        """Receive until cancelled; tweets after `position` are searched for."""
        self._last_id = _number(position)
        try:
            while True:
                try:
                    await self._session(receive)
                except TROUBLES as error:
                    await self._stay_away(error)
                except Exception as error:  # noqa: BLE001 - survived, and logged
                    _log.exception("a source failed", source=self.name, exc_info=error)
                    await self._stay_away(error)
        finally:
            self.standing.connected = False

    async def _stay_away(self, error: Exception) -> None:
        was_open = self.standing.connected
        now_us = self._clock.now_us()
        pause_us = self._patience.pause_us(error, was_open=was_open, now_us=now_us)
        self.standing.connected = False
        self.standing.trouble = in_words(error)
        _log.warning(
            "a source is away",
            source=self.name,
            trouble=self.standing.trouble,
            again_in_s=pause_us / SECOND_US,
        )
        await asyncio.sleep(pause_us / SECOND_US)

    async def _session(self, receive: Receiver) -> None:
        async with (
            XApi(self._endpoint, self._credentials) as api,
            InOrder(receive, self.standing, self.name) as messages,
        ):
            self._away_since_us = self._heard_us
            rule_id = await api.reconcile(self._wanted.query, self._wanted.tag)
            async with aclosing(api.stream(self._stream_params())) as lines:
                await anext(lines)
                connected(self.name, self.standing)
                heard: asyncio.Queue[_Heard] = asyncio.Queue(LINES_MAX)
                reading = asyncio.create_task(self._read(lines, heard))
                try:
                    await self._make_good(api, messages)
                    while True:
                        await self._tell(await heard.get(), rule_id, messages)
                finally:
                    reading.cancel()
                    await asyncio.wait({reading})

    async def _read(
        self, lines: AsyncGenerator[bytes, None], heard: "asyncio.Queue[_Heard]"
    ) -> None:
        opened_us = self._clock.now_us()
        try:
            async for line in lines:
                self._heard_us = self._clock.now_us()
                if self._heard_us - opened_us >= _STEADY_US:
                    self._patience.begin_again()
                if line:
                    await heard.put(line)
        except Exception as error:  # noqa: BLE001 - raised where the lines are handed on
            await heard.put(error)

    async def _tell(self, heard: _Heard, rule_id: str, messages: InOrder) -> None:
        if isinstance(heard, Exception):
            raise heard
        line = read_object(heard)
        if (words := said_errors(line)) is not None:
            raise Disconnected(words)
        rules = [str(rule.get("id")) for rule in line.get("matching_rules") or ()]
        if not rules or rule_id in rules:
            await self._hand_on(line, heard, messages)

    async def _hand_on(self, line: Object, text: bytes, messages: InOrder) -> None:
        tweet = line.get("data")
        tweet_id = str(tweet.get("id", "")) if isinstance(tweet, dict) else ""
        if not isinstance(tweet, dict) or not _number(tweet_id):
            _log.warning("a line of the stream has no tweet", source=self.name)
            return
        last_id = max(self._last_id, _number(tweet_id))
        named = {
            "query": self._wanted.query,
            "tweetID": tweet_id,
            "authorID": tweet.get("author_id"),
        }
        await messages.deliver(
            Message(
                message_id=tweet_id,
                data=text,
                content_type="application/json",
                attributes=tuple((name, str(each)) for name, each in named.items() if each),
                received_at_us=self._clock.now_us(),
                position=str(last_id),
                named_after=tweet_id,
            )
        )
        self._last_id = last_id

    def _stream_params(self) -> dict[str, str]:
        params = dict(self._wanted.fields)
        if self._wanted.recovery == "backfill" and self._last_id:
            away_us = self._away_us()
            minutes = self._wanted.backfill_minutes
            if away_us is None or away_us > minutes * MINUTE_US:
                self._note_gap(f"longer than {minutes} minutes")
            params["backfill_minutes"] = str(minutes)
        return params

    async def _make_good(self, api: XApi, messages: InOrder) -> None:
        """Hand on what was posted while there was no stream, as far as that can be known."""
        if not self._last_id or self._wanted.recovery == "backfill":
            return
        if self._wanted.recovery == "none":
            self._note_gap("recovery: none")
            return
        since_id = max(self._last_id - (_OVERLAP_MS << _ID_TIME_SHIFT), 1)
        try:
            found, complete = await api.search(
                self._wanted.query, str(since_id), self._wanted.fields
            )
        except (XTrouble, httpx.HTTPError, Disconnected) as error:
            self._note_gap(f"the search failed: {in_words(error)}")
            return
        if not complete:
            self._note_gap("there are more than a search returns")
        for line in found:
            await self._hand_on(line, json.dumps(line, ensure_ascii=False).encode(), messages)

    def _away_us(self) -> int | None:
        since_us = self._away_since_us
        return None if since_us is None else self._clock.now_us() - since_us

    def _note_gap(self, why: str) -> None:
        since_us = self._away_since_us
        since = "the last run" if since_us is None else rfc3339.render(since_us)
        until = rfc3339.render(self._clock.now_us())
        self.standing.notes["gap"] = f"tweets from {since} to {until} may be missing ({why})"
        _log.warning("tweets may be missing", source=self.name, since=since, until=until, why=why)


def _number(text: str | None) -> int:
    """Return a tweet's id as a number; 0 for what is none."""
    is_id = text is not None and text.isascii() and text.isdigit() and len(text) <= 20  # noqa: PLR2004 - fewer than 64 bits
    return int(text) if is_id and text is not None else 0
