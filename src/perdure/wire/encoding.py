"""Events into HistoryEvent bytes, one small writer per kind."""

from typing import Any, assert_never

from perdure.core import events as ev
from perdure.wire.fields import failure_bytes, set_router, set_time, set_trace
from perdure.wire.generated import history_pb2 as pb
from perdure.wire.splicing import spliced


def encode(event: ev.Event) -> bytes:
    """Return an event as a serialized HistoryEvent; `decode` of it is the event again."""
    return spliced(event) or by_message(event)


def by_message(event: ev.Event) -> bytes:
    """Return an event as a serialized HistoryEvent, by way of the message of its kind."""
    message = pb.HistoryEvent(event_id=event.event_id)
    set_time(message.at, event.at_us)
    if event.router is not None:
        set_router(message.router, event.router)
    _write(message, event)
    return message.SerializeToString()


def _write(message: pb.HistoryEvent, event: ev.Event) -> None:
    match event:
        case ev.WorkflowStarted():
            _workflow_started(message.workflow_started, event)
        case ev.ExecutionStarted():
            _execution_started(message.execution_started, event)
        case ev.ExecutionCompleted():
            message.execution_completed.status = event.status
            _texts(message.execution_completed, result=event.result)
            _failure(message.execution_completed, event.failure)
        case ev.ExecutionTerminated():
            message.execution_terminated.recurse = event.recurse
            _texts(message.execution_terminated, input=event.input)
        case ev.ExecutionSuspended():
            message.execution_suspended.SetInParent()
            _texts(message.execution_suspended, input=event.reason)
        case ev.ExecutionResumed():
            message.execution_resumed.SetInParent()
            _texts(message.execution_resumed, input=event.reason)
        case ev.ExecutionStalled():
            message.execution_stalled.reason = event.reason
            message.execution_stalled.description = event.description
        case _:
            _write_step(message, event)


Step = (
    ev.TaskScheduled
    | ev.TaskCompleted
    | ev.TaskFailed
    | ev.TimerCreated
    | ev.TimerFired
    | ev.ChildCreated
    | ev.ChildCompleted
    | ev.ChildFailed
    | ev.EventRaised
    | ev.EventSent
    | ev.DetachedCreated
)


def _write_step(message: pb.HistoryEvent, event: Step) -> None:  # noqa: C901 - one case a kind
    match event:
        case ev.TaskScheduled():
            _task_scheduled(message.task_scheduled, event)
        case ev.TaskCompleted():
            message.task_completed.task_id = event.task_id
            message.task_completed.execution_id = event.execution_id
            _texts(message.task_completed, result=event.result)
        case ev.TaskFailed():
            message.task_failed.task_id = event.task_id
            message.task_failed.execution_id = event.execution_id
            _failure(message.task_failed, event.failure)
        case ev.TimerCreated():
            _timer_created(message.timer_created, event)
        case ev.TimerFired():
            message.timer_fired.timer_id = event.timer_id
            set_time(message.timer_fired.fire_at, event.fire_at_us)
        case ev.ChildCreated():
            _child_created(message.child_created, event)
        case ev.ChildCompleted():
            message.child_completed.task_id = event.task_id
            _texts(message.child_completed, result=event.result)
        case ev.ChildFailed():
            message.child_failed.task_id = event.task_id
            _failure(message.child_failed, event.failure)
        case ev.EventRaised():
            message.event_raised.name = event.name
            _texts(message.event_raised, input=event.input)
        case ev.EventSent():
            message.event_sent.instance_id = event.instance_id
            message.event_sent.name = event.name
            _texts(message.event_sent, input=event.input)
        case ev.DetachedCreated():
            message.detached_created.instance_id = event.instance_id
        case _:
            assert_never(event)


def _texts(body: Any, **fields: str | None) -> None:
    for name, text in fields.items():
        if text is not None:
            getattr(body, name).value = text


def _failure(body: Any, failure: ev.AnyFailure) -> None:
    body.SetInParent()
    data = failure_bytes(failure)
    if data is not None:
        body.failure = data


def _workflow_started(body: pb.WorkflowStarted, event: ev.WorkflowStarted) -> None:
    body.SetInParent()
    body.version.patches.extend(event.patches)
    if event.version_name is not None:
        body.version.name = event.version_name
    if not event.patches and event.version_name is None:
        body.ClearField("version")


def _execution_started(body: pb.ExecutionStarted, event: ev.ExecutionStarted) -> None:
    body.name = event.name
    body.instance.instance_id = event.instance_id
    body.instance.execution_id.value = event.execution_id
    _texts(body, version=event.version, input=event.input, span_id=event.span_id)
    body.tags.update(event.tags)
    if event.scheduled_start_us is not None:
        set_time(body.scheduled_start, event.scheduled_start_us)
    if event.trace is not None:
        set_trace(body.trace, event.trace)
    parent = event.parent
    if parent is not None:
        body.parent.task_id = parent.task_id
        body.parent.instance.instance_id = parent.instance_id
        body.parent.instance.execution_id.value = parent.execution_id
        _texts(body.parent, name=parent.name, version=parent.version)
        if parent.app_id is not None:
            body.parent.app_id = parent.app_id
        if parent.app_namespace is not None:
            body.parent.app_namespace = parent.app_namespace


def _task_scheduled(body: pb.TaskScheduled, event: ev.TaskScheduled) -> None:
    body.name = event.name
    body.execution_id = event.execution_id
    _texts(body, version=event.version, input=event.input)
    if event.trace is not None:
        set_trace(body.trace, event.trace)
    if event.rerun_of is not None:
        body.rerun_of.instance_id = event.rerun_of
    if event.scope is not ev.PropagationScope.NONE:
        body.scope = event.scope


def _timer_created(body: pb.TimerCreated, event: ev.TimerCreated) -> None:
    set_time(body.fire_at, event.fire_at_us)
    if event.name is not None:
        body.name = event.name
    if event.rerun_of is not None:
        body.rerun_of.instance_id = event.rerun_of
    if event.origin == 0:
        return
    field = pb.TimerCreated.DESCRIPTOR.fields_by_number[event.origin].name
    if field == "external_event":
        body.external_event.ParseFromString(event.origin_bytes)
        body.external_event.SetInParent()
    else:
        setattr(body, field, event.origin_bytes)


def _child_created(body: pb.ChildCreated, event: ev.ChildCreated) -> None:
    body.instance_id = event.instance_id
    body.name = event.name
    _texts(body, version=event.version, input=event.input)
    if event.trace is not None:
        set_trace(body.trace, event.trace)
    if event.rerun_of is not None:
        body.rerun_of.instance_id = event.rerun_of
    if event.retry_of is not None:
        body.retry_of.instance_id = event.retry_of
    if event.scope is not ev.PropagationScope.NONE:
        body.scope = event.scope
