"""A worker's answer to a turn, from bytes to a `Decision`."""

from collections.abc import Callable
from typing import Any, Final

from google.protobuf.message import DecodeError

from perdure.base.errors import CallerFault, WorkerFault
from perdure.base.limits import ACTIONS_PER_TURN_MAX
from perdure.core import actions as act
from perdure.core.events import EventRaised, PropagationScope, Router
from perdure.core.status import Status
from perdure.wire.events import decode
from perdure.wire.fields import microseconds, router_of, sound, trace_of
from perdure.wire.generated import history_pb2 as history_pb
from perdure.wire.generated import work_pb2 as pb


def parse_turn_answer(data: bytes) -> pb.TurnAnswer:
    """Return a serialized WorkflowResponse as a message; raises CallerFault if it is none."""
    try:
        return pb.TurnAnswer.FromString(data)
    except DecodeError as error:
        msg = "the workflow response cannot be parsed"
        raise CallerFault(msg) from error


def parse_activity_answer(data: bytes) -> pb.ActivityAnswer:
    """Return a serialized ActivityResponse as a message; raises CallerFault if it is none."""
    try:
        answer = pb.ActivityAnswer.FromString(data)
        if answer.HasField("failure"):
            sound(history_pb.FailureDetails, answer.failure)
    except DecodeError as error:
        msg = "the activity response cannot be parsed"
        raise CallerFault(msg) from error
    return answer


def shows_dialect(answer: pb.TurnAnswer) -> bool | None:
    """Tell whether an answer can only be Microsoft's (True) or Dapr's (False); None: either's.

    Microsoft's workers send a trace context in field 6, empty or with a message inside; Dapr's
    send a version there only if it says something, in plain strings, and route every action.
    """
    if answer.HasField("version"):
        try:
            version = history_pb.Version.FromString(answer.version)
        except DecodeError:
            return True
        inner_message = any(patch.startswith("\n") for patch in version.patches)
        return not answer.version or inner_message
    return False if any(action.HasField("router") for action in answer.actions) else None


def decision_of(answer: pb.TurnAnswer, *, microsoft: bool) -> act.Decision:
    """Return what a worker decided.

    In Microsoft's dialect the fields that mean something else there are left out
    (behaviour.md 3.5). Raises WorkerFault if the answer breaks the protocol.
    """
    if answer.is_partial or answer.requires_history:
        msg = "partial workflow responses are not supported"
        raise WorkerFault(msg)
    if len(answer.actions) > ACTIONS_PER_TURN_MAX:
        msg = f"a turn may have {ACTIONS_PER_TURN_MAX} actions, this one has {len(answer.actions)}"
        raise WorkerFault(msg)
    version = history_pb.Version()
    try:
        if not microsoft and answer.HasField("version"):
            version = history_pb.Version.FromString(answer.version)
        actions = tuple(_action(action, microsoft=microsoft) for action in answer.actions)
    except (DecodeError, CallerFault, ValueError) as error:
        msg = f"the workflow response breaks the protocol: {error}"
        raise WorkerFault(msg) from error
    return act.Decision(
        actions=actions,
        custom_status=answer.custom_status.value if answer.HasField("custom_status") else None,
        patches=tuple(version.patches),
        version_name=version.name if version.HasField("name") else None,
    )


def _action(action: pb.Action, *, microsoft: bool) -> act.Action:
    name = action.WhichOneof("kind")
    if name is None:
        msg = f"action {action.id} is of an unknown kind"
        raise WorkerFault(msg)
    body = getattr(action, name)
    return _READERS[name](body, _base(action, body, microsoft=microsoft), microsoft)


Base = dict[str, Any]


def _base(action: pb.Action, body: Any, *, microsoft: bool) -> Base:
    router: Router | None = None
    if not microsoft:
        data = action.router if action.HasField("router") else b""
        # Up to 1.18 the route of a task or child stood in the action's body too.
        if isinstance(body, pb.ScheduleTask | pb.CreateChild) and body.HasField("router"):
            data = data or body.router
        router = router_of(history_pb.Route.FromString(data)) if data else None
    return {"id": action.id, "router": router}


