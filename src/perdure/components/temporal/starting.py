"""A start as Temporal's request."""

import json
from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

from google.protobuf.duration_pb2 import Duration
from temporalio.api.common.v1 import Memo, Payload, WorkflowType
from temporalio.api.common.v1 import SearchAttributes as Attributes
from temporalio.api.enums.v1 import WorkflowIdConflictPolicy, WorkflowIdReusePolicy
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import StartWorkflowExecutionRequest

from perdure.base.errors import CallerFault
from perdure.base.time import SECOND_US
from perdure.components.temporal.attributes import Kind, attribute_payload
from perdure.components.temporal.options import StartOptions
from perdure.components.temporal.payloads import json_payload, to_payloads
from perdure.components.temporal.settings import TemporalSettings
from perdure.core.requests import Start
from perdure.wire.tags import TAGS_METADATA_KEY

# The one field of the memo that holds all tags, as a JSON object of strings.
TAGS_MEMO: Final = TAGS_METADATA_KEY


def request_of(
    start: Start,
    options: StartOptions,
    settings: TemporalSettings,
    registered: Mapping[str, Kind],
    now_us: int,
) -> StartWorkflowExecutionRequest:
    """Return the request. Raises CallerFault for what does not fit together, in words for people.

    `registered` are the search attributes that the namespace has.
    """
    task_queue = options.task_queue or settings.task_queue
    if task_queue is None:
        raise CallerFault(
            "no task queue provided: give the option taskQueue, or the component the metadata "
            "taskQueue"
        )
    request = StartWorkflowExecutionRequest(
        namespace=settings.namespace,
        workflow_id=start.instance_id,
        workflow_type=WorkflowType(name=start.name),
        task_queue=TaskQueue(name=task_queue),
        input=to_payloads(start.input),
        identity=settings.identity,
        request_id=str(uuid4()),
        workflow_id_reuse_policy=_reuse(start, options),
        workflow_id_conflict_policy=_conflict(start, options),
        cron_schedule=options.cron or "",
        workflow_execution_timeout=_duration(options.execution_timeout_us),
        workflow_run_timeout=_duration(options.run_timeout_us),
        workflow_task_timeout=_duration(options.task_timeout_us),
        workflow_start_delay=_duration(_delay_us(start, options, now_us)),
    )
    memo = _memo(start, options)
    if memo:
        request.memo.CopyFrom(Memo(fields=memo))
    attributes = _attributes(start, options, registered)
    if attributes:
        request.search_attributes.CopyFrom(Attributes(indexed_fields=attributes))
    return request


def _reuse(start: Start, options: StartOptions) -> WorkflowIdReusePolicy.ValueType:
    if options.reuse is not None:
        return options.reuse
    if start.replace_finished:
        return WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
    return WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE


def _conflict(start: Start, options: StartOptions) -> WorkflowIdConflictPolicy.ValueType:
    if options.conflict is not None:
        return options.conflict
    if start.terminate_existing:
        return WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING
    if start.ignore_existing:
        return WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING
    return WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_FAIL


def _delay_us(start: Start, options: StartOptions, now_us: int) -> int | None:
    if start.scheduled_start_us is None:
        return options.delay_us
    if options.delay_us is not None:
        raise CallerFault("a start time and the option startDelay exclude each other")
    return max(start.scheduled_start_us - now_us, 0) or None


def _duration(length_us: int | None) -> Duration | None:
    if length_us is None:
        return None
    seconds, rest_us = divmod(length_us, SECOND_US)
    return Duration(seconds=seconds, nanos=rest_us * 1_000)


def _memo(start: Start, options: StartOptions) -> dict[str, Payload]:
    if TAGS_MEMO in options.memo:
        raise CallerFault(f"the memo's field {TAGS_MEMO} is the tags': give them as tags")
    memo = {key: json_payload(value) for key, value in options.memo.items()}
    if start.tags:
        memo[TAGS_MEMO] = json_payload(json.dumps(dict(start.tags), ensure_ascii=False))
    return memo


def _attributes(
    start: Start, options: StartOptions, registered: Mapping[str, Kind]
) -> dict[str, Payload]:
    for name in options.search_attributes:
        if name not in registered:
            known = ", ".join(sorted(registered)) or "none"
            raise CallerFault(
                f"the namespace has no search attribute {name}; those registered are {known}"
            )
    # What is given as an option is meant as an attribute, a tag only if there is one of its name.
    values: dict[str, Any] = {key: value for key, value in start.tags if key in registered}
    values |= options.search_attributes
    return {
        name: attribute_payload(name, registered[name], value) for name, value in values.items()
    }
