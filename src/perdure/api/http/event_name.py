"""The four ways to name an event in document form, in the order in which they are looked for.

The path, `?eventName=`, a CloudEvent's type, or a JSON object with exactly the keys `eventName`
and `eventData` (api.md section 2).
"""

from base64 import b64decode
from typing import Final
from urllib.parse import unquote

from starlette.datastructures import Headers

from perdure.api.http.errors import Problem
from perdure.base.errors import CallerFault
from perdure.wire.json_api.payload import payload_of
from perdure.wire.json_api.text import JsonText, members, read

_STRUCTURED: Final = "application/cloudevents+json"
_BATCH: Final = "application/cloudevents-batch+json"
_OBJECT_KEYS: Final = {"eventName", "eventData"}


def named_event(
    in_path: str | None, in_query: str | None, headers: Headers, body: bytes
) -> tuple[str, str | None]:
    """Return an event's name and its payload, None if there is none.

    Raises Problem if the event has no name, CallerFault if a CloudEvent cannot be read.
    """
    outside = in_path or in_query
    if outside:
        return outside, _payload(body)
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == _BATCH:
        raise CallerFault("a batch of CloudEvents cannot be raised; send them one by one")
    if media_type == _STRUCTURED:
        return _structured(body)
    if "ce-type" in headers:
        return _named(_header_text(headers["ce-type"])), _payload(body)
    return _name_and_data(body)


def missing() -> Problem:
    """Return the answer to an event without a name."""
    return Problem(400, "ERR_WORKFLOW_EVENT_NAME_MISSING", "missing workflow event name")


def _payload(body: bytes) -> str | None:
    # HTTP cannot tell an empty body from none, so in document form neither is a payload.
    return payload_of(body) if body else None


def _named(name: object) -> str:
    if not isinstance(name, str) or not name:
        raise missing()
    return name


def _header_text(value: str) -> str:
    # The HTTP binding of CloudEvents escapes what is not ASCII by percent signs.
    try:
        return unquote(value.encode("latin-1").decode(), errors="strict")
    except UnicodeDecodeError as error:
        raise CallerFault("the header ce-type is not UTF-8") from error


def _structured(body: bytes) -> tuple[str, str | None]:
    event = members(_text(body))
    name = _named(read(event["type"]) if "type" in event else None)
    if "data_base64" in event:
        return name, payload_of(_decoded(read(event["data_base64"])))
    if "data" not in event:
        return name, None
    content_type = read(event.get("datacontenttype", JsonText('"application/json"')))
    data = read(event["data"])
    if isinstance(data, str) and not _is_json_type(content_type):
        return name, data
    return name, str(event["data"])


def _is_json_type(content_type: object) -> bool:
    kind = str(content_type).partition(";")[0].strip().lower()
    return kind.endswith(("/json", "+json"))


def _decoded(data: object) -> bytes:
    try:
        return b64decode(str(data), validate=True)
    except ValueError as error:
        raise CallerFault("data_base64 of the CloudEvent is not base64") from error


def _name_and_data(body: bytes) -> tuple[str, str | None]:
    try:
        found = members(_text(body))
    except CallerFault as fault:
        raise missing() from fault
    if found.keys() != _OBJECT_KEYS:
        raise missing()
    return _named(read(found["eventName"])), str(found["eventData"])


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise CallerFault("the body is not UTF-8") from error
