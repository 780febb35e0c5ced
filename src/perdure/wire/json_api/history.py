"""Events of a history as JSON: what they are, when, and what they carry."""

from collections.abc import Callable
from dataclasses import fields
from enum import Enum
from typing import Any, Final

from google.protobuf.message import DecodeError

from perdure.base.errors import CallerFault
from perdure.base.rfc3339 import render
from perdure.core import events as ev
from perdure.core.kinds import KIND_OF
from perdure.core.tracing import TraceContext
from perdure.wire.events import decode_stored
from perdure.wire.fields import failure_bytes
from perdure.wire.generated import history_pb2 as pb
from perdure.wire.json_api.text import Json, shown

# Where an event is called differently in the API than its record is here.
_TYPES: Final[dict[ev.Kind, str]] = {
    ev.Kind.CHILD_CREATED: "ChildWorkflowInstanceCreated",
    ev.Kind.CHILD_COMPLETED: "ChildWorkflowInstanceCompleted",
    ev.Kind.CHILD_FAILED: "ChildWorkflowInstanceFailed",
    ev.Kind.DETACHED_CREATED: "DetachedWorkflowInstanceCreated",
}

EVENT_TYPES: Final = tuple(
    _TYPES.get(kind) or "".join(word.capitalize() for word in kind.name.split("_"))
    for kind in ev.Kind
)
_TYPE_OF: Final = dict(zip(map(int, ev.Kind), EVENT_TYPES, strict=True))

# What is not worth telling: what an event does not have, and what is so unless it was asked for.
_NOTHING: Final = (None, "", ())
_DEFAULTS: Final[dict[str, object]] = {
    "recurse": False,
    "scope": ev.PropagationScope.NONE,
    "origin": 0,
}

ORIGINS: Final = {4: "createTimer", 5: "externalEvent", 6: "activityRetry", 7: "childRetry"}


def event_json(serialized: bytes, seq: int) -> dict[str, Json]:
    """Return a serialized HistoryEvent for an answer; `seq` is its place in the history.

    Members that an event does not have are left out. Raises StoreBroken if it is no event.
    """
    event = decode_stored(serialized)
    shown_event: dict[str, Json] = {
        "seq": seq,
        "eventID": event.event_id,
        "timestamp": render(event.at_us),
        "type": _TYPE_OF[KIND_OF[type(event)]],
    }
    for field in fields(event):
        if field.name in MEMBERS:
            name, as_json = MEMBERS[field.name]
            value = getattr(event, field.name)
            if value not in _NOTHING and value != _DEFAULTS.get(field.name):
                shown_event[name] = as_json(value)
    for name in ("input", "result"):
        # An empty payload is another thing than none.
        if getattr(event, name, None) == "":
            shown_event[name] = ""
    return shown_event


def failure_json(failure: ev.AnyFailure) -> Json:
    """Return a failure, ours or a worker's serialized TaskFailureDetails, for an answer."""
    match failure:
        case None:
            return None
        case ev.Failure():
            return _details(pb.FailureDetails.FromString(failure_bytes(failure) or b""))
        case bytes():
            try:
                return _details(pb.FailureDetails.FromString(failure))
            except DecodeError as error:
                raise CallerFault("a failure cannot be parsed") from error


def _details(details: pb.FailureDetails) -> dict[str, Json]:
    shown_failure: dict[str, Json] = {"type": details.error_type, "message": details.message}
    if details.HasField("stack_trace"):
        shown_failure["stackTrace"] = details.stack_trace.value
    if details.HasField("inner"):
        shown_failure["inner"] = _details(details.inner)
    shown_failure["nonRetriable"] = details.non_retriable
    return shown_failure


def _name_of(member: Enum) -> Json:
    return member.name


def _router(router: ev.Router) -> Json:
    parts = {
        "sourceAppID": router.source_app,
        "targetAppID": router.target_app,
        "targetAppNamespace": router.target_namespace,
    }
    return {name: value for name, value in parts.items() if value}


def _parent(parent: ev.ParentLink) -> Json:
    parts: dict[str, Json] = {
        "instanceID": parent.instance_id,
        "executionID": parent.execution_id,
        "workflowName": parent.name,
        "version": parent.version,
        "taskScheduledID": parent.task_id,
        "appID": parent.app_id,
    }
    return {name: value for name, value in parts.items() if value is not None}


def _trace(trace: TraceContext) -> Json:
    return trace.traceparent


def _tags(tags: tuple[tuple[str, str], ...]) -> Json:
    return dict(tags)


def _reason(reason: str | ev.StallReason) -> Json:
    return reason.name if isinstance(reason, ev.StallReason) else shown(reason)


def _origin(origin: int) -> Json:
    return ORIGINS.get(origin)


def _as_is(value: Any) -> Json:
    known: Json = value
    return known


# Every field of every event that is shown: the member's name and how its value is written.
MEMBERS: Final[dict[str, tuple[str, Callable[[Any], Json]]]] = {
    "router": ("router", _router),
    "patches": ("patches", list),
    "version_name": ("versionName", _as_is),
    "name": ("name", _as_is),
    "instance_id": ("instanceID", _as_is),
    "execution_id": ("executionID", _as_is),
    "version": ("version", _as_is),
    "input": ("input", shown),
    "result": ("result", shown),
    "failure": ("failure", failure_json),
    "parent": ("parent", _parent),
    "scheduled_start_us": ("scheduledStartAt", render),
    "trace": ("traceParent", _trace),
    "tags": ("tags", _tags),
    "status": ("status", _name_of),
    "recurse": ("recurse", _as_is),
    "reason": ("reason", _reason),
    "description": ("description", _as_is),
    "rerun_of": ("rerunOf", _as_is),
    "retry_of": ("retryOf", _as_is),
    "scope": ("historyPropagation", _name_of),
    "task_id": ("taskScheduledID", _as_is),
    "fire_at_us": ("fireAt", render),
    "origin": ("origin", _origin),
    "awaited_event": ("awaitedEvent", _as_is),
    "timer_id": ("timerID", _as_is),
}
