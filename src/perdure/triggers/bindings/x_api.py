"""The filtered stream of the X API, version 2: rules, search, the stream and its trouble.

What a caller has to know of an answer is in the exception: how long to stay away depends on it.
"""

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import httpx

from perdure.base.limits import KIB, MIB
from perdure.base.time import SECOND_US

STREAM: Final = "/2/tweets/search/stream"
RULES: Final = "/2/tweets/search/stream/rules"
SEARCH: Final = "/2/tweets/search/recent"
TOKEN: Final = "/oauth2/token"  # noqa: S105 - a path
# Together with the lines that may wait, this bounds what is held in memory.
LINE_BYTES_MAX: Final = 256 * KIB
ANSWER_BYTES_MAX: Final = 16 * MIB
REQUEST_TIMEOUT_S: Final = 30.0
# A sign of life comes every 20 seconds; a little late is not too late.
SILENCE_S: Final = 22.0
SEARCH_PAGE: Final = 100
SEARCH_PAGES_MAX: Final = 100
_TOO_MANY: Final = 429
_OK: Final = range(200, 300)
_WORDS_CHARS_MAX: Final = 300

# What JSON is made of.
Object = dict[str, Any]


class XTrouble(Exception):
    """The API refuses: `status` is that of HTTP, `reset_s` when a rate limit ends."""

    def __init__(self, words: str, *, status: int, reset_s: int | None = None) -> None:
        super().__init__(words)
        self.status = status
        self.reset_s = reset_s

    @property
    def is_rate_limit(self) -> bool:
        """Tell whether it was asked too often."""
        return self.status == _TOO_MANY


class Disconnected(Exception):
    """The stream was ended by the other side, which may have said why."""


TROUBLES: Final = (XTrouble, Disconnected, httpx.HTTPError)


@dataclass(frozen=True, slots=True)
class Credentials:
    """A bearer token, or the key and secret with which one is asked for."""

    bearer_token: str | None
    consumer_key: str | None
    consumer_secret: str | None


