"""States as clients see them."""

import json
from datetime import datetime

import pytest

from perdure.authoring.failures import FailureDetails
from perdure.core.status import Status
from perdure.wire.generated import management_pb2 as pb
from perdure.workflow.faults import OrchestrationFailedError
from perdure.workflow.workflow_state import Snapshot, WorkflowState, WorkflowStatus, state_of

MOMENT = datetime(2026, 1, 2, 3, 4, 5)  # noqa: DTZ001 - as the SDK has it


def snapshot(status: Status, details: FailureDetails | None = None) -> WorkflowState:
    return WorkflowState(
        Snapshot("one", "wf", status, MOMENT, MOMENT, '"in"', None, "here", details)
    )


def test_a_state_tells_all_of_it_as_json() -> None:
    state = snapshot(Status.FAILED, FailureDetails("no", "ValueError", None))
    told = json.loads(str(state))
    assert told["runtime_status"] == "FAILED"
    assert told["created_at"] == "2026-01-02 03:04:05"
    assert told["failure_details"] == {
        "message": "no",
        "error_type": "ValueError",
        "stack_trace": None,
    }
    assert "failure_details" not in snapshot(Status.RUNNING).to_json()


@pytest.mark.parametrize("status", list(Status))
def test_every_status_has_its_name(status: Status) -> None:
    shown = snapshot(status).runtime_status
    known = status not in {Status.CONTINUED_AS_NEW, Status.CANCELED}
    assert shown.name == (status.name if known else "UNKNOWN")
    assert isinstance(shown, WorkflowStatus)


def test_a_failed_one_can_be_raised() -> None:
    snapshot(Status.COMPLETED).raise_if_failed()
    with pytest.raises(OrchestrationFailedError, match="Orchestration 'one' failed: no") as raised:
        snapshot(Status.FAILED, FailureDetails("no", "E", "trace")).raise_if_failed()
    assert raised.value.failure_details.stack_trace == "trace"


def test_a_state_is_read_from_an_answer() -> None:
    assert state_of(pb.GetInstanceResponse(exists=False).SerializeToString()) is None
    reply = pb.GetInstanceResponse(exists=True)
    reply.workflow_state.instance_id = "one"
    reply.workflow_state.output.value = ""
    reply.workflow_state.created_timestamp.FromDatetime(MOMENT)
    state = state_of(reply.SerializeToString())
    assert state is not None
    told = (state.instance_id, state.created_at, state.serialized_output, state.failure_details)
    assert told == ("one", MOMENT, None, None)
