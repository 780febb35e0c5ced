"""What Temporal alone knows of a workflow, as the properties of an instance."""

from collections.abc import Iterator, Mapping

from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.workflow.v1 import PendingActivityInfo, PendingChildExecutionInfo
from temporalio.api.workflow.v1 import WorkflowExecutionInfo as Info
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse as Described

from perdure.base.rfc3339 import render
from perdure.components.temporal.enums import shouted
from perdure.components.temporal.moments import moment_us
from perdure.components.temporal.payloads import from_payload
from perdure.components.temporal.standing import temporal_name
from perdure.components.temporal.starting import TAGS_MEMO
from perdure.wire.json_api.text import Json, JsonText, read, shown, write


def properties_of(info: Info, described: Described | None) -> tuple[tuple[str, str], ...]:
    """Return the properties; what is JSON may be written as it stands."""
    return tuple(_properties(info, described))


def tags_of(memo: Mapping[str, Payload]) -> tuple[tuple[str, str], ...]:
    """Return the tags that a start put into the memo."""
    if TAGS_MEMO not in memo:
        return ()
    tags = read(from_payload(memo[TAGS_MEMO]))
    return tuple((str(key), str(value)) for key, value in tags.items())


def _properties(info: Info, described: Described | None) -> Iterator[tuple[str, str]]:
    yield "taskQueue", info.task_queue
    yield "runID", info.execution.run_id
    yield "workflowType", info.type.name
    yield "historyLength", str(info.history_length)
    yield "temporalStatus", temporal_name(info)
    if info.first_run_id and info.first_run_id != info.execution.run_id:
        yield "firstRunID", info.first_run_id
    memo = {key: value for key, value in info.memo.fields.items() if key != TAGS_MEMO}
    if memo:
        yield "memo", _object(memo)
    attributes = info.search_attributes.indexed_fields
    if attributes:
        yield "searchAttributes", _object(attributes)
    if described is not None:
        yield from _of_description(described)


def _of_description(described: Described) -> Iterator[tuple[str, str]]:
    if described.pending_activities:
        pending = [_activity(each) for each in described.pending_activities]
        yield "pendingActivities", JsonText(write(pending))
    if described.pending_children:
        children = [_child(each) for each in described.pending_children]
        yield "pendingChildren", JsonText(write(children))
    pause = described.workflow_extended_info.pause_info
    if pause.HasField("paused_time"):
        yield "pausedBy", pause.identity
        if pause.reason:
            yield "pauseReason", pause.reason


def _object(payloads: Mapping[str, Payload]) -> JsonText:
    return JsonText(write({key: shown(from_payload(payloads[key])) for key in sorted(payloads)}))


def _activity(pending: PendingActivityInfo) -> Json:
    state = shouted(PendingActivityState.Name, pending.state, "PENDING_ACTIVITY_STATE_")
    parts: dict[str, Json] = {
        "activityID": pending.activity_id,
        "name": pending.activity_type.name,
        "state": state,
        "attempt": pending.attempt,
        "scheduledAt": _moment(pending, "scheduled_time"),
        "startedAt": _moment(pending, "last_started_time"),
        "nextAttemptAt": _moment(pending, "next_attempt_schedule_time"),
        "worker": pending.last_worker_identity or None,
        "lastFailure": pending.last_failure.message if pending.HasField("last_failure") else None,
    }
    return {name: part for name, part in parts.items() if part is not None}


def _child(pending: PendingChildExecutionInfo) -> Json:
    return {"instanceID": pending.workflow_id, "workflowName": pending.workflow_type_name}


def _moment(pending: PendingActivityInfo, field: str) -> Json:
    at_us = moment_us(pending, field)
    return None if at_us is None else render(at_us)
