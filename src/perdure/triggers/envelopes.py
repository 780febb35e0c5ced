"""What lies in a broker for a published payload: Dapr's envelope, a structured CloudEvent.

Pure: the id and the moment are handed in.
"""

import base64
from typing import Final

from perdure.base.rfc3339 import render
from perdure.base.time import SECOND_US
from perdure.components.publishing import Publication
from perdure.triggers.cloud_events import (
    DEFAULT_TYPE,
    RAW_TYPE,
    SPEC_VERSION,
    STRUCTURED,
    TEXT_TYPE,
    NoEvent,
    is_json_type,
    media_type,
    parsed,
)
from perdure.wire.json_api.text import Json, JsonText, members, write

_DEFAULT_SOURCE: Final = "Dapr"
_TTL_SECONDS_MAX: Final = 100 * 365 * 86_400
_TRUE: Final = frozenset({"1", "t", "true", "y", "yes", "on"})


class BadMetadata(ValueError):
    """An item of a publication's metadata cannot be meant."""


def is_raw(publication: Publication) -> bool:
    """Tell whether the payload is to lie in the broker as it is."""
    return publication.metadata.get("rawPayload", "").lower() in _TRUE


def envelope(publication: Publication, *, event_id: str, app_id: str, now_us: int) -> bytes:
    """Return the event for a payload; one that is an event already is completed.

    Raises NoEvent for an event that is none, BadMetadata for a time to live that is none.
    """
    metadata = publication.metadata
    kind = publication.content_type or TEXT_TYPE
    if media_type(kind) == STRUCTURED:
        value = parsed(publication.data)
        if not isinstance(value, dict):
            raise NoEvent("a CloudEvent is a JSON object")
        event: dict[str, Json] = {"id": event_id, "source": _DEFAULT_SOURCE, "type": DEFAULT_TYPE}
        event |= {"specversion": SPEC_VERSION, **members(publication.data.decode())}
    else:
        event = {
            "id": metadata.get("cloudevent.id") or event_id,
            "source": metadata.get("cloudevent.source") or app_id,
            "type": metadata.get("cloudevent.type") or DEFAULT_TYPE,
            "specversion": SPEC_VERSION,
            "datacontenttype": kind,
            "time": _seconds(now_us),
            **_data_member(publication.data, kind),
        }
        if metadata.get("cloudevent.subject"):
            event["subject"] = metadata["cloudevent.subject"]
    event["pubsubname"], event["topic"] = publication.pubsub, publication.topic
    if publication.traceparent:
        event["traceid"] = event["traceparent"] = publication.traceparent
    if publication.tracestate:
        event["tracestate"] = publication.tracestate
    ttl_us = _ttl_us(metadata.get("ttlInSeconds"))
    if ttl_us is not None:
        event["expiration"] = _seconds(now_us + ttl_us)
    return write(event).encode()


def _seconds(at_us: int) -> str:
    return render(at_us // SECOND_US * SECOND_US)


def _ttl_us(text: str | None) -> int | None:
    if not text:
        return None
    legal = text.isascii() and text.isdigit() and len(text) <= len(str(_TTL_SECONDS_MAX))
    if not legal or not 0 < int(text) <= _TTL_SECONDS_MAX:
        raise BadMetadata("ttlInSeconds must be a whole number above 0")
    return int(text) * SECOND_US


def _data_member(data: bytes, content_type: str) -> dict[str, Json]:
    if is_json_type(content_type):
        try:
            parsed(data)
            return {"data": JsonText(data.decode().strip())}
        except NoEvent:
            return {"data": data.decode(errors="replace")}
    if media_type(content_type) == RAW_TYPE:
        return {"data_base64": base64.b64encode(data).decode()}
    try:
        return {"data": data.decode()}
    except UnicodeDecodeError:
        return {"data_base64": base64.b64encode(data).decode()}
