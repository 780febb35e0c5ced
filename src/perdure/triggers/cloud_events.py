"""CloudEvents as messages carry them: structured, binary, batched, and payloads that are none.

An `Event` is what a message says, whichever way it said it: the context attributes, and the data,
which is JSON where it is JSON, else text, else bytes.
"""

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from perdure.base.rfc3339 import parse
from perdure.triggers.strict_json import Data, has_fractions, read
from perdure.wire.json_api.text import members

SPEC_VERSION: Final = "1.0"
DEFAULT_TYPE: Final = "com.dapr.event.sent"
STRUCTURED: Final = "application/cloudevents+json"
BATCHED: Final = "application/cloudevents-batch+json"
RAW_TYPE: Final = "application/octet-stream"
TEXT_TYPE: Final = "text/plain"
# How protocols mark a context attribute: HTTP, MQTT and NATS; Kafka; AMQP, in two spellings.
_MARKS: Final = ("ce-", "ce_", "cloudevents:", "cloudevents_")
_NEEDED: Final = ("id", "source", "type", "specversion")
_BLANKS_MAX: Final = 64


class NoEvent(ValueError):
    """A message is not the CloudEvent that it says it is; the text tells why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What a message says. `attributes` has `id`, `source`, `type`, and all others as they came."""

    attributes: Mapping[str, Data]
    data: Data = None  # JSON, text, bytes; None when there is no data, or null
    has_data: bool = True
    is_cloud_event: bool = True
    is_structured: bool = False  # the data stand within the JSON that the message is

    @property
    def id(self) -> str:
        """The event's id."""
        return str(self.attributes["id"])

    @property
    def source(self) -> str:
        """Where the event comes from."""
        return str(self.attributes["source"])

    @property
    def type(self) -> str:
        """What kind of event it is."""
        return str(self.attributes["type"])

    def as_map(self) -> dict[str, Data]:
        """Return it as one map: the attributes, and `data` if there is any."""
        return {**self.attributes, "data": self.data} if self.has_data else dict(self.attributes)

    def expired_at(self, now_us: int) -> bool:
        """Tell whether its publisher wants it to be dropped by now (`ttlInSeconds`)."""
        expiration = self.attributes.get("expiration")
        at_us = parse(expiration) if isinstance(expiration, str) else None
        return at_us is not None and at_us < now_us


def payload(data: Data) -> str:
    """Return data as the JSON text that a workflow reads: bytes as a string of their base64.

    Raises NoEvent for a number that JSON does not have.
    """
    try:
        return json.dumps(
            data, ensure_ascii=False, separators=(",", ":"), default=_base64, allow_nan=False
        )
    except ValueError as error:
        raise NoEvent("a number is not finite, which JSON cannot say") from error


def exact_payload(event: Event, whole: bytes) -> str | None:
    """Return an event's data as the text that stands in its message; None if it has none.

    So numbers are as they were written (`1.50`, 2^70), and members in their order.
    """
    if not event.has_data:
        return None
    if isinstance(event.data, bytes):
        return payload(event.data)
    if not event.is_structured:
        return payload(event.data) if isinstance(event.data, str) else whole.decode().strip()
    if not has_fractions(event.data):
        return payload(event.data)
    found = members(whole.decode())
    return found["data"] if "data" in found else payload(event.data)


def read_message(
    data: bytes, content_type: str | None, attributes: Iterable[tuple[str, str]], *, raw: bool
) -> Event | None:
    """Return the CloudEvent in a message, or None if it holds another payload.

    With `raw` the message is never read as an event (Dapr's `rawPayload`). Raises NoEvent if it
    says that it is an event, and is none.
    """
    if raw:
        return None
    kind = media_type(content_type)
    if kind == STRUCTURED:
        return structured(parsed(data))
    found = marked(attributes)
    if "id" in found and "type" in found and "source" in found:
        return binary(found, data, content_type)
    return _unannounced(data)


def _unannounced(data: bytes) -> Event | None:
    # Not every broker carries a content type: what has all that an event needs is one.
    if not data[:_BLANKS_MAX].lstrip().startswith(b"{"):
        return None
    try:
        value = parsed(data)
    except NoEvent:
        return None
    if all(isinstance(value.get(name), str) for name in _NEEDED):
        return structured(value)
    return None