class XApi:
    """One client of the API; use it with `async with`."""

    def __init__(self, base_url: str, credentials: Credentials) -> None:
        timeout = httpx.Timeout(REQUEST_TIMEOUT_S, read=SILENCE_S)
        self._http = httpx.AsyncClient(base_url=base_url, timeout=timeout)
        self._credentials = credentials
        self._token = credentials.bearer_token

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def reconcile(self, query: str, tag: str) -> str:
        """See to it that the rule with our tag is `query`; return its id.

        The rules of others in the same project are left alone.
        """
        found = (await self._asked("GET", RULES)).get("data") or []
        ours = [rule for rule in found if rule.get("tag") == tag]
        kept = next((rule for rule in ours if rule.get("value") == query), None)
        stale = [str(rule["id"]) for rule in ours if rule is not kept]
        if stale:
            await self._asked("POST", RULES, {"delete": {"ids": stale}})
        if kept is not None:
            return str(kept["id"])
        answer = await self._asked("POST", RULES, {"add": [{"value": query, "tag": tag}]})
        added = answer.get("data") or []
        if not added:
            raise XTrouble(f"the rule was not taken: {_errors(answer)}", status=400)
        return str(added[0]["id"])

    async def search(
        self, query: str, since_id: str, fields: Mapping[str, str]
    ) -> tuple[list[Object], bool]:
        """Return what was posted after a tweet, as lines of a stream, oldest first; and if all."""
        found: list[Object] = []
        token = ""
        for _ in range(SEARCH_PAGES_MAX):
            more = {"next_token": token} if token else {}
            page = await self._asked(
                "GET",
                SEARCH,
                params={
                    "query": query,
                    "since_id": since_id,
                    "max_results": str(SEARCH_PAGE),
                    **fields,
                    **more,
                },
            )
            found += [_line(tweet, page) for tweet in page.get("data") or []]
            token = (page.get("meta") or {}).get("next_token") or ""
            if not token:
                break
        return sorted(found, key=lambda line: int(line["data"]["id"])), not token

    async def stream(self, params: Mapping[str, str]) -> AsyncGenerator[bytes, None]:
        """Yield the lines of the stream; the first, empty one says that it is open.

        Raises a time-out when nothing came for longer than signs of life may take.
        """
        # Packed, a line might wait in the other side's packer for the next one.
        headers = await self._authorization() | {"Accept-Encoding": "identity"}
        async with self._http.stream("GET", STREAM, params=params, headers=headers) as response:
            if response.status_code not in _OK:
                raise await self._trouble(response)
            yield b""
            rest = bytearray()
            async for part in response.aiter_raw():
                rest += part
                if b"\n" in part:
                    *lines, last = rest.split(b"\n")
                    rest = bytearray(last)
                    for line in lines:
                        yield bytes(line).strip()
                elif len(rest) > LINE_BYTES_MAX:
                    raise Disconnected(f"a line has more than {LINE_BYTES_MAX} bytes")
        raise Disconnected("the stream came to an end")

    async def _asked(
        self,
        method: str,
        path: str,
        body: Object | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Object:
        headers = await self._authorization()
        request = self._http.build_request(method, path, json=body, params=params, headers=headers)
        return await self._answer(request)

    async def _answer(self, request: httpx.Request) -> Object:
        response = await self._http.send(request, stream=True)
        try:
            if response.status_code not in _OK:
                raise await self._trouble(response)
            answer = bytearray()
            async for part in response.aiter_bytes():
                answer += part
                if len(answer) > ANSWER_BYTES_MAX:
                    raise Disconnected(f"an answer has more than {ANSWER_BYTES_MAX} bytes")
        finally:
            await response.aclose()
        return read_object(bytes(answer))

    async def _authorization(self) -> dict[str, str]:
        if self._token is None:
            self._token = await self._new_token()
        return {"Authorization": f"Bearer {self._token}"}

    async def _new_token(self) -> str:
        key, secret = self._credentials.consumer_key, self._credentials.consumer_secret
        assert key is not None
        assert secret is not None
        request = self._http.build_request("POST", TOKEN, data={"grant_type": "client_credentials"})
        basic = httpx.BasicAuth(key, secret)
        request = next(basic.auth_flow(request))
        answer = await self._answer(request)
        token = answer.get("access_token")
        if answer.get("token_type") != "bearer" or not isinstance(token, str):
            raise XTrouble("no bearer token was given", status=401)
        return token

    async def _trouble(self, response: httpx.Response) -> XTrouble:
        body = bytearray()
        async for part in response.aiter_bytes():
            body += part
            if len(body) > LINE_BYTES_MAX:
                break
        reset = response.headers.get("x-rate-limit-reset", "")
        is_moment = reset.isascii() and reset.isdigit() and len(reset) <= 12  # noqa: PLR2004 - fewer than 64 bits
        words = _said(bytes(body))
        status = response.status_code
        return XTrouble(
            f"{status} {response.reason_phrase}: {words}",
            status=status,
            reset_s=int(reset) if is_moment else None,
        )


def _line(tweet: Object, page: Object) -> Object:
    users = [
        user
        for user in (page.get("includes") or {}).get("users") or []
        if user.get("id") == tweet.get("author_id")
    ]
    return {"data": tweet, "includes": {"users": users}} if users else {"data": tweet}


def read_object(text: bytes) -> Object:
    """Return a JSON object; raises Disconnected for anything else."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Disconnected("what came is not JSON") from error
    if not isinstance(found, dict):
        raise Disconnected("what came is not a JSON object")
    return found


def until_reset_us(trouble: XTrouble, now_us: int) -> int | None:
    """Return how long a rate limit goes on, if the API said when it ends."""
    return None if trouble.reset_s is None else max(trouble.reset_s * SECOND_US - now_us, 0)


def _said(body: bytes) -> str:
    try:
        answer = read_object(body)
    except Disconnected:
        return body.decode(errors="replace").strip()[:_WORDS_CHARS_MAX]
    words = [str(answer[name]) for name in ("title", "detail") if answer.get(name)]
    return ": ".join(words)[:_WORDS_CHARS_MAX] or _errors(answer)


def _errors(answer: Object) -> str:
    errors: Sequence[Any] = answer.get("errors") or ["nothing was said"]
    parts = [
        str(each.get("detail") or each.get("title") or each.get("message") or each)
        if isinstance(each, dict)
        else str(each)
        for each in errors
    ]
    return "; ".join(parts)[:_WORDS_CHARS_MAX]


def said_errors(line: Object) -> str | None:
    """Return what a line of the stream says is wrong, if it has nothing else to say."""
    return _errors(line) if line.get("errors") and not line.get("data") else None
