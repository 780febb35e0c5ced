"""Webhooks: answered when it is on disk, CloudEvents in all their modes, and who may come in."""

import asyncio
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote

import httpx
import pytest
from cloudevents.core.bindings import http as wire
from cloudevents.core.v1.event import CloudEvent
from starlette.applications import Starlette

from perdure.base.limits import DELIVERY_GRACE_US
from perdure.triggers.bindings import http, webhook
from perdure.triggers.cloud_events import read_message
from perdure.triggers.port import Message, Settled
from tests.kit.clock import VirtualClock
from tests.kit.inbox import Inbox
from tests.kit.metadata import Metadata

PATH = "/webhooks/orders"


def source_of(**items: str) -> webhook.WebhookSource:
    clock = VirtualClock(asyncio.get_running_loop())
    return http.build(Metadata("bindings.http", component="orders", **items), clock)


@asynccontextmanager
async def serving(inbox: Inbox, **items: str) -> AsyncIterator[httpx.AsyncClient]:
    source = source_of(**items)
    run = asyncio.create_task(source.run(inbox.receive, None))
    await asyncio.sleep(0)
    assert source.standing.connected
    async with client_of(source) as client:
        yield client
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert not source.standing.connected


def client_of(source: webhook.WebhookSource) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(Starlette(routes=source.routes))
    return httpx.AsyncClient(transport=transport, base_url="http://test")


def event(event_id: str, data: object = None) -> CloudEvent:
    attributes = {"type": "order.placed", "source": "/shop", "id": event_id}
    return CloudEvent(attributes, {"n": 1} if data is None else data)  # type: ignore[arg-type]  # anything may be in an event


async def test_it_answers_when_the_message_is_on_disk_and_not_before() -> None:
    inbox = Inbox()
    inbox.gate.clear()
    async with serving(inbox) as client:
        asked = asyncio.create_task(
            client.post(
                f"{PATH}?shop=7&access_token=t",
                content=b'{"n": 1}',
                headers={
                    "Content-Type": "application/json",
                    "Idempotency-Key": "k-1",
                    "X-Kind": "order",
                    "Authorization": "Basic s",
                    "Cookie": "s",
                },
            )
        )
        message = await inbox.next()
        for _ in range(20):
            await asyncio.sleep(0)
        assert not asked.done()
        inbox.gate.set()
        answer = await asked
    assert (answer.status_code, answer.json()) == (
        202,
        {"outcome": "accepted", "messageID": "k-1"},
    )
    assert (message.message_id, message.data) == ("k-1", b'{"n": 1}')
    assert message.content_type == "application/json"
    attributes = dict(message.attributes)
    assert attributes["method"] == "POST"
    assert attributes["path"] == PATH
    assert attributes["query.shop"] == "7"
    assert attributes["x-kind"] == "order"
    assert not {"authorization", "cookie", "query.access_token"} & attributes.keys()


async def test_what_is_not_on_disk_is_to_be_sent_again() -> None:
    inbox = Inbox(Settled.LATER)
    async with serving(inbox) as client:
        first = await client.post(PATH, content=b"x")
        assert first.status_code == 503
        assert first.headers["retry-after"] == "1"
        assert first.json()["errorCode"] == "ERR_WEBHOOK_LATER"
        assert (await client.post(PATH, content=b"x")).status_code == 202


async def test_a_receiver_that_fails_is_later() -> None:
    async def fails(_message: Message) -> Settled:
        raise RuntimeError("on purpose")

    source = source_of()
    run = asyncio.create_task(source.run(fails, None))
    await asyncio.sleep(0)
    async with client_of(source) as client:
        assert (await client.post(PATH)).status_code == 503
    run.cancel()
    await asyncio.wait({run})


async def test_a_source_that_does_not_run_takes_nothing() -> None:
    async with client_of(source_of()) as client:
        answer = await client.post(PATH)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


async def test_a_request_in_hand_is_answered_when_the_source_stops() -> None:
    inbox = Inbox()
    inbox.gate.clear()
    source = source_of()
    run = asyncio.create_task(source.run(inbox.receive, None))
    await asyncio.sleep(0)
    async with client_of(source) as client:
        asked = asyncio.create_task(client.post(PATH, content=b"x"))
        await inbox.next()
        run.cancel()
        for _ in range(20):
            await asyncio.sleep(0)
        assert not run.done()
        assert (await client.post(PATH, content=b"y")).status_code == 503
        inbox.gate.set()
        assert (await asked).status_code == 202
        with pytest.raises(asyncio.CancelledError):
            await run


async def test_a_stop_does_not_wait_for_ever() -> None:
    inbox = Inbox()
    inbox.gate.clear()
    source = source_of()
    run = asyncio.create_task(source.run(inbox.receive, None))
    await asyncio.sleep(0)
    async with client_of(source) as client:
        asked = asyncio.create_task(client.post(PATH, content=b"x"))
        await inbox.next()
        run.cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        VirtualClock(asyncio.get_running_loop()).advance(DELIVERY_GRACE_US)
        with pytest.raises(asyncio.CancelledError):
            await run
        inbox.gate.set()
        await asked