def _text(body: Any, field: str) -> str | None:
    return getattr(body, field).value if body.HasField(field) else None


def _named(body: Any) -> Base:
    return {"name": body.name, "version": _text(body, "version"), "input": _text(body, "input")}


def _schedule_task(body: pb.ScheduleTask, base: Base, microsoft: bool) -> act.Action:
    if microsoft:
        return act.ScheduleTask(**base, **_named(body))
    return act.ScheduleTask(
        **base,
        **_named(body),
        execution_id=body.execution_id.decode() if body.HasField("execution_id") else "",
        scope=PropagationScope(body.scope),
    )


def _create_child(body: pb.CreateChild, base: Base, microsoft: bool) -> act.Action:
    if microsoft:
        return act.CreateChild(**base, **_named(body), instance_id=body.instance_id)
    return act.CreateChild(
        **base,
        **_named(body),
        instance_id=body.instance_id,
        scope=PropagationScope(body.scope),
        retry_of=body.retry_of.instance_id if body.HasField("retry_of") else None,
    )


def _create_timer(body: pb.CreateTimer, base: Base, _microsoft: bool) -> act.Action:
    origin = body.WhichOneof("origin")
    value = getattr(body, origin) if origin is not None else b""
    number = 0 if origin is None else pb.CreateTimer.DESCRIPTOR.fields_by_name[origin].number + 1
    return act.CreateTimer(
        **base,
        fire_at_us=microseconds(body.fire_at),
        name=body.name if body.HasField("name") else None,
        origin=number,
        # The origins that are passed on unread have at most a text in their first field.
        origin_bytes=(
            sound(history_pb.EventOrigin, value)
            if isinstance(value, bytes)
            else value.SerializeToString()
        ),
        awaited_event=body.external_event.name if origin == "external_event" else None,
    )


def _send_event(body: pb.SendEvent, base: Base, _microsoft: bool) -> act.Action:
    return act.SendEvent(
        **base,
        instance_id=body.instance.instance_id,
        name=body.name,
        input=_text(body, "data"),
    )


def _complete(body: pb.CompleteWorkflow, base: Base, _microsoft: bool) -> act.Action:
    carried = tuple(decode(data) for data in body.carryover)
    raised = tuple(event for event in carried if isinstance(event, EventRaised))
    if len(raised) != len(carried):
        msg = "only raised events can be carried over to the next generation"
        raise WorkerFault(msg)
    return act.Complete(
        **base,
        status=Status(body.status),
        result=_text(body, "result"),
        failure=(
            sound(history_pb.FailureDetails, body.failure) if body.HasField("failure") else None
        ),
        carryover=raised,
    )


def _terminate(body: pb.TerminateWorkflow, base: Base, _microsoft: bool) -> act.Action:
    return act.Terminate(
        **base,
        instance_id=body.instance_id,
        reason=_text(body, "reason"),
        recurse=body.recurse,
    )


def _create_detached(body: pb.CreateDetached, base: Base, _microsoft: bool) -> act.Action:
    if body.HasField("router") and base["router"] is None:
        base["router"] = router_of(body.router)
    return act.CreateDetached(
        **base,
        **_named(body),
        instance_id=body.instance_id,
        scheduled_start_us=(
            microseconds(body.scheduled_start) if body.HasField("scheduled_start") else None
        ),
        tags=tuple(sorted(body.tags.items())),
        trace=trace_of(body.trace) if body.HasField("trace") else None,
    )


def _version_not_available(_body: pb.Nothing, base: Base, _microsoft: bool) -> act.Action:
    return act.VersionNotAvailable(**base)


_READERS: Final[dict[str, Callable[[Any, Base, bool], act.Action]]] = {
    "schedule_task": _schedule_task,
    "create_child": _create_child,
    "create_timer": _create_timer,
    "send_event": _send_event,
    "complete": _complete,
    "terminate": _terminate,
    "version_not_available": _version_not_available,
    "create_detached": _create_detached,
}
