"""What a worker of our own answers: a `Decision` or a result as bytes."""

from typing import Any, assert_never

from perdure.core import actions as act
from perdure.core.events import PropagationScope
from perdure.wire.encoding import encode
from perdure.wire.fields import failure_bytes, set_router, set_time, set_trace
from perdure.wire.generated import history_pb2 as history_pb
from perdure.wire.generated import work_pb2 as pb


def turn_answer(instance_id: str, decision: act.Decision, token: str) -> bytes:
    """Return a serialized WorkflowResponse, whose `decision_of` is `decision` again."""
    answer = pb.TurnAnswer(instance_id=instance_id, token=token)
    if decision.custom_status is not None:
        answer.custom_status.value = decision.custom_status
    for action in decision.actions:
        _write(answer.actions.add(id=action.id), action)
    if decision.patches or decision.version_name is not None:
        version = history_pb.Version(patches=decision.patches, name=decision.version_name)
        answer.version = version.SerializeToString()
    return answer.SerializeToString()


def activity_answer(
    instance_id: str, task_id: int, token: str, *, result: str | None, failure: bytes | None
) -> bytes:
    """Return a serialized ActivityResponse: a failure if there is one, else the result."""
    answer = pb.ActivityAnswer(instance_id=instance_id, task_id=task_id, token=token)
    if failure is not None:
        answer.failure = failure
    elif result is not None:
        answer.result.value = result
    return answer.SerializeToString()


def _write(message: pb.Action, action: act.Action) -> None:  # noqa: C901 - one case a kind
    if action.router is not None:
        router = history_pb.Route()
        set_router(router, action.router)
        message.router = router.SerializeToString()
    match action:
        case act.ScheduleTask():
            _schedule_task(message.schedule_task, action)
        case act.CreateTimer():
            _create_timer(message.create_timer, action)
        case act.CreateChild():
            _create_child(message.create_child, action)
        case act.CreateDetached():
            _create_detached(message.create_detached, action)
        case act.SendEvent():
            message.send_event.instance.instance_id = action.instance_id
            message.send_event.name = action.name
            _texts(message.send_event, data=action.input)
        case act.Complete():
            _complete(message.complete, action)
        case act.Terminate():
            message.terminate.instance_id = action.instance_id
            message.terminate.recurse = action.recurse
            _texts(message.terminate, reason=action.reason)
        case act.VersionNotAvailable():
            message.version_not_available.SetInParent()
        case _:
            assert_never(action)


def _texts(body: Any, **fields: str | None) -> None:
    for name, text in fields.items():
        if text is not None:
            getattr(body, name).value = text


def _schedule_task(body: pb.ScheduleTask, action: act.ScheduleTask) -> None:
    body.name = action.name
    _texts(body, version=action.version, input=action.input)
    if action.execution_id:
        body.execution_id = action.execution_id.encode()
    if action.scope is not PropagationScope.NONE:
        body.scope = action.scope


def _create_timer(body: pb.CreateTimer, action: act.CreateTimer) -> None:
    set_time(body.fire_at, action.fire_at_us)
    if action.name is not None:
        body.name = action.name
    if action.awaited_event is not None:
        body.external_event.name = action.awaited_event
        return
    if action.origin == 0:
        return
    # An event numbers the origins one higher than an action does.
    field = pb.CreateTimer.DESCRIPTOR.fields_by_number[action.origin - 1].name
    assert field != "external_event", "such a timer names the event that it bounds"
    setattr(body, field, action.origin_bytes)


def _create_child(body: pb.CreateChild, action: act.CreateChild) -> None:
    body.instance_id = action.instance_id
    body.name = action.name
    _texts(body, version=action.version, input=action.input)
    if action.scope is not PropagationScope.NONE:
        body.scope = action.scope
    if action.retry_of is not None:
        body.retry_of.instance_id = action.retry_of


def _create_detached(body: pb.CreateDetached, action: act.CreateDetached) -> None:
    body.instance_id = action.instance_id
    body.name = action.name
    _texts(body, version=action.version, input=action.input)
    if action.scheduled_start_us is not None:
        set_time(body.scheduled_start, action.scheduled_start_us)
    body.tags.update(action.tags)
    if action.trace is not None:
        set_trace(body.trace, action.trace)


def _complete(body: pb.CompleteWorkflow, action: act.Complete) -> None:
    body.status = action.status
    _texts(body, result=action.result)
    failure = failure_bytes(action.failure)
    if failure is not None:
        body.failure = failure
    body.carryover.extend(encode(event) for event in action.carryover)
