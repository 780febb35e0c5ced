"""How a workflow of Temporal stands, in our words: its status, and what it waits for.

Temporal has no PENDING: a workflow is RUNNING from its start. It is PENDING here until a worker
has taken it, as it is on the embedded engine.
"""

from collections.abc import Iterator
from typing import Final

from temporalio.api.enums.v1 import PendingWorkflowTaskState, WorkflowExecutionStatus
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse

from perdure.components.temporal.enums import capitalized
from perdure.components.temporal.moments import moment_us
from perdure.core.status import TERMINAL, Status
from perdure.core.views import Wait

STATUSES: Final[dict[WorkflowExecutionStatus.ValueType, Status]] = {
    WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING: Status.RUNNING,
    WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_PAUSED: Status.SUSPENDED,
    WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_COMPLETED: Status.COMPLETED,
    WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_FAILED: Status.FAILED,
    WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TIMED_OUT: Status.FAILED,
    WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_CANCELED: Status.CANCELED,
    WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TERMINATED: Status.TERMINATED,
    WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW: Status.CONTINUED_AS_NEW,
}
# What a worker's first turn leaves behind; a listing shows no other trace of it.
RAN_ATTRIBUTE: Final = "BuildIds"


def temporal_name(info: WorkflowExecutionInfo) -> str:
    """Return the status as Temporal calls it, such as `TimedOut`."""
    return capitalized(WorkflowExecutionStatus.Name, info.status, "WORKFLOW_EXECUTION_STATUS_")


def has_run(info: WorkflowExecutionInfo) -> bool:
    """Tell whether a worker has had a turn of it."""
    return bool(
        info.most_recent_worker_version_stamp.build_id
        or info.auto_reset_points.points
        or RAN_ATTRIBUTE in info.search_attributes.indexed_fields
        or STATUSES.get(info.status) in {Status.COMPLETED, Status.CONTINUED_AS_NEW}
    )


def status_of(
    info: WorkflowExecutionInfo, described: DescribeWorkflowExecutionResponse | None = None
) -> Status:
    """Return the status; `described` tells more of what is running than a listing does."""
    status = STATUSES.get(info.status, Status.RUNNING)
    if status is not Status.RUNNING or has_run(info):
        return status
    return Status.RUNNING if described is not None and _is_taken(described) else Status.PENDING


def _is_taken(described: DescribeWorkflowExecutionResponse) -> bool:
    """Tell whether a worker has it, or had it, though it left no trace of its own.

    Where no turn is due, the first one is over, unless it has a time to begin at: then nothing
    has happened but the start.
    """
    if not described.HasField("pending_workflow_task"):
        return described.workflow_execution_info.history_length > 1
    task = described.pending_workflow_task
    started = PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_STARTED
    return task.state == started or task.attempt > 1


def waits_for(status: Status, described: DescribeWorkflowExecutionResponse | None) -> str:
    """Return what has to come before it moves on, for people."""
    if status in TERMINAL or status is Status.CONTINUED_AS_NEW:
        return Wait.NOTHING
    if status is Status.SUSPENDED:
        return "resume"
    if described is None:
        return "see the instance"
    return next(text for is_so, text in _open(status, described) if is_so)


def _open(
    status: Status, described: DescribeWorkflowExecutionResponse
) -> Iterator[tuple[bool, str]]:
    """Yield what a workflow may wait for, the nearest cause first."""
    attempt = described.pending_workflow_task.attempt
    yield attempt > 1, f"a fitting worker (attempt {attempt} of its turn)"
    yield described.HasField("pending_workflow_task"), Wait.TURN
    yield status is Status.PENDING, Wait.START_TIME
    yield bool(described.pending_activities), Wait.ACTIVITY
    yield bool(described.pending_children), Wait.CHILD
    # Its timers are nowhere but in its history.
    yield True, "event or timer"


def next_wake_us(described: DescribeWorkflowExecutionResponse, status: Status) -> int | None:
    """Return the next moment at which it moves on by itself, as far as a description tells."""
    if status is Status.PENDING and not described.HasField("pending_workflow_task"):
        return moment_us(described.workflow_execution_info, "execution_time")
    moments = [
        moment_us(activity, "next_attempt_schedule_time")
        for activity in described.pending_activities
    ]
    return min((at_us for at_us in moments if at_us is not None), default=None)
