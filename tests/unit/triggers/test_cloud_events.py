"""CloudEvents in every mode, against events as the cloudevents library writes them."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cloudevents.core.bindings import http
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st

from perdure.base.time import SECOND_US
from perdure.triggers.cloud_events import (
    BATCHED,
    STRUCTURED,
    Event,
    NoEvent,
    batched,
    exact_payload,
    marked,
    mended,
    payload,
    read_message,
    structured,
)

ENVELOPE = {"id": "1", "source": "shop", "type": "order", "specversion": "1.0"}


def read(data: object, content_type: str | None = STRUCTURED, **headers: str) -> Event:
    body = data if isinstance(data, bytes) else json.dumps(data).encode()
    found = read_message(body, content_type, headers.items(), raw=False)
    assert found is not None
    return found


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab"), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text("ab"), JSON, min_size=1, max_size=3))
def test_what_others_write_is_read(data: dict[str, Any]) -> None:
    """Structured and binary, as the library of the specification's own authors writes them."""
    event = CloudEvent(
        {
            "id": "e-1",
            "source": "urn:shop",
            "type": "order.placed",
            "specversion": "1.0",
            "datacontenttype": "application/json",
            "time": datetime(2026, 1, 2, tzinfo=UTC),
            "customer": "ada",
        },
        data,
    )
    for message in (http.to_structured_event(event), http.to_binary_event(event)):
        headers = {name.lower(): value for name, value in message.headers.items()}
        found = read_message(message.body, headers["content-type"], headers.items(), raw=False)
        assert found is not None
        assert (found.id, found.source, found.type) == ("e-1", "urn:shop", "order.placed")
        assert found.attributes["customer"] == "ada"
        assert found.is_cloud_event
        assert found.data == data


@pytest.mark.parametrize(
    "headers",
    [
        {"ce-id": "1", "ce-source": "s", "ce-type": "t"},
        {"CE-ID": "1", "Ce-Source": "s", "ce-TYPE": "t"},
        {"ce_id": "1", "ce_source": "s", "ce_type": "t"},
        {"cloudEvents:id": "1", "cloudEvents:source": "s", "cloudEvents:type": "t"},
        {"cloudEvents_id": "1", "cloudEvents_source": "s", "cloudEvents_type": "t"},
    ],
)
def test_attributes_beside_the_data_are_found_as_every_protocol_marks_them(
    headers: dict[str, str],
) -> None:
    found = read(b'{"n": 1}', "application/json", **headers)
    assert (found.id, found.source, found.type, found.data) == ("1", "s", "t", {"n": 1})
    assert found.attributes["specversion"] == "1.0"
    assert found.attributes["datacontenttype"] == "application/json"


def test_a_broker_that_carries_no_content_type_is_forgiven() -> None:
    assert read({**ENVELOPE, "data": 7}, None).data == 7
    assert read(b"  \n" + json.dumps(ENVELOPE).encode(), None).has_data is False


@pytest.mark.parametrize(
    "body", [b"", b"[1]", b"text", b'{"id": "1"}', b"\xff", b'{"a": NaN}', b"{"]
)
def test_other_payloads_are_no_events(body: bytes) -> None:
    assert read_message(body, None, (), raw=False) is None
    assert read_message(body, "application/json", (), raw=False) is None


def test_a_raw_payload_is_never_an_event() -> None:
    headers = {"ce-id": "1", "ce-source": "s", "ce-type": "t"}
    body = json.dumps(ENVELOPE).encode()
    assert read_message(body, STRUCTURED, headers.items(), raw=True) is None


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([], "is a JSON object"),
        ({**ENVELOPE, "id": ""}, "has id"),
        ({**ENVELOPE, "source": 7}, "has source"),
        ({"id": "1", "source": "s", "type": "t"}, "has specversion"),
        ({**ENVELOPE, "data_base64": "%%"}, "not base64"),
        ({**ENVELOPE, "data_base64": 7}, "not base64"),
    ],
)
def test_what_says_that_it_is_an_event_has_to_be_one(value: object, said: str) -> None:
    with pytest.raises(NoEvent, match=said):
        read(value)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff",
        b'{"a": "\\ud800"}',
        b'{"a": "\xed\xa0\x80"}',
        b'{"a":' * 5_000,
        b"[" * 200 + b"]" * 200,
        b"9" * 5_000,
    ],
)
def test_hostile_json_is_refused_and_nothing_else_happens(body: bytes) -> None:
    with pytest.raises(NoEvent):
        read(body)


