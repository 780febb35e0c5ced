"""Events as HistoryEvent bytes: `encode` once, at the commit, and `decode` when one is loaded."""

from collections.abc import Callable
from typing import Any, Final

from google.protobuf.message import DecodeError

from perdure.base.errors import CallerFault, StoreBroken
from perdure.core import events as ev
from perdure.core.status import Status
from perdure.wire.encoding import encode
from perdure.wire.fields import microseconds, router_of, trace_of
from perdure.wire.generated import history_pb2 as pb

__all__ = ["decode", "decode_stored", "encode"]


def decode(data: bytes) -> ev.Event:
    """Return the event that a serialized HistoryEvent holds.

    Raises CallerFault if it cannot be parsed or is of a kind that this server does not know.
    """
    try:
        message = pb.HistoryEvent.FromString(data)
    except DecodeError as error:
        msg = "a history event cannot be parsed"
        raise CallerFault(msg) from error
    name = message.WhichOneof("kind")
    if name is None:
        msg = "a history event is of an unknown kind"
        raise CallerFault(msg)
    event_of = _DECODERS[name]
    stamp = {
        "at_us": microseconds(message.at) if message.HasField("at") else 0,
        "event_id": message.event_id,
        "router": router_of(message.router) if message.HasField("router") else None,
    }
    try:
        return event_of(getattr(message, name), stamp)
    except ValueError as error:
        msg = f"a history event holds a number that means nothing: {error}"
        raise CallerFault(msg) from error


def decode_stored(data: bytes) -> ev.Event:
    """Return the event that bytes of the store hold. Raises StoreBroken if they hold none.

    They were whole when they were written, so that it is nobody's fault who asks for them.
    """
    try:
        return decode(data)
    except (CallerFault, ValueError) as error:
        raise StoreBroken(
            f"the store is damaged ({error}): stop the server, keep a copy of its file and restore "
            "it from a backup"
        ) from error


Stamp = dict[str, Any]


def _text(body: Any, field: str) -> str | None:
    return getattr(body, field).value if body.HasField(field) else None


def _optional(body: Any, field: str) -> Any:
    return getattr(body, field) if body.HasField(field) else None


def _execution_started(body: pb.ExecutionStarted, stamp: Stamp) -> ev.Event:
    return ev.ExecutionStarted(
        **stamp,
        name=body.name,
        instance_id=body.instance.instance_id,
        execution_id=body.instance.execution_id.value,
        version=_text(body, "version"),
        input=_text(body, "input"),
        parent=_parent(body.parent) if body.HasField("parent") else None,
        scheduled_start_us=(
            microseconds(body.scheduled_start) if body.HasField("scheduled_start") else None
        ),
        trace=trace_of(body.trace) if body.HasField("trace") else None,
        span_id=_text(body, "span_id"),
        tags=tuple(sorted(body.tags.items())),
    )


def _parent(body: pb.Parent) -> ev.ParentLink:
    return ev.ParentLink(
        instance_id=body.instance.instance_id,
        execution_id=body.instance.execution_id.value,
        name=body.name.value,
        version=_text(body, "version"),
        task_id=body.task_id,
        app_id=_optional(body, "app_id"),
        app_namespace=_optional(body, "app_namespace"),
    )


def _execution_completed(body: pb.ExecutionCompleted, stamp: Stamp) -> ev.Event:
    return ev.ExecutionCompleted(
        **stamp,
        status=Status(body.status),
        result=_text(body, "result"),
        failure=_optional(body, "failure"),
    )


def _execution_terminated(body: pb.ExecutionTerminated, stamp: Stamp) -> ev.Event:
    return ev.ExecutionTerminated(**stamp, input=_text(body, "input"), recurse=body.recurse)


def _execution_stalled(body: pb.ExecutionStalled, stamp: Stamp) -> ev.Event:
    return ev.ExecutionStalled(
        **stamp, reason=ev.StallReason(body.reason), description=body.description
    )


def _task_scheduled(body: pb.TaskScheduled, stamp: Stamp) -> ev.Event:
    return ev.TaskScheduled(
        **stamp,
        name=body.name,
        version=_text(body, "version"),
        input=_text(body, "input"),
        execution_id=body.execution_id,
        trace=trace_of(body.trace) if body.HasField("trace") else None,
        rerun_of=body.rerun_of.instance_id if body.HasField("rerun_of") else None,
        scope=ev.PropagationScope(body.scope),
    )


