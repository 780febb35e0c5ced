"""Events from the JSON that tells of them: the way back from `event_json`.

What the JSON leaves out comes back as nothing: the span of a trace, the bytes of a timer's origin.
A payload is JSON again, written anew; so one that was no JSON comes back as the string it was told
as. For following a history with workflow code, that is enough.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from typing import Any, Final, TypeAlias

from perdure.base.errors import CallerFault
from perdure.base.rfc3339 import parse
from perdure.core import events as ev
from perdure.core.kinds import KIND_OF
from perdure.core.status import Status
from perdure.core.tracing import parse_traceparent
from perdure.wire.generated import history_pb2 as pb
from perdure.wire.json_api.history import EVENT_TYPES, MEMBERS, ORIGINS

Members: TypeAlias = Mapping[str, Any]

_CLASS_OF: Final = dict(
    zip(
        EVENT_TYPES,
        ({kind: each for each, kind in KIND_OF.items()}[k] for k in ev.Kind),
        strict=True,
    )
)
_NUMBER_OF_ORIGIN: Final = {name: number for number, name in ORIGINS.items()}


def event_of(members: Members) -> ev.Event:
    """Return the event that JSON tells of. Raises CallerFault if it tells of none."""
    kind = members.get("type")
    if not isinstance(kind, str) or kind not in _CLASS_OF:
        raise CallerFault(f"{kind!r} is no type of event")
    made = _CLASS_OF[kind]
    try:
        values = _values(made, members)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CallerFault(f"an event of type {kind} cannot be read: {error!r}") from error
    if made is ev.ExecutionStarted and members.get("input") == "":
        values["input"] = ""  # a start with an empty body, rather than with an empty string
    if values.get("awaited_event") is not None:
        origin = pb.EventOrigin(name=values["awaited_event"])
        values["origin_bytes"] = origin.SerializeToString()
    event: ev.Event = made(**values)
    return event


def _values(made: type[ev.Event], members: Members) -> dict[str, Any]:
    values: dict[str, Any] = {
        "at_us": _moment(members["timestamp"]),
        "event_id": int(members.get("eventID", -1)),
    }
    for field in fields(made):
        name = MEMBERS[field.name][0] if field.name in MEMBERS else None
        if name is not None and name in members:
            values[field.name] = _READERS.get(field.name, _as_is)(members[name])
        elif field.name not in values and field.default is MISSING:
            values[field.name] = ""  # the API leaves empty texts out
    if made is ev.ExecutionStalled:
        values["reason"] = ev.StallReason[members["reason"]]
    return values


def _as_is(value: object) -> object:
    return value


def _payload(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _moment(value: object) -> int:
    at_us = parse(str(value))
    if at_us is None:
        raise ValueError(f"{value!r} is no moment")
    return at_us


def _failure(value: Members) -> bytes:
    return _details(value).SerializeToString()


def _details(value: Members) -> pb.FailureDetails:
    details = pb.FailureDetails(
        error_type=str(value.get("type", "")),
        message=str(value.get("message", "")),
        non_retriable=bool(value.get("nonRetriable", False)),
    )
    if "stackTrace" in value:
        details.stack_trace.value = str(value["stackTrace"])
    if "inner" in value:
        details.inner.CopyFrom(_details(value["inner"]))
    return details


def _router(value: Mapping[str, str]) -> ev.Router:
    return ev.Router(
        value.get("sourceAppID", ""), value.get("targetAppID"), value.get("targetAppNamespace")
    )


def _parent(value: Members) -> ev.ParentLink:
    return ev.ParentLink(
        instance_id=value["instanceID"],
        execution_id=value["executionID"],
        name=value["workflowName"],
        version=value.get("version"),
        task_id=value["taskScheduledID"],
        app_id=value.get("appID"),
    )


def _reason(value: object) -> str:
    # Of a stall it is a name, which is looked up once all else is read.
    return value if isinstance(value, str) else _payload(value)


def _tags(value: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(value.items()))


_READERS: Final[dict[str, Callable[[Any], object]]] = {
    "router": _router,
    "patches": tuple,
    "input": _payload,
    "result": _payload,
    "failure": _failure,
    "parent": _parent,
    "scheduled_start_us": _moment,
    "trace": parse_traceparent,
    "tags": _tags,
    "status": Status.__getitem__,
    "reason": _reason,
    "scope": ev.PropagationScope.__getitem__,
    "fire_at_us": _moment,
    "origin": _NUMBER_OF_ORIGIN.__getitem__,
}
