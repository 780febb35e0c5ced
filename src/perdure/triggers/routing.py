"""What a message means to a trigger: nothing, one step, or nothing that can be made out. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

from perdure.base.limits import (
    MESSAGE_BYTES_MAX,
    NAME_BYTES_MAX,
    TAG_KEY_CHARS_MAX,
    TAG_VALUE_CHARS_MAX,
    TAGS_MAX,
)
from perdure.core.deliveries import RaiseStep, StartOrRaiseStep, StartStep, Step, TerminateStep
from perdure.core.requests import RaiseEvent, Start, Terminate
from perdure.core.tracing import TraceContext, parse_traceparent
from perdure.triggers.cloud_events import (
    Event,
    NoEvent,
    exact_payload,
    payload,
    read_message,
    unmarked,
)
from perdure.triggers.definitions import Action, Subscription, Trigger
from perdure.triggers.expressions import NoResult, Surroundings, surroundings
from perdure.triggers.identity import event_id, legal_id
from perdure.triggers.port import Message
from perdure.triggers.strict_json import Data

_DIGEST_BYTES: Final = 20
_HUGE: Final = re.compile(rb"\d{19}")


@dataclass(frozen=True, slots=True)
class Rules:
    """What instance ids may be, the app that instances belong to, and how large messages are."""

    app_id: str
    id_bytes_max: int
    id_extra_characters: str = ""
    message_bytes_max: int = MESSAGE_BYTES_MAX


@dataclass(frozen=True, slots=True)
class Ignored:
    """The message is not for this trigger."""

    reason: str


@dataclass(frozen=True, slots=True)
class Planned:
    """The message leads to this step."""

    step: Step


@dataclass(frozen=True, slots=True)
class Unusable:
    """The message is for this trigger, and what it should lead to cannot be made out."""

    reason: str


Plan = Ignored | Planned | Unusable


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells one message from another. `certain` is false where only its content does."""

    key: str
    certain: bool


@dataclass(frozen=True, slots=True)
class Received:
    """A message with the event that it is."""

    message: Message
    event: Event
    seen: Surroundings


def identity_of(message: Message, event: Event | None) -> Identity:
    """Return what names a message: its own source and id, its broker's id, or its content.

    An event's own name comes first: its publisher, who was not told that it had been published,
    publishes it again, and then the broker takes it for another message.
    """
    if event is not None and event.is_cloud_event:
        source = event.source
        return Identity(f"event:{len(source)}:{source}{event.id}", certain=True)
    if message.message_id is not None:
        return Identity(f"id:{message.message_id}", certain=True)
    return Identity(f"content:{_digest(message)}", certain=False)


def check_size(message: Message, rules: Rules) -> None:
    """Raise NoEvent for a message that no worker could be sent."""
    if len(message.data) > rules.message_bytes_max:
        raise NoEvent(
            f"the message has {len(message.data)} bytes, and at most {rules.message_bytes_max} are "
            "taken (--max-body-size)"
        )


def received(source: str, message: Message, *, raw: bool) -> Received:
    """Return a message of a source with its event; raises NoEvent if it is not what it says."""
    event = read_message(message.data, message.content_type, message.attributes, raw=raw)
    if event is None:
        event = unmarked(
            message.data,
            message.content_type,
            event_id=message.message_id or _digest(message),
            source=source,
        )
    metadata = {name.lower(): value for name, value in message.attributes}
    metadata |= dict(message.attributes)
    described = event.as_map()
    if message.topic is not None:
        described.setdefault("topic", message.topic)
    # Most messages have no such number, and are spared the search for it.
    huge = _HUGE.search(message.data) is not None or b"base64" in message.data
    return Received(message, event, surroundings(described, metadata, huge=huge))


def decide(trigger: Trigger, way: Subscription | None, found: Received, rules: Rules) -> Plan:
    """Return what a message leads to. `way` is the subscription by which the trigger gets it."""
    try:
        if way is not None:
            path = _path(way, found.seen)
            if path is None:
                return Ignored(f"no rule of subscription {way.name} matches, and it has no default")
            if path != getattr(trigger.origin, "path", None):
                return Ignored(f"the subscription sends it to {path}")
        if trigger.match is not None and not trigger.match.holds(found.seen):
            return Ignored(f"it does not match {trigger.match.text}")
        return Planned(_step(trigger, found, rules))
    except NoResult as error:
        return Unusable(str(error))


