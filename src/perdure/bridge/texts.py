"""Texts of the wire as payloads of Temporal, and back, byte for byte.

A text that is JSON goes as `json/plain`, so that Temporal's own tools show it and other clients of
the cluster can send it; any other goes as `binary/plain`; one that is absent as `binary/null`.
"""

import json
from typing import Final

from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue

from perdure.base.limits import KIB, MIB
from perdure.wire.json_api.payload import payload_of

# Temporal takes 2 MiB in one piece. What surrounds a payload on its way has to fit in, too.
TEMPORAL_BYTES_MAX: Final = 2 * MIB
PAYLOAD_BYTES_MAX: Final = TEMPORAL_BYTES_MAX - 128 * KIB

_ENCODING: Final = "encoding"
_NULL: Final = b"binary/null"
_JSON: Final = b"json/plain"
_BINARY: Final = b"binary/plain"


def raw_text(text: str | None) -> RawValue:
    """Return a text as a payload."""
    if text is None:
        return RawValue(Payload(metadata={_ENCODING: _NULL}))
    encoding = _JSON if _is_json(text) else _BINARY
    return RawValue(Payload(metadata={_ENCODING: encoding}, data=text.encode()))


def raw_bytes(data: bytes, **metadata: str) -> RawValue:
    """Return bytes as a payload, with words beside them."""
    words = {key: word.encode() for key, word in metadata.items()}
    return RawValue(Payload(metadata={_ENCODING: _BINARY, **words}, data=data))


def text_of(payload: Payload) -> str | None:
    """Return the text of a payload, whoever made it; what is no text comes as base64 in JSON."""
    if payload.metadata.get(_ENCODING) == _NULL:
        return None
    return payload_of(payload.data)


def word_of(payload: Payload, key: str) -> str:
    """Return a word that stands beside a payload, "" if it is not there."""
    return payload.metadata.get(key, b"").decode()


def is_too_large(text: str | None) -> bool:
    """Tell whether Temporal cannot carry a text."""
    if text is None or len(text) * 4 <= PAYLOAD_BYTES_MAX:
        return False
    return len(text.encode()) > PAYLOAD_BYTES_MAX


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
