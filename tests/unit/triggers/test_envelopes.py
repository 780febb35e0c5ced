"""What lies in a broker for a published payload, as Dapr wraps it."""

import json
from typing import Any

import pytest

from perdure.base.time import SECOND_US
from perdure.components.publishing import Publication
from perdure.triggers.cloud_events import NoEvent, structured
from perdure.triggers.envelopes import BadMetadata, envelope, is_raw

NOW_US = 1_767_225_600 * SECOND_US + 250_000


def wrapped(data: bytes, content_type: str | None, **more: Any) -> dict[str, Any]:
    publication = Publication(
        pubsub="messages", topic="orders", data=data, content_type=content_type, **more
    )
    made = json.loads(envelope(publication, event_id="new", app_id="shop", now_us=NOW_US))
    assert isinstance(made, dict)
    structured(made)
    return made


@pytest.mark.parametrize(
    ("data", "content_type", "member"),
    [
        (b'{"n": 1}', "application/json", {"data": {"n": 1}}),
        (b'{"n": 1}', "application/json; charset=utf-8", {"data": {"n": 1}}),
        (b'{"n": 1}', "application/vnd.order+json", {"data": {"n": 1}}),
        (b"{", "application/json", {"data": "{"}),
        (b"hello", "text/plain", {"data": "hello"}),
        (b"<a/>", "application/xml", {"data": "<a/>"}),
        (b"\xff", "application/octet-stream", {"data_base64": "/w=="}),
        (b"\xff", "text/plain", {"data_base64": "/w=="}),
        (b"", None, {"data": ""}),
    ],
)
def test_a_payload_is_wrapped(
    data: bytes, content_type: str | None, member: dict[str, Any]
) -> None:
    assert wrapped(data, content_type) == {
        "id": "new",
        "source": "shop",
        "type": "com.dapr.event.sent",
        "specversion": "1.0",
        "datacontenttype": content_type or "text/plain",
        "time": "2026-01-01T00:00:00Z",
        "pubsubname": "messages",
        "topic": "orders",
        **member,
    }


def test_an_event_is_completed() -> None:
    made = wrapped(b'{"id": "7", "data": {"n": 1}}', "application/cloudevents+json")
    assert made == {
        "id": "7",
        "source": "Dapr",
        "type": "com.dapr.event.sent",
        "specversion": "1.0",
        "data": {"n": 1},
        "pubsubname": "messages",
        "topic": "orders",
    }
    own = {"id": "7", "source": "s", "type": "t", "specversion": "1.0", "traceparent": "00-a"}
    made = wrapped(json.dumps(own).encode(), "application/cloudevents+json; charset=utf-8")
    assert made == {**own, "pubsubname": "messages", "topic": "orders"}


@pytest.mark.parametrize("data", [b"[1]", b"{", b"7"])
def test_an_event_that_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(NoEvent):
        wrapped(data, "application/cloudevents+json")


def test_metadata_say_what_the_event_is() -> None:
    metadata = {
        "cloudevent.id": "42",
        "cloudevent.source": "till",
        "cloudevent.type": "sale",
        "cloudevent.subject": "berlin",
        "ttlInSeconds": "60",
    }
    made = wrapped(b"x", "text/plain", metadata=metadata, traceparent="00-x", tracestate="a=b")
    assert made["id"] == "42"
    assert made["source"] == "till"
    assert made["type"] == "sale"
    assert made["subject"] == "berlin"
    assert made["expiration"] == "2026-01-01T00:01:00Z"
    assert made["traceid"] == made["traceparent"] == "00-x"
    assert made["tracestate"] == "a=b"


@pytest.mark.parametrize("ttl", ["0", "-1", "1.5", "soon", "9" * 40, "٣"])
def test_a_time_to_live_is_a_number(ttl: str) -> None:
    with pytest.raises(BadMetadata):
        wrapped(b"x", "text/plain", metadata={"ttlInSeconds": ttl})


def test_raw_is_what_dapr_takes_for_true() -> None:
    for text, raw in (("true", True), ("TRUE", True), ("1", True), ("false", False), ("", False)):
        found = Publication(pubsub="p", topic="t", data=b"", metadata={"rawPayload": text})
        assert is_raw(found) is raw