def _path(way: Subscription, seen: Surroundings) -> str | None:
    for match, path in way.rules:
        if match.holds(seen):
            return path
    return way.default


def _step(trigger: Trigger, found: Received, rules: Rules) -> Step:
    match trigger.action:
        case Action.START:
            return StartStep(
                start=_start(trigger, found, rules, _input(trigger, found)),
                on_existing=trigger.on_existing,
            )
        case Action.RAISE_EVENT:
            return RaiseStep(
                event=_event(trigger, found, rules),
                on_missing=trigger.on_missing,
                keep_us=trigger.event_expiry_us,
            )
        case Action.START_OR_RAISE:
            event = _event(trigger, found, rules)
            return StartOrRaiseStep(start=_start(trigger, found, rules, event.input), event=event)
        case Action.TERMINATE:
            output = None if trigger.input is None else _input(trigger, found)
            instance_id = _instance_id(trigger, found, rules)
            return TerminateStep(terminate=Terminate(instance_id=instance_id, output=output))


def _start(trigger: Trigger, found: Received, rules: Rules, input_: str | None) -> Start:
    assert trigger.workflow is not None, "checked when triggers are loaded"
    return Start(
        instance_id=_instance_id(trigger, found, rules),
        name=trigger.workflow,
        app_id=rules.app_id,
        input=input_,
        tags=_tags(trigger, found.seen),
        trace=_trace(found.event),
    )


def _event(trigger: Trigger, found: Received, rules: Rules) -> RaiseEvent:
    name = (
        found.event.type if trigger.event_name is None else trigger.event_name.text_of(found.seen)
    )
    if len(name.encode()) > NAME_BYTES_MAX:
        raise NoResult(f"the event's name has more than {NAME_BYTES_MAX} bytes")
    return RaiseEvent(
        instance_id=_instance_id(trigger, found, rules), name=name, input=_input(trigger, found)
    )


def _instance_id(trigger: Trigger, found: Received, rules: Rules) -> str:
    limits: dict[str, Any] = {
        "bytes_max": rules.id_bytes_max,
        "extra_characters": rules.id_extra_characters,
    }
    if trigger.instance_id is None:
        if found.message.named_after is not None:
            return legal_id(found.message.named_after, **limits)
        return event_id(found.event.source, found.event.id, **limits)
    return legal_id(trigger.instance_id.text_of(found.seen), **limits)


def _input(trigger: Trigger, found: Received) -> str | None:
    if trigger.input is None:
        return exact_payload(found.event, found.message.data)
    try:
        return payload(trigger.input.value(found.seen))
    except NoEvent as error:
        raise NoResult(f"{trigger.input.text}: {error}") from error


def _tags(trigger: Trigger, seen: Surroundings) -> tuple[tuple[str, str], ...]:
    if isinstance(trigger.tags, tuple):
        return tuple((key, _tag(key, each.value(seen))) for key, each in trigger.tags)
    value = trigger.tags.value(seen)
    if not isinstance(value, Mapping):
        raise NoResult(f"{trigger.tags.text}: expected a map of tags")
    if len(value) > TAGS_MAX:
        raise NoResult(f"{trigger.tags.text}: comes to more than {TAGS_MAX} tags")
    return tuple((key, _tag(key, each)) for key, each in value.items())


def _tag(key: str, value: Data) -> str:
    text = value if isinstance(value, str) else payload(value)
    if not 0 < len(key) <= TAG_KEY_CHARS_MAX:
        raise NoResult(f"a tag's key has 1 to {TAG_KEY_CHARS_MAX} characters")
    if len(text) > TAG_VALUE_CHARS_MAX:
        raise NoResult(f"tag {key} has more than {TAG_VALUE_CHARS_MAX} characters")
    return text


def _trace(event: Event) -> TraceContext | None:
    parent, state = event.attributes.get("traceparent"), event.attributes.get("tracestate")
    if not isinstance(parent, str) or not parent:
        return None
    return parse_traceparent(parent, state=state if isinstance(state, str) and state else None)


def _digest(message: Message) -> str:
    topic = (message.topic or "").encode(errors="surrogatepass")
    whole = str(len(topic)).encode() + b":" + topic + message.data
    return blake2b(whole, digest_size=_DIGEST_BYTES).hexdigest()
