"""What a worker answers, made from the fewest words: actions, turn answers, activity answers."""

from collections.abc import Iterable
from random import Random

from perdure.base.time import SECOND_US
from perdure.core.status import Status
from perdure.wire.generated import history_pb2 as history_pb
from perdure.wire.generated import work_pb2 as pb


def schedule(
    action_id: int, name: str = "act", text: str | None = None, **fields: str
) -> pb.Action:
    """Return the action that runs an activity; `app` routes it to another app's workers."""
    action = pb.Action(id=action_id)
    action.schedule_task.name = name
    if text is not None:
        action.schedule_task.input.value = text
    if "execution_id" in fields:
        action.schedule_task.execution_id = fields["execution_id"].encode()
    _route(action, fields.get("app"))
    return action


def timer(action_id: int, fire_at_us: int, awaited: str | None = None) -> pb.Action:
    """Return the action that sets a timer; `awaited` names the event whose wait it bounds."""
    action = pb.Action(id=action_id)
    action.create_timer.fire_at.seconds, rest_us = divmod(fire_at_us, SECOND_US)
    action.create_timer.fire_at.nanos = rest_us * 1_000
    if awaited is not None:
        action.create_timer.external_event.name = awaited
    return action


def child(
    action_id: int, instance_id: str = "", name: str = "wf", app: str | None = None
) -> pb.Action:
    """Return the action that starts a child workflow."""
    action = pb.Action(id=action_id)
    action.create_child.instance_id = instance_id
    action.create_child.name = name
    _route(action, app)
    return action


def detached(action_id: int, instance_id: str, name: str = "wf") -> pb.Action:
    """Return the action that starts an independent workflow."""
    action = pb.Action(id=action_id)
    action.create_detached.instance_id = instance_id
    action.create_detached.name = name
    return action


def send(action_id: int, instance_id: str, name: str, text: str | None = None) -> pb.Action:
    """Return the action that sends an event to another instance."""
    action = pb.Action(id=action_id)
    action.send_event.instance.instance_id = instance_id
    action.send_event.name = name
    if text is not None:
        action.send_event.data.value = text
    return action


def end_other(action_id: int, instance_id: str, *, recurse: bool = False) -> pb.Action:
    """Return the action that terminates another instance."""
    action = pb.Action(id=action_id)
    action.terminate.instance_id = instance_id
    action.terminate.recurse = recurse
    return action


def no_such_version(action_id: int = 0) -> pb.Action:
    """Return the action by which a worker says that it lacks the instance's version."""
    action = pb.Action(id=action_id)
    action.version_not_available.SetInParent()
    return action


def complete(
    action_id: int = 99,
    result: str | None = None,
    status: Status = Status.COMPLETED,
    failure: str | None = None,
) -> pb.Action:
    """Return the action that ends the workflow."""
    action = pb.Action(id=action_id)
    action.complete.status = status
    if result is not None:
        action.complete.result.value = result
    if failure is not None:
        action.complete.failure = failure_details(failure)
    return action


def continue_as_new(
    action_id: int = 99, text: str | None = None, carried: Iterable[tuple[str, str]] = ()
) -> pb.Action:
    """Return the action that begins a new generation, with events carried over as Python does."""
    action = complete(action_id, text, Status.CONTINUED_AS_NEW)
    for name, payload in carried:
        event = history_pb.HistoryEvent(event_id=-1)
        event.at.SetInParent()
        event.event_raised.name = name
        event.event_raised.input.value = payload
        action.complete.carryover.append(event.SerializeToString())
    return action


def failure_details(message: str, error_type: str = "ValueError") -> bytes:
    """Return a serialized TaskFailureDetails."""
    return history_pb.FailureDetails(error_type=error_type, message=message).SerializeToString()


def turn_answer(
    instance_id: str,
    *actions: pb.Action,
    token: str = "",
    custom_status: str | None = None,
    patches: Iterable[str] | None = None,
    version: str | None = None,
) -> bytes:
    """Return a serialized WorkflowResponse."""
    answer = pb.TurnAnswer(instance_id=instance_id, actions=actions, token=token)
    if custom_status is not None:
        answer.custom_status.value = custom_status
    if patches is not None or version is not None:
        told = history_pb.Version(patches=patches or (), name=version)
        answer.version = told.SerializeToString()
    return answer.SerializeToString()


def traced(answer: bytes, chance: Random) -> bytes:
    """Return a turn's answer as a worker of Microsoft's gives it.

    Where Dapr's tells its version, it tells a trace context, which may be empty, or nothing.
    """
    message = pb.TurnAnswer.FromString(answer)
    message.ClearField("version")
    context = chance.choice(
        [None, b"", history_pb.Version(patches=["\n\x0200"]).SerializeToString()]
    )
    if context is not None:
        message.version = context
    return message.SerializeToString()


def activity_answer(
    instance_id: str,
    task_id: int,
    *,
    token: str = "",
    result: str | None = None,
    failure: str | None = None,
) -> bytes:
    """Return a serialized ActivityResponse."""
    answer = pb.ActivityAnswer(instance_id=instance_id, task_id=task_id, token=token)
    if result is not None:
        answer.result.value = result
    if failure is not None:
        answer.failure = failure_details(failure)
    return answer.SerializeToString()


def _route(action: pb.Action, app: str | None) -> None:
    if app is not None:
        action.router = history_pb.Route(target_app=app).SerializeToString()
