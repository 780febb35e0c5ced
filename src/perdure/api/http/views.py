"""An instance as JSON: in document form with all we know (api.md section 4), or exactly as Dapr."""

from collections.abc import Iterable
from typing import Final

from perdure.api.http.parameters import SHOWN_CHARS_MAX
from perdure.base.errors import CallerFault
from perdure.base.rfc3339 import render
from perdure.components.port import FailureView, InstanceView, TaskView
from perdure.core.status import Status
from perdure.wire.json_api.text import Json, shown

FIELDS: Final = (
    "instanceID",
    "workflowName",
    "workflowComponent",
    "appID",
    "runtimeStatus",
    "createdAt",
    "scheduledStartAt",
    "startedAt",
    "lastUpdatedAt",
    "completedAt",
    "customStatus",
    "input",
    "output",
    "failure",
    "tags",
    "parentInstanceID",
    "parentAppID",
    "executionID",
    "version",
    "historyLength",
    "historyBytes",
    "waitsFor",
    "waitsSince",
    "nextWakeAt",
    "properties",
)
PAYLOAD_FIELDS: Final = frozenset({"input", "output", "failure"})

_NO_TIME: Final = "0001-01-01T00:00:00Z"


def wanted_fields(names: Iterable[str]) -> frozenset[str]:
    """Return the fields that a caller asks for, all of them if it names none.

    Raises CallerFault for a name that is no field.
    """
    wanted = frozenset(names)
    unknown = sorted(wanted - frozenset(FIELDS))
    if unknown:
        shown_name = unknown[0][:SHOWN_CHARS_MAX]
        raise CallerFault(f"unknown field '{shown_name}'; the fields are {', '.join(FIELDS)}")
    return wanted or frozenset(FIELDS)


def instance_json(view: InstanceView, wanted: frozenset[str]) -> dict[str, Json]:
    """Return an instance in document form; what is absent is left out."""
    whole: dict[str, Json] = {
        "instanceID": view.instance_id,
        "workflowName": view.name,
        "workflowComponent": view.component,
        "appID": view.app_id or None,
        "runtimeStatus": view.status.name,
        "createdAt": _moment(view.created_at_us),
        "scheduledStartAt": _moment(view.scheduled_start_us),
        "startedAt": _moment(view.started_at_us),
        "lastUpdatedAt": _moment(view.updated_at_us),
        "completedAt": _moment(view.completed_at_us) if view.finished else None,
        "customStatus": _payload(view.custom_status),
        "input": _payload(view.input),
        "output": _payload(view.output),
        "failure": None if view.failure is None else failure_json(view.failure),
        "tags": dict(view.tags) or None,
        "parentInstanceID": view.parent_id,
        "parentAppID": view.parent_app_id,
        "executionID": view.execution_id,
        "version": view.version,
        "historyLength": view.history_length,
        "historyBytes": view.history_bytes,
        "waitsFor": view.waits_for,
        "waitsSince": _moment(view.waits_since_us),
        "nextWakeAt": _moment(view.next_wake_us),
        "properties": dict(view.properties) or None,
    }
    return {name: whole[name] for name in FIELDS if name in wanted and whole[name] is not None}


def failure_json(failure: FailureView) -> dict[str, Json]:
    """Return a failure with those that caused it."""
    parts: dict[str, Json] = {
        "type": failure.error_type,
        "message": failure.message,
        "stackTrace": failure.stack_trace,
        "inner": None if failure.inner is None else failure_json(failure.inner),
        "nonRetriable": failure.non_retriable,
    }
    return {name: part for name, part in parts.items() if part is not None}


def task_json(task: TaskView) -> dict[str, Json]:
    """Return one activity: how far it has come, where, and at which attempt."""
    parts: dict[str, Json] = {
        "taskID": task.task_id,
        "name": task.name,
        "appID": task.app_id,
        "state": _task_state(task),
        "scheduledAt": _moment(task.scheduled_at_us),
        "handedOutAt": _moment(task.handed_out_at_us),
        "worker": task.worker,
        "attempts": task.attempts,
        "finishedAt": _moment(task.finished_at_us),
        "failed": task.failed,
    }
    return {name: part for name, part in parts.items() if part is not None}


def released_json(view: InstanceView) -> dict[str, Json]:
    """Return an instance as the protojson of Dapr's GetWorkflowResponse (behaviour.md 1.3).

    Members that are zero are left out. A PENDING instance shows neither name nor times nor
    payloads, and a stalled one has a status that Dapr has no word for.
    """
    if view.status is Status.PENDING:
        return {
            "instanceID": view.instance_id,
            "createdAt": _NO_TIME,
            "lastUpdatedAt": _NO_TIME,
            "runtimeStatus": view.status.name,
        }
    parts: dict[str, Json] = {
        "instanceID": view.instance_id,
        "workflowName": view.name,
        "createdAt": render(view.created_at_us),
        "lastUpdatedAt": render(view.updated_at_us),
        "runtimeStatus": "UNKNOWN" if view.status is Status.STALLED else view.status.name,
        "properties": released_properties(view),
    }
    return {name: part for name, part in parts.items() if part}


def released_properties(view: InstanceView) -> dict[str, Json]:
    """Return Dapr's properties: the stored strings as they are, JSON within JSON."""
    failure = view.failure
    properties: dict[str, Json] = {
        "dapr.workflow.custom_status": view.custom_status,
        "dapr.workflow.input": view.input,
        "dapr.workflow.output": view.output,
        # Dapr's properties are strings, those of a component that are JSON as well.
        **{name: str(value) for name, value in view.properties},
    }
    if failure is not None:
        properties["dapr.workflow.failure.error_type"] = failure.error_type
        properties["dapr.workflow.failure.error_message"] = failure.message
        properties["dapr.workflow.failure.stack_trace"] = failure.stack_trace
    return {name: value for name, value in properties.items() if value is not None}


def _task_state(task: TaskView) -> str:
    if task.finished_at_us is not None:
        return "FAILED" if task.failed else "COMPLETED"
    return "SCHEDULED" if task.handed_out_at_us is None else "HANDED_OUT"


def _moment(at_us: int | None) -> Json:
    return None if at_us is None else render(at_us)


def _payload(stored: str | None) -> Json:
    return None if stored is None else shown(stored)
