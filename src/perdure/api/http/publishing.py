"""Publishing: what an app hands in goes to a broker, wrapped as Dapr wraps it."""

import json
from base64 import b64decode
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from perdure.api.http.body import read_body
from perdure.api.http.document import TOO_LARGE
from perdure.api.http.errors import RETRY_AFTER_FAULT_SECONDS, Problem
from perdure.api.http.parameters import Parameters
from perdure.api.http.replies import json_reply
from perdure.api.http.settings import Call
from perdure.components.publishing import NotPublished, Publication, PublishReason
from perdure.wire.json_api.text import Json

PUBSUB: Final = "pubsubName"
TOPIC: Final = "topic"
ENTRIES_MAX: Final = 1_000
_METADATA_PREFIX: Final = "metadata."
_METADATA_MAX: Final = 64

# Dapr's codes. A broker that is away passes by itself, and what is no event is its sender's fault.
_REFUSALS: Final[dict[PublishReason, tuple[int, str]]] = {
    PublishReason.NOT_CONFIGURED: (400, "ERR_PUBSUB_NOT_CONFIGURED"),
    PublishReason.NOT_FOUND: (404, "ERR_PUBSUB_NOT_FOUND"),
    PublishReason.TOPIC_EMPTY: (404, "ERR_TOPIC_EMPTY"),
    PublishReason.BAD_EVENT: (400, "ERR_PUBSUB_CLOUD_EVENTS_SER"),
    PublishReason.BAD_METADATA: (400, "ERR_PUBSUB_REQUEST_METADATA"),
    PublishReason.AWAY: (503, "ERR_PUBSUB_PUBLISH_MESSAGE"),
}
_NOT_CONFIGURED: Final = NotPublished(PublishReason.NOT_CONFIGURED, "pubsub is not configured")


async def publish(call: Call) -> Response:
    """Publish the body; 204 once the broker has confirmed it."""
    body = await read_body(call, too_large_status=TOO_LARGE)
    headers = call.request.headers
    publication = Publication(
        pubsub=call.path[PUBSUB],
        topic=call.path[TOPIC],
        data=body,
        content_type=headers.get("content-type"),
        metadata=_metadata(call.request),
        traceparent=headers.get("traceparent", ""),
        tracestate=",".join(headers.getlist("tracestate")),
    )
    refusal = await _published(call, publication)
    if refusal is not None:
        raise _problem(refusal)
    return Response(status_code=204)


async def publish_bulk(call: Call) -> Response:
    """Publish every entry of the body; 204 if all went well, else the entries that did not."""
    body = await read_body(call, too_large_status=TOO_LARGE)
    metadata = _metadata(call.request)
    failed: list[dict[str, Json]] = []
    refusal: NotPublished | None = None
    for entry in _entries(call, body):
        publication = Publication(
            pubsub=call.path[PUBSUB],
            topic=call.path[TOPIC],
            data=_event_bytes(entry),
            content_type=entry["contentType"],
            metadata={**metadata, **entry.get("metadata", {})},
        )
        met = await _published(call, publication)
        if met is not None:
            failed.append({"entryId": entry["entryId"], "error": met.text})
            refusal = met
    if refusal is None:
        return Response(status_code=204)
    status, code = _REFUSALS[refusal.reason]
    return json_reply({"failedEntries": failed, "errorCode": code}, status)


async def _published(call: Call, publication: Publication) -> NotPublished | None:
    publisher = call.door.catalog.publisher
    return _NOT_CONFIGURED if publisher is None else await publisher.publish(publication)


def _problem(refusal: NotPublished) -> Problem:
    status, code = _REFUSALS[refusal.reason]
    again = refusal.reason is PublishReason.AWAY
    headers = {"Retry-After": str(RETRY_AFTER_FAULT_SECONDS)} if again else {}
    return Problem(status, code, refusal.text, headers)


def _metadata(request: Request) -> dict[str, str]:
    found = {
        name.removeprefix(_METADATA_PREFIX): value
        for name, value in Parameters(request).pairs
        if name.startswith(_METADATA_PREFIX)
    }
    if len(found) > _METADATA_MAX:
        raise Problem(
            400, "ERR_PUBSUB_REQUEST_METADATA", f"there are at most {_METADATA_MAX} of metadata"
        )
    return found


def _entries(call: Call, body: bytes) -> list[dict[str, Any]]:
    where = f"topic {call.path[TOPIC]} pubsub {call.path[PUBSUB]}"
    try:
        entries = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _unreadable(where, "the body is not JSON") from error
    if not isinstance(entries, list) or len(entries) > ENTRIES_MAX:
        raise _unreadable(where, f"expected a list of at most {ENTRIES_MAX} entries")
    seen: set[str] = set()
    for entry in entries:
        if not isinstance(entry, dict) or not _is_entry(entry):
            raise _unreadable(where, "an entry has entryId, event and contentType")
        if entry["entryId"] in seen:
            raise _unreadable(where, "the entryId of an entry is its own")
        seen.add(entry["entryId"])
    return entries


def _is_entry(entry: dict[str, Any]) -> bool:
    texts = (entry.get("entryId"), entry.get("contentType"))
    metadata = entry.get("metadata", {})
    return (
        all(isinstance(text, str) and text for text in texts)
        and "event" in entry
        and isinstance(metadata, dict)
        and all(isinstance(value, str) for value in metadata.values())
    )


def _event_bytes(entry: dict[str, Any]) -> bytes:
    event = entry["event"]
    if not isinstance(event, str):
        return json.dumps(event, ensure_ascii=False).encode(errors="replace")
    if entry["contentType"] == "application/octet-stream":
        try:
            return b64decode(event, validate=True)
        except ValueError:
            return event.encode(errors="replace")
    if "json" in entry["contentType"]:
        return json.dumps(event, ensure_ascii=False).encode(errors="replace")
    return event.encode(errors="replace")


def _unreadable(where: str, why: str) -> Problem:
    text = f"error when unmarshaling the request for {where}: {why}"
    return Problem(400, "ERR_PUBSUB_EVENTS_SER", text)
