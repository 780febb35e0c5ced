"""Publishing and triggers over HTTP: answers as documented, and the messages they lead to."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.api.message_door import message_door

CLOUD_EVENT = "application/cloudevents+json"
ORDERS = "/v1.0/publish/messages/orders"
TRIGGER = "/v1.0/triggers/orders"


def error(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["errorCode"]


async def test_a_published_message_starts_a_workflow(tmp_path: Path) -> None:
    async with message_door(tmp_path) as door:
        await door.publish('{"id": "a", "n": 1.50}')
        found = await door.until(lambda body: body["messages"].get("started") == 1)
        assert found["source"] == {
            "name": "messages/orders",
            "type": "pubsub.in-memory",
            "connected": True,
            "received": 1,
        }
        assert found["spec"]["instanceID"] == "data.id"
        view = await door.component.get("a")
        assert view is not None
        assert view.input == '{"id": "a", "n": 1.50}'
        event = '{"id":"1","source":"s","type":"t","specversion":"1.0","data":{"id": "b","n":1.50}}'
        await door.publish(event, CLOUD_EVENT)
        await door.until(lambda body: body["messages"].get("started") == 2)
        view = await door.component.get("b")
        assert view is not None
        assert view.input == '{"id": "b","n":1.50}'


async def test_an_event_is_one_event_however_often_it_is_published(tmp_path: Path) -> None:
    event = {"id": "1", "source": "s", "type": "t", "specversion": "1.0", "data": {"id": "a"}}
    async with message_door(tmp_path) as door:
        for _ in range(3):
            await door.publish(json.dumps(event), CLOUD_EVENT)
        await door.until(lambda body: body["messages"] == {"duplicate": 2, "started": 1})


async def test_metadata_of_a_publication(tmp_path: Path) -> None:
    async with message_door(tmp_path) as door:
        raw = f"{ORDERS}?metadata.rawPayload=true"
        answer = await door.call("POST", raw, '{"id": "raw"}')
        assert answer.status_code == 204
        old = f"{ORDERS}?metadata.ttlInSeconds=1&metadata.cloudevent.id=x"
        assert (await door.call("POST", old, "x")).status_code == 204
        await door.until(lambda body: body["messages"].get("started") == 1)
        assert error(await door.call("POST", f"{ORDERS}?metadata.ttlInSeconds=no", "x")) == (
            400,
            "ERR_PUBSUB_REQUEST_METADATA",
        )
        many = "&".join(f"metadata.k{n}=v" for n in range(65))
        assert error(await door.call("POST", f"{ORDERS}?{many}", "x"))[0] == 400


@pytest.mark.parametrize(
    ("path", "body", "kind", "expected"),
    [
        ("/v1.0/publish/none/orders", "x", "text/plain", (404, "ERR_PUBSUB_NOT_FOUND")),
        (ORDERS, "[1]", CLOUD_EVENT, (400, "ERR_PUBSUB_CLOUD_EVENTS_SER")),
        (ORDERS, "{", CLOUD_EVENT, (400, "ERR_PUBSUB_CLOUD_EVENTS_SER")),
        (ORDERS, "x" * (1024 * 1024 + 1), "text/plain", (413, "ERR_BODY_READ")),
    ],
)
async def test_what_is_not_published(
    tmp_path: Path, path: str, body: str, kind: str, expected: tuple[int, str]
) -> None:
    async with message_door(tmp_path) as door:
        assert error(await door.call("POST", path, body, {"content-type": kind})) == expected


async def test_a_topic_may_have_slashes(tmp_path: Path) -> None:
    async with message_door(tmp_path) as door:
        answer = await door.call("POST", "/v1.0/publish/messages/a/b%2Fc", "x")
        assert answer.status_code == 204


async def test_nothing_is_configured(tmp_path: Path) -> None:
    async with message_door(tmp_path, "") as door:
        assert error(await door.call("POST", ORDERS, "x")) == (400, "ERR_PUBSUB_NOT_CONFIGURED")
        assert (await door.call("GET", "/v1.0/triggers")).json() == {"triggers": []}
        assert error(await door.call("GET", TRIGGER)) == (404, "ERR_TRIGGER_NOT_FOUND")
        assert (await door.call("GET", "/v1.0/healthz")).status_code == 204


async def test_several_at_once(tmp_path: Path) -> None:
    path = "/v1.0-alpha1/publish/bulk/messages/orders"
    entries: list[dict[str, Any]] = [
        {"entryId": "1", "event": {"id": "a"}, "contentType": "application/json"},
        {"entryId": "2", "event": '{"id": "b"}', "contentType": "text/plain"},
        {"entryId": "3", "event": "eyJpZCI6ImMifQ==", "contentType": "application/octet-stream"},
    ]
    async with message_door(tmp_path) as door:
        assert (await door.call("POST", path, json.dumps(entries))).status_code == 204
        await door.until(lambda body: sum(body["messages"].values()) == 3)
        assert (await door.component.get("a")) is not None
        assert (await door.component.get("c")) is not None
        entries[0] |= {"event": [], "contentType": CLOUD_EVENT}
        answer = await door.call("POST", path, json.dumps(entries))
        assert answer.status_code == 400
        assert [each["entryId"] for each in answer.json()["failedEntries"]] == ["1"]
        for body in ("{", "{}", "[{}]", json.dumps([entries[1], entries[1]])):
            assert error(await door.call("POST", path, body)) == (400, "ERR_PUBSUB_EVENTS_SER")


async def test_dead_letters_are_shown_changed_and_replayed(tmp_path: Path) -> None:
    async with message_door(tmp_path) as door:
        await door.publish('{"no": 1}')
        await door.until(lambda body: body["deadLetters"] == 1)
        letters = f"{TRIGGER}/dead-letters"
        (letter,) = (await door.call("GET", letters)).json()["deadLetters"]
        assert letter["reason"] == 'data.id: there is no "id"'
        assert "message" not in letter
        one = f"{letters}/{letter['id']}"
        message = (await door.call("GET", one)).json()["message"]
        assert json.loads(message["data"])["data"] == {"no": 1}
        assert error(await door.call("POST", f"{one}/replay")) == (
            409,
            "ERR_TRIGGER_MESSAGE_UNUSABLE",
        )
        assert (await door.call("PUT", one, '{"id": "a"}')).status_code == 204
        answer = await door.call("POST", f"{one}/replay")
        assert (answer.status_code, answer.json()) == (200, {"outcome": "started"})
        for method, path in (
            ("POST", f"{one}/replay"),
            ("GET", one),
            ("PUT", one),
            ("DELETE", one),
        ):
            assert error(await door.call(method, path)) == (404, "ERR_DEAD_LETTER_NOT_FOUND")
        await door.publish("{}")
        await door.until(lambda body: body["deadLetters"] == 1)
        (letter,) = (await door.call("GET", letters)).json()["deadLetters"]
        assert (await door.call("DELETE", f"{letters}/{letter['id']}")).status_code == 204


async def test_listings_have_pages(tmp_path: Path) -> None:
    async with message_door(tmp_path) as door:
        for _ in range(5):
            await door.publish("{}")
        await door.until(lambda body: body["deadLetters"] == 5)
        for path, member in (("dead-letters", "deadLetters"), ("kept", "messages")):
            seen: list[str] = []
            token = ""
            for _ in range(3):
                query = f"pageSize=2&token={token}" if token else "pageSize=2"
                page = (await door.call("GET", f"{TRIGGER}/{path}?{query}")).json()
                seen += [each["id"] for each in page[member]]
                token = page.get("nextToken", "")
            assert len(set(seen)) == 5
            assert not token
            for bad in ("token=x", "pageSize=0", "pageSize=1001", "pageSize=x"):
                answer = await door.call("GET", f"{TRIGGER}/{path}?{bad}")
                assert answer.status_code == 400, bad
        none = (await door.call("GET", f"{TRIGGER}/kept?since=2100-01-01T00:00:00Z")).json()
        assert none == {"messages": []}
        answer = await door.call("GET", f"{TRIGGER}/kept?since=yesterday")
        assert answer.status_code == 400


async def test_pause_and_resume(tmp_path: Path) -> None:
    async with message_door(tmp_path) as door:
        assert (await door.call("POST", f"{TRIGGER}/pause")).status_code == 204
        await door.publish('{"id": "a"}')
        found = (await door.call("GET", TRIGGER)).json()
        assert (found["paused"], found["source"]["connected"]) == (True, False)
        assert (await door.call("GET", "/v1.0/healthz")).status_code == 204
        assert (await door.call("POST", f"{TRIGGER}/resume")).status_code == 204
        await door.until(lambda body: body["messages"].get("started") == 1)
        for call in ("pause", "resume", "kept", "dead-letters"):
            method = "POST" if call in {"pause", "resume"} else "GET"
            answer = await door.call(method, f"/v1.0/triggers/none/{call}")
            assert error(answer) == (404, "ERR_TRIGGER_NOT_FOUND")


async def test_metadata_tell_of_components_and_subscriptions(tmp_path: Path) -> None:
    async with message_door(tmp_path) as door:
        found = (await door.call("GET", "/v1.0/metadata")).json()
        assert {"name": "messages", "type": "pubsub.in-memory"}.items() <= found["components"][
            1
        ].items()
        assert found["subscriptions"] == [
            {
                "pubsubname": "messages",
                "topic": "orders",
                "metadata": {},
                "rules": [],
                "deadLetterTopic": "",
                "type": "DECLARATIVE",
            }
        ]