@pytest.mark.parametrize(
    "headers",
    [{"Idempotency-Key": "a"}, {"X-GitHub-Delivery": "a"}, {"webhook-id": "a"}],
)
async def test_the_usual_headers_name_a_message(headers: dict[str, str]) -> None:
    inbox = Inbox()
    async with serving(inbox) as client:
        await client.post(PATH, headers=headers)
    assert inbox.ids() == ["a"]


async def test_a_header_of_your_choice_names_a_message() -> None:
    inbox = Inbox()
    async with serving(inbox, idHeader="X-Request-Id, X-Other") as client:
        await client.post(PATH, headers={"X-Other": "o", "Idempotency-Key": "k"})
        await client.post(PATH, headers={"Idempotency-Key": "k"})
        too_long = await client.post(PATH, headers={"X-Other": "x" * 1_025})
    assert inbox.ids() == ["o", None]
    assert too_long.status_code == 400


@pytest.mark.parametrize("data", [{"n": 1}, "text", b"\x00\xff", {"deep": [{"ü": "€"}]}])
@pytest.mark.parametrize("mode", ["binary", "structured"])
async def test_events_as_the_sdk_sends_them(mode: str, data: object) -> None:
    """The other side is the CloudEvents project's own SDK."""
    sent = CloudEvent(
        {
            "type": "order.placed",
            "source": "/shop/ü €",
            "id": 'a"b%c',
            "subject": "Grüße, 100 %",
            "traceparent": "00-1",
        }
        | ({"datacontenttype": "application/json"} if isinstance(data, dict) else {})
        | ({"datacontenttype": "text/plain"} if isinstance(data, str) else {}),
        data,  # type: ignore[arg-type]  # anything may be in an event
    )
    packed = wire.to_binary_event(sent) if mode == "binary" else wire.to_structured_event(sent)
    inbox = Inbox()
    async with serving(inbox) as client:
        answer = await client.post(PATH, content=packed.body, headers=packed.headers)
    assert answer.status_code == 202, answer.text
    assert answer.json() == {"outcome": "accepted", "source": "/shop/ü €", "id": 'a"b%c'}
    (message,) = inbox.accepted
    assert message.message_id is None
    read = read_message(message.data, message.content_type, message.attributes, raw=False)
    assert read is not None
    assert (read.source, read.id, read.type) == ("/shop/ü €", 'a"b%c', "order.placed")
    assert read.attributes["subject"] == "Grüße, 100 %"
    assert read.data == data


async def test_a_header_in_quotes_is_meant_without_them() -> None:
    inbox = Inbox()
    headers = {"ce-id": '"a%20b"', "ce-source": "/s", "ce-type": "t", "ce-specversion": "1.0"}
    async with serving(inbox) as client:
        answer = await client.post(PATH, headers=headers)
    assert answer.json()["id"] == "a b"


def batch(*ids: str) -> tuple[bytes, dict[str, str]]:
    bodies = [json.loads(wire.to_structured_event(event(each)).body) for each in ids]
    return json.dumps(bodies).encode(), {"Content-Type": "application/cloudevents-batch+json"}


async def test_each_event_of_a_batch_is_a_message_in_its_order() -> None:
    inbox = Inbox()
    body, headers = batch("a", "b", "c")
    async with serving(inbox) as client:
        answer = await client.post(PATH, content=body, headers=headers)
    assert answer.status_code == 202
    assert answer.json() == {
        "events": [{"source": "/shop", "id": each, "outcome": "accepted"} for each in "abc"]
    }
    found = [
        read_message(each.data, each.content_type, each.attributes, raw=False)
        for each in inbox.accepted
    ]
    assert [each and each.id for each in found] == ["a", "b", "c"]


async def test_a_batch_of_which_a_part_is_on_disk_is_sent_again_and_says_so() -> None:
    inbox = Inbox(Settled.ACCEPTED, Settled.LATER)
    body, headers = batch("a", "b", "c")
    async with serving(inbox) as client:
        first = await client.post(PATH, content=body, headers=headers)
        again = await client.post(PATH, content=body, headers=headers)
    assert first.status_code == 503
    assert first.headers["retry-after"] == "1"
    outcomes = [(each["id"], each["outcome"]) for each in first.json()["events"]]
    assert outcomes == [("a", "accepted"), ("b", "later"), ("c", "later")]
    assert again.status_code == 202
    # The same bytes under the same identity: what was accepted before is known to the receiver.
    a, *others = (each.data for each in inbox.accepted)
    assert others[0] == a
    assert [json.loads(each)["id"] for each in others] == ["a", "b", "c"]


async def test_an_empty_batch_is_accepted() -> None:
    inbox = Inbox()
    body, headers = batch()
    async with serving(inbox) as client:
        answer = await client.post(PATH, content=body, headers=headers)
    assert (answer.status_code, answer.json()) == (202, {"events": []})


