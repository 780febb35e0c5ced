"""What a run says of itself, and what Temporal says of it, as readers see an instance."""

import json
from typing import Any

import pytest
from temporalio.api.common.v1 import Memo, Payload, WorkflowExecution
from temporalio.api.enums.v1 import WorkflowExecutionStatus
from temporalio.api.workflow.v1 import WorkflowExecutionInfo

from perdure.bridge import names
from perdure.bridge.memos import Origin, Progress
from perdure.bridge.views import is_suspended, status_of_run, view_in_list
from perdure.components.temporal.views import Ends
from perdure.core.status import Status

RUNNING = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING
PAUSED = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_PAUSED
GOES_ON = {RUNNING, PAUSED}


def progress(*, suspended: bool = False, stalled: str | None = None) -> Progress:
    return {
        "phase": "RUNNING",
        "suspended": suspended,
        "stalled": stalled,
        "version": None,
        "createdAt": 5,
    }


def run(
    status: WorkflowExecutionStatus.ValueType = RUNNING,
    *,
    origin: Origin | None = None,
    progress: Progress | None = None,
) -> WorkflowExecutionInfo:
    said: dict[str, Any] = {names.ORIGIN: origin, names.PROGRESS: progress}
    fields = {
        key: Payload(data=json.dumps(each).encode())
        for key, each in said.items()
        if each is not None
    }
    return WorkflowExecutionInfo(
        status=status,
        memo=Memo(fields=fields),
        parent_execution=WorkflowExecution(workflow_id="who began it"),
    )


@pytest.mark.parametrize(
    ("info", "status"),
    [
        (run(), Status.PENDING),
        (run(progress=progress()), Status.RUNNING),
        (run(progress=progress(suspended=True)), Status.SUSPENDED),
        (run(progress=progress(suspended=True, stalled="why")), Status.STALLED),
        # Paused by Temporal's own tools: it has not ended, so it is neither purged nor finished.
        (run(PAUSED), Status.SUSPENDED),
        (run(PAUSED, progress=progress()), Status.SUSPENDED),
    ],
)
def test_a_run_that_goes_on_has_a_status_of_its_own(
    info: WorkflowExecutionInfo, status: Status
) -> None:
    assert status_of_run(info) is status
    assert is_suspended(info) is (status in {Status.SUSPENDED, Status.STALLED})
    assert view_in_list("dapr", info, Ends()).status is status


@pytest.mark.parametrize("status", sorted(set(WorkflowExecutionStatus.values()) - GOES_ON))
def test_of_one_that_has_ended_temporal_knows_how(
    status: WorkflowExecutionStatus.ValueType,
) -> None:
    assert status_of_run(run(status, progress=progress())) is None


def test_a_detached_workflow_has_no_parent() -> None:
    detached: Origin = {"appID": "shop", "parentInstanceID": None}
    assert view_in_list("dapr", run(origin=detached), Ends()).parent_id is None
    child: Origin = {"appID": "shop", "parentInstanceID": "a parent"}
    assert view_in_list("dapr", run(origin=child), Ends()).parent_id == "a parent"
    # What Temporal's own tools began has what Temporal knows.
    assert view_in_list("dapr", run(), Ends()).parent_id == "who began it"
