"""Temporal's events in the shape that a history has here.

What means the same has our name and our members; what we have no event for keeps Temporal's name
and its attributes. `seq` and `eventID` are Temporal's own number, which is also what a rerun takes.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias

from google.protobuf.json_format import MessageToJson
from temporalio.api.enums.v1 import EventType
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent

from perdure.base.rfc3339 import render
from perdure.base.time import LATEST_US
from perdure.components.port import FailureView, ShownEvent
from perdure.components.temporal.enums import capitalized
from perdure.components.temporal.failures import view_of_failure
from perdure.components.temporal.moments import moment_us
from perdure.components.temporal.payloads import from_payloads
from perdure.components.temporal.properties import tags_of
from perdure.core.status import Status
from perdure.wire.json_api.text import Json, JsonText, shown

Members: TypeAlias = Iterator[tuple[str, Json]]
# The attributes of one kind of event: the table below says of which.
Attributes: TypeAlias = Any


def shown_event(event: HistoryEvent) -> ShownEvent:
    """Return an event as an answer shows it."""
    return ShownEvent(tuple(_members(event)))


def type_of(event: HistoryEvent) -> str:
    """Return the event's type as Temporal calls it, such as `ActivityTaskScheduled`."""
    return capitalized(EventType.Name, event.event_type, "EVENT_TYPE_")


def _members(event: HistoryEvent) -> Members:
    temporal_type = type_of(event)
    ours, reader = _READERS.get(temporal_type, (temporal_type, None))
    yield "seq", event.event_id
    yield "eventID", event.event_id
    yield "timestamp", render(moment_us(event, "event_time") or 0)
    yield "type", ours
    which = event.WhichOneof("attributes")
    if which is None:
        return
    attributes = getattr(event, which)
    if reader is None:
        yield "attributes", JsonText(MessageToJson(attributes, indent=None))
        return
    yield "temporalType", temporal_type
    for name, value in reader(attributes):
        if value is not None and value != "":
            yield name, value
    if temporal_type == "TimerStarted":
        after_us = attributes.start_to_fire_timeout.ToMicroseconds()
        yield "fireAt", render(min((moment_us(event, "event_time") or 0) + after_us, LATEST_US))


def _payload(payloads: Attributes) -> Json:
    text = from_payloads(payloads.payloads)
    return None if text is None else shown(text)


def _failure(failure: Failure) -> Json:
    return _failure_json(view_of_failure(failure))


def _failure_json(view: FailureView) -> Json:
    parts: dict[str, Json] = {
        "type": view.error_type,
        "message": view.message,
        "stackTrace": view.stack_trace,
        "inner": None if view.inner is None else _failure_json(view.inner),
        "nonRetriable": view.non_retriable,
    }
    return {name: part for name, part in parts.items() if part is not None}


def _started(a: Attributes) -> Members:
    yield "name", a.workflow_type.name
    yield "instanceID", a.workflow_id
    yield "executionID", a.original_execution_run_id
    yield "input", _payload(a.input)
    if a.HasField("parent_workflow_execution"):
        yield "parent", {"instanceID": a.parent_workflow_execution.workflow_id}
    yield "tags", dict(tags_of(a.memo.fields)) or None
    yield "taskQueue", a.task_queue.name


def _task_started(a: Attributes) -> Members:
    yield "worker", a.identity


def _scheduled(a: Attributes) -> Members:
    yield "name", a.activity_type.name
    yield "input", _payload(a.input)
    yield "taskQueue", a.task_queue.name


def _completed_task(a: Attributes) -> Members:
    yield "taskScheduledID", a.scheduled_event_id
    yield "result", _payload(a.result)


def _failed_task(a: Attributes) -> Members:
    yield "taskScheduledID", a.scheduled_event_id
    yield "failure", _failure(a.failure)


def _canceled_task(a: Attributes) -> Members:
    yield "taskScheduledID", a.scheduled_event_id
    yield "failure", {"type": "CanceledError", "message": "the activity was cancelled"}


def _timer(a: Attributes) -> Members:
    yield "name", a.timer_id


def _fired(a: Attributes) -> Members:
    yield "timerID", a.started_event_id


def _child(a: Attributes) -> Members:
    yield "instanceID", a.workflow_id
    yield "name", a.workflow_type.name
    yield "input", _payload(a.input)


def _child_completed(a: Attributes) -> Members:
    yield "taskScheduledID", a.initiated_event_id
    yield "instanceID", a.workflow_execution.workflow_id
    yield "result", _payload(a.result)


