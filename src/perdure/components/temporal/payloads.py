"""Payloads: strings here, encoded bytes with a name for their encoding at Temporal.

JSON becomes `json/plain`, which every SDK reads as a value, and all else `binary/plain`, which it
reads as bytes. Whatever comes back is a string again: JSON as it stands, bytes that are text as
that text, other bytes as a JSON string of their base64.
"""

from collections.abc import Sequence
from typing import Final

from temporalio.api.common.v1 import Payload, Payloads

from perdure.wire.json_api.payload import Base64Text, payload_of
from perdure.wire.json_api.text import JsonText, shown, write

_ENCODING: Final = "encoding"
_JSON: Final = b"json/plain"
_BINARY: Final = b"binary/plain"
_NULL: Final = b"binary/null"


def to_payload(text: str) -> Payload:
    """Return a string as a payload."""
    match text:
        case Base64Text():
            return Payload(metadata={_ENCODING: _BINARY}, data=text.content())
        case _ if isinstance(shown(text), JsonText):
            return Payload(metadata={_ENCODING: _JSON}, data=text.encode())
        case _:
            return Payload(metadata={_ENCODING: _BINARY}, data=text.encode())


def to_payloads(text: str | None) -> Payloads | None:
    """Return a string as the only argument, or no argument if it is absent or empty.

    An empty string is no JSON, and a workflow that takes no argument fails when it is given one.
    """
    return Payloads(payloads=[to_payload(text)]) if text else None


def json_payload(text: str) -> Payload:
    """Return JSON text as a payload."""
    return Payload(metadata={_ENCODING: _JSON}, data=text.encode())


def from_payload(payload: Payload) -> str:
    """Return a payload as a string."""
    if payload.metadata.get(_ENCODING) == _NULL:
        return "null"
    return payload_of(payload.data)


def from_payloads(payloads: Sequence[Payload]) -> str | None:
    """Return payloads as a string: none is absent, several are a JSON array."""
    match list(payloads):
        case []:
            return None
        case [only]:
            return from_payload(only)
        case several:
            return write([shown(from_payload(each)) for each in several])
