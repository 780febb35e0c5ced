"""What the client's calls for looking after instances return."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Final

from perdure.authoring.failures import FailureDetails
from perdure.wire.generated import history_pb2, management_pb2
from perdure.workflow.workflow_state import details_of


class _Unset:
    """Says that an argument was not given, where None would say something."""

    def __repr__(self) -> str:
        """Return it as people see it in a signature."""
        return "<unset>"


UNSET: Final = _Unset()


@dataclass(frozen=True)
class WorkflowInstanceIdPage:
    """A page of instance ids, and the token that the next page is asked for with, if any."""

    instance_ids: list[str]
    continuation_token: str | None


class WorkflowHistoryEventType(Enum):
    """The kind of an event; UNKNOWN is one that this version does not know."""

    UNKNOWN = "unknown"
    EXECUTION_STARTED = "executionStarted"
    EXECUTION_COMPLETED = "executionCompleted"
    EXECUTION_TERMINATED = "executionTerminated"
    EXECUTION_SUSPENDED = "executionSuspended"
    EXECUTION_RESUMED = "executionResumed"
    EXECUTION_STALLED = "executionStalled"
    TASK_SCHEDULED = "taskScheduled"
    TASK_COMPLETED = "taskCompleted"
    TASK_FAILED = "taskFailed"
    CHILD_WORKFLOW_INSTANCE_CREATED = "childWorkflowInstanceCreated"
    CHILD_WORKFLOW_INSTANCE_COMPLETED = "childWorkflowInstanceCompleted"
    CHILD_WORKFLOW_INSTANCE_FAILED = "childWorkflowInstanceFailed"
    DETACHED_WORKFLOW_INSTANCE_CREATED = "detachedWorkflowInstanceCreated"
    TIMER_CREATED = "timerCreated"
    TIMER_FIRED = "timerFired"
    EVENT_SENT = "eventSent"
    EVENT_RAISED = "eventRaised"
    CONTINUE_AS_NEW = "continueAsNew"
    WORKFLOW_STARTED = "workflowStarted"
    WORKFLOW_COMPLETED = "workflowCompleted"

    @classmethod
    def _missing_(cls, _value: object) -> "WorkflowHistoryEventType":
        return cls.UNKNOWN


# What the members of the wire's event are called there, where that differs.
_CALLED: Final = {
    "child_created": "CHILD_WORKFLOW_INSTANCE_CREATED",
    "child_completed": "CHILD_WORKFLOW_INSTANCE_COMPLETED",
    "child_failed": "CHILD_WORKFLOW_INSTANCE_FAILED",
    "detached_created": "DETACHED_WORKFLOW_INSTANCE_CREATED",
}
_RERUNNABLE: Final = frozenset(
    {
        WorkflowHistoryEventType.TASK_SCHEDULED,
        WorkflowHistoryEventType.TIMER_CREATED,
        WorkflowHistoryEventType.CHILD_WORKFLOW_INSTANCE_CREATED,
    }
)


@dataclass(frozen=True)
class WorkflowHistoryEvent:
    """An event of an instance's history. What a kind does not carry is None.

    `event_id` is what a rerun is asked for with, or -1; `timestamp` is in UTC and naive.
    """

    event_id: int
    timestamp: datetime
    event_type: WorkflowHistoryEventType
    name: str | None
    task_scheduled_id: int | None
    failure_details: FailureDetails | None

    @property
    def is_rerunnable(self) -> bool:
        """Whether an instance can be run again from this event."""
        return self.event_type in _RERUNNABLE


def history_of(answer: bytes) -> list[WorkflowHistoryEvent]:
    """Return the events of a GetInstanceHistoryResponse."""
    reply = management_pb2.StoredEvents.FromString(answer)
    return [_event(history_pb2.HistoryEvent.FromString(event)) for event in reply.events]


def page_of(answer: bytes) -> WorkflowInstanceIdPage:
    """Return the page of a ListInstanceIDsResponse."""
    reply = management_pb2.ListInstanceIDsResponse.FromString(answer)
    token = reply.continuation_token if reply.HasField("continuation_token") else None
    return WorkflowInstanceIdPage(list(reply.instance_ids), token)


def _event(event: history_pb2.HistoryEvent) -> WorkflowHistoryEvent:
    kind = event.WhichOneof("kind") or ""
    body: Any = getattr(event, kind) if kind else None
    name = _CALLED.get(kind, kind.upper())
    known = WorkflowHistoryEventType.__members__
    return WorkflowHistoryEvent(
        event_id=event.event_id,
        timestamp=event.at.ToDatetime(),
        event_type=known.get(name, WorkflowHistoryEventType.UNKNOWN),
        name=getattr(body, "name", "") or None,
        task_scheduled_id=getattr(body, "task_id", None),
        failure_details=_failure(body),
    )


def _failure(body: Any) -> FailureDetails | None:
    data = getattr(body, "failure", b"")
    return details_of(history_pb2.FailureDetails.FromString(data)) if data else None
