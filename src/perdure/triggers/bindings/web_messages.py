"""What a request to a webhook says: one message, or the events of a batch.

- A CloudEvent in binary mode stays as it is sent, its attributes in headers, decoded. One in
  structured mode is its own body. A batch falls into events in structured form, in its order.
- An event's own source and id name it. Everything else is named by the first of the headers that
  the webhook was told of.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, unquote

from perdure.base.limits import NAME_BYTES_MAX
from perdure.triggers.cloud_events import (
    BATCHED,
    STRUCTURED,
    Event,
    NoEvent,
    binary,
    marked,
    media_type,
    parsed,
    payload,
    structured,
)
from perdure.triggers.port import Message

BATCH_EVENTS_MAX: Final = 1_000
_EVENT_MARK: Final = "ce-"
# What lets somebody in is not handed on to triggers, nor kept with a message.
_SECRET_HEADERS: Final = frozenset(
    {"authorization", "cookie", "proxy-authorization", "dapr-api-token"}
)
_SECRET_QUERY: Final = frozenset({"access_token"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request whose body has been read. `headers` have names in small letters."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    received_at_us: int


@dataclass(frozen=True, slots=True)
class Item:
    """One message of a request, and how the answer names it."""

    message: Message
    named: Mapping[str, str]


def is_batch(call: Call) -> bool:
    """Tell whether a request holds a batch."""
    return media_type(call.headers.get("content-type")) == BATCHED


def items_of(call: Call, id_headers: Sequence[str]) -> list[Item]:
    """Return the messages of a request; raises NoEvent for one that says it is an event."""
    kind = media_type(call.headers.get("content-type"))
    if kind == BATCHED:
        return _batch(call)
    if kind == STRUCTURED:
        event = structured(parsed(call.body))
        return [Item(_message(call, call.body), _named(event))]
    if kind.startswith("application/cloudevents"):
        raise NoEvent(f"{kind} is not read; expected {STRUCTURED} or {BATCHED}")
    headers = _decoded(call.headers)
    if (found := marked(headers.items())) and {"id", "source", "type"} & found.keys():
        event = binary(found, call.body, headers.get("content-type"))
        return [Item(_message(call, call.body), _named(event))]
    message_id = next((call.headers[name] for name in id_headers if call.headers.get(name)), None)
    if message_id is not None and len(message_id.encode()) > NAME_BYTES_MAX:
        raise NoEvent(f"the id of the message is longer than {NAME_BYTES_MAX} bytes")
    named = {} if message_id is None else {"messageID": message_id}
    return [Item(_message(call, call.body, message_id=message_id), named)]


def _batch(call: Call) -> list[Item]:
    values = parsed(call.body)
    if not isinstance(values, list):
        raise NoEvent("a batch of CloudEvents is a JSON array")
    if len(values) > BATCH_EVENTS_MAX:
        raise NoEvent(f"a batch has at most {BATCH_EVENTS_MAX} events")
    items = []
    for number, value in enumerate(values):
        try:
            event = structured(value)
        except NoEvent as error:
            raise NoEvent(f"event {number} of the batch: {error}") from error
        items.append(Item(_message(call, payload(value).encode(), STRUCTURED), _named(event)))
    return items


def _message(
    call: Call, data: bytes, content_type: str | None = None, message_id: str | None = None
) -> Message:
    return Message(
        message_id=message_id,
        data=data,
        content_type=content_type or call.headers.get("content-type"),
        attributes=tuple(_attributes(call, batched=content_type is not None)),
        received_at_us=call.received_at_us,
    )


def _attributes(call: Call, *, batched: bool) -> list[tuple[str, str]]:
    found = [("method", call.method), ("path", call.path)]
    found += [
        (f"query.{name}", value)
        for name, value in parse_qsl(call.query, keep_blank_values=True)
        if name not in _SECRET_QUERY
    ]
    # The headers of a batch describe it, not the events in it.
    skipped = _SECRET_HEADERS | ({"content-type", "content-length"} if batched else set())
    found += [
        (name, value)
        for name, value in _decoded(call.headers).items()
        if name not in skipped and not (batched and name.startswith(_EVENT_MARK))
    ]
    return found


def _decoded(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers with the values of event attributes as they were before HTTP."""
    return {
        name: _unescaped(name, value) if name.startswith(_EVENT_MARK) else value
        for name, value in headers.items()
    }


def _unescaped(name: str, value: str) -> str:
    try:
        # What stands between double quotes is meant without them (section 3.1.3.2 of the binding).
        text = value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value
        return unquote(text, errors="strict")
    except UnicodeDecodeError as error:
        raise NoEvent(f"the header {name} is not UTF-8 behind its escapes") from error


def _named(event: Event) -> dict[str, str]:
    return {"source": event.source, "id": event.id}