def structured(value: Data) -> Event:
    """Return the event that a JSON object is; raises NoEvent."""
    if not isinstance(value, dict):
        raise NoEvent("a CloudEvent is a JSON object")
    attributes = {name: each for name, each in value.items() if name not in {"data", "data_base64"}}
    attributes = _checked(attributes)
    kind = attributes.get("datacontenttype")
    if "data_base64" in value:
        content = _decoded(value["data_base64"])
        data = content_of(content, _text_or_none(kind))
        return Event(attributes=attributes, data=data, is_structured=True)
    return Event(
        attributes=attributes,
        data=value.get("data"),
        has_data="data" in value,
        is_structured=True,
    )


def binary(found: Mapping[str, str], data: bytes, content_type: str | None) -> Event:
    """Return the event whose attributes stand beside its data; raises NoEvent.

    `found` is what `marked` returns.
    """
    attributes: dict[str, Data] = dict(found)
    attributes.setdefault("specversion", SPEC_VERSION)
    if content_type:
        attributes.setdefault("datacontenttype", content_type)
    checked = _checked(attributes)
    if not data:
        return Event(attributes=checked, has_data=False)
    return Event(attributes=checked, data=content_of(data, content_type))


def batched(data: bytes) -> list[Event]:
    """Return the events of a batch; raises NoEvent."""
    value = parsed(data)
    if not isinstance(value, list):
        raise NoEvent("a batch of CloudEvents is a JSON array")
    return [structured(each) for each in value]


def unmarked(
    data: bytes, content_type: str | None, *, event_id: str, source: str, kind: str = DEFAULT_TYPE
) -> Event:
    """Return an event that stands for a payload which is none, so that rules can speak of it."""
    attributes = {
        "id": event_id,
        "source": source,
        "type": kind,
        "specversion": SPEC_VERSION,
        "datacontenttype": content_type or RAW_TYPE,
    }
    return Event(attributes=attributes, data=content_of(data, content_type), is_cloud_event=False)


def marked(attributes: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the context attributes among the headers of a message, under their own names."""
    found: dict[str, str] = {}
    for name, value in attributes:
        lowered = name.lower()
        for mark in _MARKS:
            if lowered.startswith(mark) and len(lowered) > len(mark):
                found.setdefault(lowered[len(mark) :], value)
    return found


def mended(whole: bytes, content_type: str | None, data: bytes) -> bytes:
    """Return a message whose payload was replaced: of a structured event, its data was meant.

    Unless what is put there is an event itself.
    """
    if media_type(content_type) != STRUCTURED:
        return data
    try:
        event, value = parsed(whole), parsed(data)
    except NoEvent:
        return data
    if not isinstance(event, dict) or (isinstance(value, dict) and "specversion" in value):
        return data
    kept = {name: each for name, each in event.items() if name not in {"data", "data_base64"}}
    return payload({**kept, "data": value}).encode()


def media_type(content_type: str | None) -> str:
    """Return a content type without its parameters, in small letters."""
    return (content_type or "").split(";", 1)[0].strip().lower()


def is_json_type(content_type: str | None) -> bool:
    """Tell whether a content type is JSON, or something that is written in it."""
    kind = media_type(content_type)
    return kind == "application/json" or kind.endswith("+json")


def content_of(data: bytes, content_type: str | None) -> Data:
    """Return bytes as JSON if they are, unless they say to be text; else as text; else as bytes."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return data
    if media_type(content_type).startswith("text/"):
        return text
    try:
        return parsed(data)
    except NoEvent:
        return text


def _checked(attributes: dict[str, Data]) -> dict[str, Data]:
    for name in _NEEDED:
        value = attributes.get(name)
        if not isinstance(value, str) or not value:
            raise NoEvent(f"a CloudEvent has {name}, which is text that is not empty")
    return attributes


def parsed(data: bytes) -> Data:
    """Return the value of a JSON text that can be stored and sent on; raises NoEvent."""
    try:
        return read(data)
    except ValueError as error:
        raise NoEvent(f"the payload {error}") from error


def _decoded(value: Data) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (TypeError, ValueError) as error:
        raise NoEvent("data_base64 is not base64") from error


def _text_or_none(value: Data) -> str | None:
    return value if isinstance(value, str) else None


def _base64(value: object) -> str:
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")
