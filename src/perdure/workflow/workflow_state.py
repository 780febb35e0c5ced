"""The state of an instance as a client sees it at one moment."""

import json
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from perdure.authoring.failures import FailureDetails
from perdure.core.status import Status
from perdure.wire.generated import history_pb2 as history_pb
from perdure.wire.generated import management_pb2 as pb
from perdure.workflow.faults import OrchestrationFailedError


class WorkflowStatus(Enum):
    """Where an instance stands."""

    UNKNOWN = 0
    RUNNING = 1
    COMPLETED = 2
    FAILED = 3
    TERMINATED = 4
    PENDING = 5
    SUSPENDED = 6
    STALLED = 7


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a server tells of an instance. Times are in UTC and naive."""

    instance_id: str
    name: str
    runtime_status: Status
    created_at: datetime
    last_updated_at: datetime
    serialized_input: str | None
    serialized_output: str | None
    serialized_custom_status: str | None
    failure_details: FailureDetails | None


class WorkflowState:
    """A snapshot of an instance. Payloads are JSON texts, and None where there are none."""

    def __init__(self, state: Snapshot) -> None:
        """Show what was told."""
        self._snapshot = state

    @property
    def instance_id(self) -> str:
        """The id of the instance."""
        return self._snapshot.instance_id

    @property
    def name(self) -> str:
        """The name of its workflow."""
        return self._snapshot.name

    @property
    def runtime_status(self) -> WorkflowStatus:
        """Where it stands."""
        name = self._snapshot.runtime_status.name
        return WorkflowStatus.__members__.get(name, WorkflowStatus.UNKNOWN)

    @property
    def created_at(self) -> datetime:
        """When it was created, in UTC and naive."""
        return self._snapshot.created_at

    @property
    def last_updated_at(self) -> datetime:
        """When something last happened to it, in UTC and naive."""
        return self._snapshot.last_updated_at

    @property
    def serialized_input(self) -> str | None:
        """What it was started with."""
        return self._snapshot.serialized_input

    @property
    def serialized_output(self) -> str | None:
        """What it has returned."""
        return self._snapshot.serialized_output

    @property
    def serialized_custom_status(self) -> str | None:
        """What it has told of where it is."""
        return self._snapshot.serialized_custom_status

    @property
    def failure_details(self) -> FailureDetails | None:
        """What it has failed with."""
        return self._snapshot.failure_details

    def raise_if_failed(self) -> None:
        """Raise OrchestrationFailedError if it has failed."""
        details = self._snapshot.failure_details
        if details is not None:
            text = f"Orchestration '{self.instance_id}' failed: {details.message}"
            raise OrchestrationFailedError(text, details)

    def __str__(self) -> str:
        """Return all of it as JSON."""
        return json.dumps(self.to_json(), indent=4, sort_keys=True, default=str)

    def to_json(self) -> dict[str, object]:
        """Return all of it as a dictionary."""
        snapshot, details = self._snapshot, self._snapshot.failure_details
        told: dict[str, object] = {
            "instance_id": snapshot.instance_id,
            "name": snapshot.name,
            "runtime_status": snapshot.runtime_status.name,
            "created_at": snapshot.created_at,
            "last_updated_at": snapshot.last_updated_at,
            "serialized_input": snapshot.serialized_input,
            "serialized_output": snapshot.serialized_output,
            "serialized_custom_status": snapshot.serialized_custom_status,
        }
        if details is not None:
            told["failure_details"] = {
                "message": details.message,
                "error_type": details.error_type,
                "stack_trace": details.stack_trace,
            }
        return told


def state_of(answer: bytes) -> WorkflowState | None:
    """Return the state that a GetInstanceResponse tells, or None if there is no instance."""
    reply = pb.GetInstanceResponse.FromString(answer)
    if not reply.exists:
        return None
    state = reply.workflow_state
    failed = state.HasField("failure_details")
    return WorkflowState(
        Snapshot(
            instance_id=state.instance_id,
            name=state.name,
            runtime_status=Status(state.workflow_status),
            created_at=state.created_timestamp.ToDatetime(),
            last_updated_at=state.last_updated_timestamp.ToDatetime(),
            serialized_input=state.input.value or None,
            serialized_output=state.output.value or None,
            serialized_custom_status=state.custom_status.value or None,
            failure_details=details_of(state.failure_details) if failed else None,
        )
    )


def details_of(failure: history_pb.FailureDetails) -> FailureDetails | None:
    """Return what a failure tells, or None if it tells nothing."""
    if not failure.message and not failure.error_type:
        return None
    return FailureDetails(failure.message, failure.error_type, failure.stack_trace.value or None)
