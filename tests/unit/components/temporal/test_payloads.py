"""Payloads of Temporal as strings, and strings as payloads."""

import pytest
from temporalio.api.common.v1 import Payload

from perdure.components.temporal.payloads import from_payloads, to_payload, to_payloads
from perdure.wire.json_api.payload import payload_of


def encoded(encoding: str, data: bytes) -> Payload:
    return Payload(metadata={"encoding": encoding.encode()}, data=data)


@pytest.mark.parametrize(
    ("payloads", "text"),
    [
        ([], None),
        ([encoded("json/plain", b'{"a":1}')], '{"a":1}'),
        ([encoded("json/protobuf", b'{"seconds":"1"}')], '{"seconds":"1"}'),
        ([encoded("binary/null", b"")], "null"),
        ([encoded("binary/plain", b"text")], "text"),
        ([encoded("binary/plain", b"\xff")], '"/w=="'),
        ([encoded("binary/encrypted", b"\x00\xff")], '"AP8="'),
        ([encoded("json/plain", b"1"), encoded("binary/plain", b"text")], '[1,"text"]'),
    ],
)
def test_what_comes_back_is_a_string(payloads: list[Payload], text: str | None) -> None:
    assert from_payloads(payloads) == text


@pytest.mark.parametrize(
    ("body", "encoding", "data"),
    [
        (b'{"a": 1.10}', b"json/plain", b'{"a": 1.10}'),
        (b"NaN", b"binary/plain", b"NaN"),
        (b"text", b"binary/plain", b"text"),
        (b"\xff\x00", b"binary/plain", b"\xff\x00"),
        # Somebody's own base64 is a string as any other.
        (b'"/wA="', b"json/plain", b'"/wA="'),
    ],
)
def test_what_goes_is_json_or_bytes(body: bytes, encoding: bytes, data: bytes) -> None:
    payload = to_payload(payload_of(body))
    assert (payload.metadata["encoding"], payload.data) == (encoding, data)


@pytest.mark.parametrize("text", [None, ""])
def test_nothing_is_no_argument(text: str | None) -> None:
    assert to_payloads(text) is None
