"""What Temporal's values are called, those among them that our client has never heard of."""

from temporalio.api.enums.v1 import EventType, WorkflowExecutionStatus

from perdure.components.temporal.enums import capitalized, shouted

PREFIX = "WORKFLOW_EXECUTION_STATUS_"
# A number that our client does not know.
LATER = EventType.ValueType(9_999)
TIMED_OUT = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TIMED_OUT


def test_a_value_is_called_as_temporal_calls_it() -> None:
    assert shouted(WorkflowExecutionStatus.Name, TIMED_OUT, PREFIX) == "TIMED_OUT"
    assert capitalized(WorkflowExecutionStatus.Name, TIMED_OUT, PREFIX) == "TimedOut"


def test_a_value_of_a_later_server_is_told_by_its_number() -> None:
    assert shouted(EventType.Name, LATER, "EVENT_TYPE_") == "UNKNOWN_9999"
    assert capitalized(EventType.Name, LATER, "EVENT_TYPE_") == "Unknown9999"