def _task_completed(body: pb.TaskCompleted, stamp: Stamp) -> ev.Event:
    return ev.TaskCompleted(
        **stamp,
        task_id=body.task_id,
        result=_text(body, "result"),
        execution_id=body.execution_id,
    )


def _task_failed(body: pb.TaskFailed, stamp: Stamp) -> ev.Event:
    return ev.TaskFailed(
        **stamp,
        task_id=body.task_id,
        failure=_optional(body, "failure"),
        execution_id=body.execution_id,
    )


def _child_created(body: pb.ChildCreated, stamp: Stamp) -> ev.Event:
    return ev.ChildCreated(
        **stamp,
        instance_id=body.instance_id,
        name=body.name,
        version=_text(body, "version"),
        input=_text(body, "input"),
        trace=trace_of(body.trace) if body.HasField("trace") else None,
        rerun_of=body.rerun_of.instance_id if body.HasField("rerun_of") else None,
        retry_of=body.retry_of.instance_id if body.HasField("retry_of") else None,
        scope=ev.PropagationScope(body.scope),
    )


def _child_completed(body: pb.TaskCompleted, stamp: Stamp) -> ev.Event:
    return ev.ChildCompleted(**stamp, task_id=body.task_id, result=_text(body, "result"))


def _child_failed(body: pb.TaskFailed, stamp: Stamp) -> ev.Event:
    return ev.ChildFailed(**stamp, task_id=body.task_id, failure=_optional(body, "failure"))


def _timer_created(body: pb.TimerCreated, stamp: Stamp) -> ev.Event:
    origin = body.WhichOneof("origin")
    value = getattr(body, origin) if origin is not None else b""
    return ev.TimerCreated(
        **stamp,
        fire_at_us=microseconds(body.fire_at),
        name=_optional(body, "name"),
        origin=0 if origin is None else pb.TimerCreated.DESCRIPTOR.fields_by_name[origin].number,
        origin_bytes=value if isinstance(value, bytes) else value.SerializeToString(),
        awaited_event=body.external_event.name if origin == "external_event" else None,
        rerun_of=body.rerun_of.instance_id if body.HasField("rerun_of") else None,
    )


def _timer_fired(body: pb.TimerFired, stamp: Stamp) -> ev.Event:
    return ev.TimerFired(**stamp, timer_id=body.timer_id, fire_at_us=microseconds(body.fire_at))


def _workflow_started(body: pb.WorkflowStarted, stamp: Stamp) -> ev.Event:
    return ev.WorkflowStarted(
        **stamp,
        patches=tuple(body.version.patches),
        version_name=_optional(body.version, "name"),
    )


def _event_sent(body: pb.EventSent, stamp: Stamp) -> ev.Event:
    return ev.EventSent(
        **stamp, instance_id=body.instance_id, name=body.name, input=_text(body, "input")
    )


def _event_raised(body: pb.EventRaised, stamp: Stamp) -> ev.Event:
    return ev.EventRaised(**stamp, name=body.name, input=_text(body, "input"))


def _execution_suspended(body: pb.Reasoned, stamp: Stamp) -> ev.Event:
    return ev.ExecutionSuspended(**stamp, reason=_text(body, "input"))


def _execution_resumed(body: pb.Reasoned, stamp: Stamp) -> ev.Event:
    return ev.ExecutionResumed(**stamp, reason=_text(body, "input"))


def _detached_created(body: pb.DetachedCreated, stamp: Stamp) -> ev.Event:
    return ev.DetachedCreated(**stamp, instance_id=body.instance_id)


_DECODERS: Final[dict[str, Callable[[Any, Stamp], ev.Event]]] = {
    "execution_started": _execution_started,
    "execution_completed": _execution_completed,
    "execution_terminated": _execution_terminated,
    "task_scheduled": _task_scheduled,
    "task_completed": _task_completed,
    "task_failed": _task_failed,
    "child_created": _child_created,
    "child_completed": _child_completed,
    "child_failed": _child_failed,
    "timer_created": _timer_created,
    "timer_fired": _timer_fired,
    "workflow_started": _workflow_started,
    "event_sent": _event_sent,
    "event_raised": _event_raised,
    "execution_suspended": _execution_suspended,
    "execution_resumed": _execution_resumed,
    "execution_stalled": _execution_stalled,
    "detached_created": _detached_created,
}