@pytest.mark.parametrize(
    ("member", "kind", "data", "text"),
    [
        ({"data": {"n": 1}}, None, {"n": 1}, '{"n":1}'),
        ({"data": "x"}, "text/plain", "x", '"x"'),
        ({"data": None}, None, None, "null"),
        ({"data_base64": "eyJuIjoxfQ=="}, "application/json", {"n": 1}, '{"n":1}'),
        ({"data_base64": "/w=="}, "image/png", b"\xff", '"/w=="'),
        ({"data_base64": "MTI="}, "text/plain", "12", '"12"'),
        ({"data": 2**70}, None, 2**70, str(2**70)),
    ],
)
def test_data_is_json_or_text_or_bytes(
    member: dict[str, object], kind: str | None, data: object, text: str
) -> None:
    found = structured({**ENVELOPE, **member, **({"datacontenttype": kind} if kind else {})})
    assert found.data == data
    assert found.as_map()["data"] == data
    assert payload(found.data) == text


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b'{"n": 1.50, "n2": 1e2 }', "application/json", '{"n": 1.50, "n2": 1e2 }'),
        (b" [1.0] ", None, "[1.0]"),
        (b"plain 1.5", "text/plain", '"plain 1.5"'),
        (b"\xff", "image/png", '"/w=="'),
        (b"", "application/json", None),
    ],
)
def test_numbers_stay_as_they_were_written(
    body: bytes, content_type: str | None, expected: str | None
) -> None:
    headers = {"ce-id": "1", "ce-source": "s", "ce-type": "t"}
    assert exact_payload(read(body, content_type, **headers), body) == expected
    if expected is not None and body.strip().startswith((b"{", b"[")):
        whole = json.dumps(ENVELOPE)[:-1].encode() + b', "data" : ' + body + b"}"
        event = structured(json.loads(whole))
        assert exact_payload(event, whole) == expected


def test_a_number_that_json_does_not_have_is_refused() -> None:
    with pytest.raises(NoEvent, match="not finite"):
        payload({"a": float("inf")})


def test_a_batch_is_so_many_events() -> None:
    found = batched(json.dumps([{**ENVELOPE, "id": str(n), "data": n} for n in range(3)]).encode())
    assert [(event.id, event.data) for event in found] == [("0", 0), ("1", 1), ("2", 2)]
    assert batched(b"[]") == []
    for broken in (b"{}", b"[1]", b"["):
        with pytest.raises(NoEvent):
            batched(broken)
    assert BATCHED == "application/cloudevents-batch+json"


def test_an_event_may_expire() -> None:
    lasting = structured({**ENVELOPE, "expiration": "2026-01-01T00:00:00Z"})
    now_us = 1_767_225_600 * SECOND_US
    assert not lasting.expired_at(now_us)
    assert lasting.expired_at(now_us + 1)
    assert not structured({**ENVELOPE, "expiration": "soon"}).expired_at(now_us)
    assert not structured(ENVELOPE).expired_at(now_us)


def test_only_marked_headers_are_attributes() -> None:
    assert marked([("ce-id", "1"), ("ce-", "x"), ("accept", "x"), ("CE-id", "2")]) == {"id": "1"}


def test_a_mended_payload_goes_into_its_envelope() -> None:
    whole = json.dumps({**ENVELOPE, "data_base64": "/w=="}).encode()
    again = structured(json.loads(mended(whole, STRUCTURED, b'{"n": 2}')))
    assert (again.id, again.data) == ("1", {"n": 2})
    other = json.dumps({**ENVELOPE, "id": "2"}).encode()
    assert mended(whole, STRUCTURED, other) == other
    assert mended(whole, "application/json", b"[]") == b"[]"
    assert mended(b"{", STRUCTURED, b"[]") == b"[]"