@pytest.mark.parametrize(
    ("content_type", "body", "headers"),
    [
        ("application/cloudevents+json", b"{", {}),
        ("application/cloudevents+json", b"[]", {}),
        ("application/cloudevents+json; charset=utf-8", b'{"id": "a"}', {}),
        ("application/cloudevents+json", b'{"id":"","source":"s","type":"t"}', {}),
        ("application/cloudevents+xml", b"<event/>", {}),
        ("application/cloudevents-batch+json", b"{}", {}),
        ("application/cloudevents-batch+json", b'[{"id": "a"}]', {}),
        ("application/cloudevents-batch+json", b"[" + b"{}," * 1_000 + b"{}]", {}),
        ("application/json", b"{}", {"ce-id": "a", "ce-source": "/s"}),
        ("application/json", b"{}", {"ce-id": "%ff", "ce-source": "/s", "ce-type": "t"}),
    ],
)
async def test_what_says_it_is_an_event_and_is_none_is_refused(
    content_type: str, body: bytes, headers: dict[str, str]
) -> None:
    inbox = Inbox()
    async with serving(inbox) as client:
        answer = await client.post(
            PATH, content=body, headers={"Content-Type": content_type, **headers}
        )
    assert (answer.status_code, answer.json()["errorCode"]) == (400, "ERR_WEBHOOK_EVENT")
    assert not inbox.messages


async def test_the_handshake_of_the_specification() -> None:
    asked = {
        "WebHook-Request-Origin": "eventemitter.example.com",
        "WebHook-Request-Callback": "https://example.com/confirm?id=1",
        "WebHook-Request-Rate": "120",
    }
    async with serving(Inbox(), allowedOrigins="*.example.com", allowedRate="100") as client:
        granted = await client.options(PATH, headers=asked)
        refused = await client.options(PATH, headers={"WebHook-Request-Origin": "evil.example"})
        plain = await client.options(PATH)
    assert granted.status_code == 200
    assert granted.headers["webhook-allowed-origin"] == "eventemitter.example.com"
    assert granted.headers["webhook-allowed-rate"] == "100"
    assert granted.headers["allow"] == "POST, OPTIONS"
    assert refused.status_code == 403
    assert "webhook-allowed-origin" not in refused.headers
    assert (plain.status_code, plain.headers["allow"]) == (204, "POST, OPTIONS")


async def test_another_method_is_not_allowed() -> None:
    inbox = Inbox()
    async with serving(inbox, method="PUT") as client:
        refused = await client.post(PATH)
        assert (refused.status_code, refused.headers["allow"]) == (405, "PUT, OPTIONS")
        assert (await client.put(PATH)).status_code == 202
    async with serving(inbox, method="GET") as client:
        assert (await client.get(PATH + "?a=" + quote("ü"))).status_code == 202
    assert ("query.a", "ü") in inbox.accepted[-1].attributes


async def test_a_signature_is_checked_before_anything_is_handed_on() -> None:
    inbox = Inbox()
    signed = "sha256=" + hmac.digest(b"s3", b"body", "sha256").hex()
    async with serving(inbox, secret="s3") as client:
        bad = await client.post(PATH, content=b"body!", headers={"X-Hub-Signature-256": signed})
        none = await client.post(PATH, content=b"body")
        good = await client.post(PATH, content=b"body", headers={"X-Hub-Signature-256": signed})
    assert [each.status_code for each in (bad, none, good)] == [401, 401, 202]
    assert bad.json()["errorCode"] == "ERR_WEBHOOK_SIGNATURE"
    assert len(inbox.messages) == 1


async def test_a_bearer_token_is_checked() -> None:
    inbox = Inbox()
    async with serving(inbox, bearerToken="t0") as client:
        none = await client.post(PATH)
        header = await client.post(PATH, headers={"Authorization": "Bearer t0"})
        query = await client.post(f"{PATH}?access_token=t0")
    assert [each.status_code for each in (none, header, query)] == [401, 202, 202]
    assert "t0" not in str(inbox.messages)


async def test_a_body_has_a_limit() -> None:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * 512

    inbox = Inbox()
    async with serving(inbox, maxBodySize="1024") as client:
        assert (await client.post(PATH, content=b"x" * 1_024)).status_code == 202
        assert (await client.post(PATH, content=b"x" * 1_025)).status_code == 413
        assert (await client.post(PATH, content=parts())).status_code == 413
        packed = {"Content-Encoding": "gzip"}
        assert (await client.post(PATH, content=b"x", headers=packed)).status_code == 415


async def test_so_many_requests_are_handed_on_at_once_and_the_others_wait() -> None:
    inbox = Inbox()
    inbox.gate.clear()
    async with serving(inbox, maxConcurrency="2") as client:
        asked = [asyncio.create_task(client.post(PATH, content=b"x")) for _ in range(5)]
        for _ in range(2):
            await inbox.next()
        for _ in range(50):
            await asyncio.sleep(0)
        assert len(inbox.messages) == 2
        inbox.gate.set()
        answers = await asyncio.gather(*asked)
    assert [each.status_code for each in answers] == [202] * 5
