"""A webhook's source: its route, its places, and the answers to its senders."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from perdure.base.limits import DELIVERY_GRACE_US
from perdure.base.time import SECOND_US, Clock
from perdure.triggers.bindings.handshake import ORIGIN, Permission, grant
from perdure.triggers.bindings.signatures import Signature, bearer_refusal
from perdure.triggers.bindings.web_messages import Call, Item, is_batch, items_of
from perdure.triggers.cloud_events import NoEvent
from perdure.triggers.port import Message, Receiver, Settled, Standing

# Requests that wait for a place, how long a body may take, and when to come again.
REQUESTS_WAITING_MAX: Final = 1_000
BODY_TIMEOUT_US: Final = 30 * SECOND_US
RETRY_AFTER_SECONDS: Final = 1
_PLAIN_ENCODINGS: Final = frozenset({"", "identity"})

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """What a component says of its webhook."""

    path: str
    method: str
    signature: Signature | None
    bearer_token: str | None
    needs_api_token: bool
    id_headers: Sequence[str]
    permission: Permission
    body_bytes_max: int
    deliveries_max: int


@dataclass(slots=True, eq=False)
class _Refused(Exception):
    """A request that is not handed on."""

    status: int
    code: str
    text: str


class WebhookSource:
    """Receives while its route is served."""

    def __init__(self, name: str, webhook: Webhook, clock: Clock) -> None:
        self.name = name
        self.standing = Standing()
        self.routes: Sequence[BaseRoute] = (Route(webhook.path, _Endpoint(self)),)
        # Paths that are to be served without the API token.
        self.open_paths = frozenset() if webhook.needs_api_token else frozenset({webhook.path})
        self._webhook = webhook
        self._id_headers = tuple(header.lower() for header in webhook.id_headers)
        self._clock = clock
        self._receive: Receiver | None = None
        self._places = asyncio.Semaphore(webhook.deliveries_max)
        self._waiting = 0
        self._under_way = 0
        self._quiet = asyncio.Event()

    async def run(
        self,
        receive: Receiver,
        position: str | None,  # noqa: ARG002 - senders keep their place themselves
    ) -> None:
        """Receive until cancelled."""
        self._receive = receive
        self.standing.connected = True
        try:
            await asyncio.Event().wait()
        finally:
            self._receive = None
            self.standing.connected = False
            await self._wait_until_quiet()

    async def answer(self, request: Request) -> Response:
        """Answer one request."""
        webhook = self._webhook
        if request.method == "OPTIONS":
            return self._permit(request)
        if request.method != webhook.method:
            allow = self._allow()
            text = f"method {request.method} is not allowed here; allowed are {allow['Allow']}"
            return _problem(405, "ERR_METHOD_NOT_ALLOWED", text, allow)
        if self._receive is None:
            return _come_again("the webhook does not receive just now")
        if self._waiting >= REQUESTS_WAITING_MAX:
            return _come_again("too many requests are waiting")
        self._waiting += 1
        try:
            await self._places.acquire()
        finally:
            self._waiting -= 1
        self._under_way += 1
        try:
            return await self._handed_on(request)
        except _Refused as refused:
            return _problem(refused.status, refused.code, refused.text)
        finally:
            self._under_way -= 1
            self._places.release()
            if self._under_way == 0:
                self._quiet.set()

    def _permit(self, request: Request) -> Response:
        headers = _headers(request)
        if ORIGIN not in headers:
            return Response(status_code=204, headers=self._allow())
        granted = grant(self._webhook.permission, headers)
        if granted is None:
            text = f"{headers[ORIGIN]} is not among the allowed origins"
            return _problem(403, "ERR_WEBHOOK_ORIGIN", text)
        _log.info("a webhook was permitted", source=self.name, origin=headers[ORIGIN])
        return Response(status_code=200, headers={**self._allow(), **granted})

    def _allow(self) -> dict[str, str]:
        return {"Allow": f"{self._webhook.method}, OPTIONS"}

    async def _handed_on(self, request: Request) -> Response:
        call = await self._read(request)
        self._admit(call, request.query_params.getlist("access_token"))
        try:
            items = items_of(call, self._id_headers)
        except NoEvent as error:
            raise _Refused(400, "ERR_WEBHOOK_EVENT", str(error)) from error
        outcomes = await self._deliver(items)
        if is_batch(call):
            return _batch_answer(items, outcomes)
        if outcomes[0] is Settled.ACCEPTED:
            return JSONResponse({"outcome": Settled.ACCEPTED.value, **items[0].named}, 202)
        return _come_again("nothing of this is on disk")

    async def _read(self, request: Request) -> Call:
        headers = _headers(request)
        if headers.get("content-encoding", "").strip().lower() not in _PLAIN_ENCODINGS:
            raise _Refused(415, "ERR_WEBHOOK_ENCODING", "a body is read as it is, not encoded")
        try:
            async with asyncio.timeout(BODY_TIMEOUT_US / SECOND_US):
                body = await self._body(request, headers.get("content-length", ""))
        except TimeoutError as error:
            raise _Refused(408, "ERR_BODY_READ", "the body took too long") from error
        except ClientDisconnect as error:
            raise _Refused(400, "ERR_BODY_READ", "the body ends before its end") from error
        return Call(
            method=request.method,
            path=self._webhook.path,
            query=request.url.query,
            headers=headers,
            body=body,
            received_at_us=self._clock.now_us(),
        )

    async def _body(self, request: Request, announced: str) -> bytes:
        bytes_max = self._webhook.body_bytes_max
        too_large = _Refused(413, "ERR_BODY_READ", f"a body has at most {bytes_max} bytes")
        digits = announced.lstrip("0") if announced.isascii() and announced.isdigit() else ""
        if len(digits) > len(str(bytes_max)) or int(digits or "0") > bytes_max:
            raise too_large
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > bytes_max:
                raise too_large
        return bytes(body)

    def _admit(self, call: Call, query_tokens: Iterable[str]) -> None:
        webhook = self._webhook
        if webhook.bearer_token is not None:
            refusal = bearer_refusal(call.headers, query_tokens, webhook.bearer_token)
            if refusal is not None:
                raise _Refused(401, "ERR_WEBHOOK_TOKEN", refusal)
        if webhook.signature is not None:
            refusal = webhook.signature.refusal(call.headers, call.body, call.received_at_us)
            if refusal is not None:
                raise _Refused(401, "ERR_WEBHOOK_SIGNATURE", refusal)

    async def _deliver(self, items: Sequence[Item]) -> list[Settled]:
        """Hand the messages on in their order, up to the first that is not on disk."""
        outcomes = [Settled.LATER] * len(items)
        for number, item in enumerate(items):
            self.standing.received += 1
            outcomes[number] = await self._received(item.message)
            if outcomes[number] is Settled.LATER:
                break
        return outcomes

    async def _received(self, message: Message) -> Settled:
        if (receive := self._receive) is None:
            return Settled.LATER
        try:
            return await receive(message)
        except Exception as error:  # noqa: BLE001 - logged, and the sender comes again
            _log.exception("a message could not be received", source=self.name, exc_info=error)
            return Settled.LATER

    async def _wait_until_quiet(self) -> None:
        if self._under_way == 0:
            return
        self._quiet.clear()
        try:
            async with asyncio.timeout(DELIVERY_GRACE_US / SECOND_US):
                await self._quiet.wait()
        except TimeoutError:
            _log.warning("requests are left unanswered", source=self.name, count=self._under_way)


class _Endpoint:
    """The route's end: an application, so that every method comes here."""

    def __init__(self, source: WebhookSource) -> None:
        self._source = source

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._source.answer(Request(scope, receive, send))
        await response(scope, receive, send)


def _headers(request: Request) -> dict[str, str]:
    return dict(request.headers.items())


def _batch_answer(items: Sequence[Item], outcomes: Sequence[Settled]) -> Response:
    """Tell what came of each event; all that is not accepted has to be sent again."""
    events = [
        {**item.named, "outcome": outcome.value}
        for item, outcome in zip(items, outcomes, strict=True)
    ]
    if Settled.LATER in outcomes:
        return _come_again("not every event is on disk", {"events": events})
    return JSONResponse({"events": events}, 202)


def _come_again(text: str, more: Mapping[str, object] | None = None) -> Response:
    again = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return _problem(503, "ERR_WEBHOOK_LATER", text, again, more)


def _problem(
    status: int,
    code: str,
    text: str,
    headers: Mapping[str, str] | None = None,
    more: Mapping[str, object] | None = None,
) -> Response:
    return JSONResponse({"errorCode": code, "message": text, **(more or {})}, status, headers)
