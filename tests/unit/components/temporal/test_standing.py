"""When an instance of Temporal's is PENDING, and what it waits for."""

from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import Payload, SearchAttributes, WorkerVersionStamp
from temporalio.api.enums.v1 import PendingWorkflowTaskState, WorkflowExecutionStatus
from temporalio.api.workflow.v1 import (
    PendingActivityInfo,
    PendingChildExecutionInfo,
    PendingWorkflowTaskInfo,
    WorkflowExecutionInfo,
)
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse

from perdure.components.temporal.standing import (
    STATUSES,
    next_wake_us,
    status_of,
    temporal_name,
    waits_for,
)
from perdure.core.status import Status

RUNNING = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING
DUE = PendingWorkflowTaskInfo(
    state=PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_SCHEDULED, attempt=1
)
TAKEN = PendingWorkflowTaskInfo(
    state=PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_STARTED, attempt=1
)
FAILING = PendingWorkflowTaskInfo(
    state=PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_SCHEDULED, attempt=3
)
STAMP = WorkerVersionStamp(build_id="b")


def described(
    *,
    length: int = 2,
    stamp: WorkerVersionStamp | None = None,
    task: PendingWorkflowTaskInfo | None = None,
    **more: Any,
) -> DescribeWorkflowExecutionResponse:
    info = WorkflowExecutionInfo(
        status=RUNNING,
        history_length=length,
        most_recent_worker_version_stamp=stamp,
        execution_time=Timestamp(seconds=5),
    )
    return DescribeWorkflowExecutionResponse(
        workflow_execution_info=info, pending_workflow_task=task, **more
    )


@pytest.mark.parametrize(
    ("found", "status", "waits"),
    [
        (described(task=DUE), Status.PENDING, "turn"),
        (described(task=TAKEN), Status.RUNNING, "turn"),
        (described(task=FAILING), Status.RUNNING, "a fitting worker (attempt 3 of its turn)"),
        (described(length=1), Status.PENDING, "start time"),
        # A worker whose SDK leaves no build id has had it: no turn is due.
        (described(length=4), Status.RUNNING, "event or timer"),
        (described(length=9, stamp=STAMP, task=DUE), Status.RUNNING, "turn"),
        (
            described(length=9, stamp=STAMP, pending_activities=[PendingActivityInfo()]),
            Status.RUNNING,
            "activity",
        ),
        (
            described(length=9, stamp=STAMP, pending_children=[PendingChildExecutionInfo()]),
            Status.RUNNING,
            "child",
        ),
    ],
)
def test_what_is_running_is_looked_at_closely(
    found: DescribeWorkflowExecutionResponse, status: Status, waits: str
) -> None:
    assert status_of(found.workflow_execution_info, found) is status
    assert waits_for(status, found) == waits


def test_a_listing_knows_of_the_build_id_alone() -> None:
    info = WorkflowExecutionInfo(status=RUNNING)
    assert status_of(info) is Status.PENDING
    ran = SearchAttributes(indexed_fields={"BuildIds": Payload()})
    assert status_of(WorkflowExecutionInfo(status=RUNNING, search_attributes=ran)) is Status.RUNNING
    assert waits_for(Status.RUNNING, None) == "see the instance"


def test_every_status_that_temporal_knows_has_one_of_ours() -> None:
    unspecified = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_UNSPECIFIED
    known = set(WorkflowExecutionStatus.values()) - {unspecified}
    assert known == set(STATUSES)
    for status in known - {RUNNING}:
        assert status_of(WorkflowExecutionInfo(status=status)) is STATUSES[status]
    timed_out = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TIMED_OUT
    assert temporal_name(WorkflowExecutionInfo(status=timed_out)) == "TimedOut"


def test_when_it_moves_on_by_itself() -> None:
    later = PendingActivityInfo(next_attempt_schedule_time=Timestamp(seconds=9))
    sooner = PendingActivityInfo(next_attempt_schedule_time=Timestamp(seconds=7))
    found = described(length=9, stamp=STAMP, pending_activities=[later, sooner])
    assert next_wake_us(found, Status.RUNNING) == 7_000_000
    assert next_wake_us(described(length=1), Status.PENDING) == 5_000_000
    assert next_wake_us(described(task=DUE), Status.PENDING) is None