def _child_failed(a: Attributes) -> Members:
    yield "taskScheduledID", a.initiated_event_id
    yield "instanceID", a.workflow_execution.workflow_id
    yield "failure", _failure(a.failure)


def _child_ended(kind: str, message: str) -> Callable[[Attributes], Members]:
    def members(a: Attributes) -> Members:
        yield "taskScheduledID", a.initiated_event_id
        yield "failure", {"type": kind, "message": message}

    return members


def _raised(a: Attributes) -> Members:
    yield "name", a.signal_name
    yield "input", _payload(a.input)


def _sent(a: Attributes) -> Members:
    yield "instanceID", a.workflow_execution.workflow_id
    yield "name", a.signal_name
    yield "input", _payload(a.input)


def _reason(a: Attributes) -> Members:
    yield "reason", a.reason


def _terminated(a: Attributes) -> Members:
    yield "input", _payload(a.details)
    yield "reason", a.reason


def _completed(a: Attributes) -> Members:
    yield "status", Status.COMPLETED.name
    yield "result", _payload(a.result)


def _failed(a: Attributes) -> Members:
    yield "status", Status.FAILED.name
    yield "failure", _failure(a.failure)


def _timed_out(_: Attributes) -> Members:
    yield "status", Status.FAILED.name
    yield "failure", {"type": "TimeoutError", "message": "the workflow's time was over"}


def _canceled(a: Attributes) -> Members:
    yield "status", Status.CANCELED.name
    yield "result", _payload(a.details)


def _continued(a: Attributes) -> Members:
    yield "status", Status.CONTINUED_AS_NEW.name
    yield "executionID", a.new_execution_run_id
    yield "input", _payload(a.input)


_CREATED: Final = "ChildWorkflowInstanceCreated"
_CHILD_FAILED: Final = "ChildWorkflowInstanceFailed"

# Temporal's type: what it is called here, and what is told of it.
_READERS: Final[dict[str, tuple[str, Callable[[Attributes], Members]]]] = {
    "WorkflowExecutionStarted": ("ExecutionStarted", _started),
    "WorkflowExecutionCompleted": ("ExecutionCompleted", _completed),
    "WorkflowExecutionFailed": ("ExecutionCompleted", _failed),
    "WorkflowExecutionTimedOut": ("ExecutionCompleted", _timed_out),
    "WorkflowExecutionCanceled": ("ExecutionCompleted", _canceled),
    "WorkflowExecutionContinuedAsNew": ("ExecutionCompleted", _continued),
    "WorkflowExecutionTerminated": ("ExecutionTerminated", _terminated),
    "WorkflowExecutionPaused": ("ExecutionSuspended", _reason),
    "WorkflowExecutionUnpaused": ("ExecutionResumed", _reason),
    "WorkflowExecutionSignaled": ("EventRaised", _raised),
    "WorkflowTaskStarted": ("WorkflowStarted", _task_started),
    "ActivityTaskScheduled": ("TaskScheduled", _scheduled),
    "ActivityTaskCompleted": ("TaskCompleted", _completed_task),
    "ActivityTaskFailed": ("TaskFailed", _failed_task),
    "ActivityTaskTimedOut": ("TaskFailed", _failed_task),
    "ActivityTaskCanceled": ("TaskFailed", _canceled_task),
    "TimerStarted": ("TimerCreated", _timer),
    "TimerFired": ("TimerFired", _fired),
    "StartChildWorkflowExecutionInitiated": (_CREATED, _child),
    "StartChildWorkflowExecutionFailed": (
        _CHILD_FAILED,
        _child_ended("WorkflowInstanceAlreadyExists", "the child could not be started"),
    ),
    "ChildWorkflowExecutionCompleted": ("ChildWorkflowInstanceCompleted", _child_completed),
    "ChildWorkflowExecutionFailed": (_CHILD_FAILED, _child_failed),
    "ChildWorkflowExecutionCanceled": (
        _CHILD_FAILED,
        _child_ended("CanceledError", "the child was cancelled"),
    ),
    "ChildWorkflowExecutionTimedOut": (
        _CHILD_FAILED,
        _child_ended("TimeoutError", "the child's time was over"),
    ),
    "ChildWorkflowExecutionTerminated": (
        _CHILD_FAILED,
        _child_ended("TerminatedError", "the child was terminated"),
    ),
    "SignalExternalWorkflowExecutionInitiated": ("EventSent", _sent),
}
