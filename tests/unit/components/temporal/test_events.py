"""Temporal's events in our shape: every kind that has a name of ours, and one that has none."""

from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import Payload, Payloads, WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import EventType
from temporalio.api.failure.v1 import ApplicationFailureInfo, Failure, TimeoutFailureInfo
from temporalio.api.history import v1 as history
from temporalio.api.history.v1 import HistoryEvent

from perdure.components.temporal.events import shown_event
from perdure.components.temporal.failures import view_of_failure, wire_of_failure
from perdure.components.temporal.rerunning import turn_of
from perdure.components.temporal.views import outcome_of
from perdure.wire.fields import parse_failure
from perdure.wire.json_api.text import write

ONE = Payloads(payloads=[Payload(metadata={"encoding": b"json/plain"}, data=b"1")])
FAILURE = Failure(
    message="outer",
    stack_trace="here",
    timeout_failure_info=TimeoutFailureInfo(),
    cause=Failure(
        message="inner",
        application_failure_info=ApplicationFailureInfo(type="T", non_retryable=True),
    ),
)
SHOWN_FAILURE = {
    "type": "TimeoutError",
    "message": "outer",
    "stackTrace": "here",
    "inner": {"type": "T", "message": "inner", "nonRetriable": True},
    "nonRetriable": False,
}
CHILD = WorkflowExecution(workflow_id="c", run_id="r")


def event(kind: str, **attributes: Any) -> HistoryEvent:
    """An event of a kind; its attributes' message is found by its name."""
    made = HistoryEvent(
        event_id=7,
        event_time=Timestamp(seconds=1),
        event_type=EventType.Value(f"EVENT_TYPE_{kind}"),
    )
    field = f"{kind.lower()}_event_attributes"
    words = "".join(word.capitalize() for word in kind.split("_"))
    message = getattr(history, f"{words}EventAttributes")
    getattr(made, field).CopyFrom(message(**attributes))
    return made


CASES: list[tuple[HistoryEvent, str, dict[str, Any]]] = [
    (event("WORKFLOW_EXECUTION_COMPLETED", result=ONE), "ExecutionCompleted", {"result": "1"}),
    (
        event("WORKFLOW_EXECUTION_FAILED", failure=FAILURE),
        "ExecutionCompleted",
        {"status": "FAILED", "failure": SHOWN_FAILURE},
    ),
    (event("WORKFLOW_EXECUTION_TIMED_OUT"), "ExecutionCompleted", {"status": "FAILED"}),
    (
        event("WORKFLOW_EXECUTION_CANCELED", details=ONE),
        "ExecutionCompleted",
        {"status": "CANCELED", "result": "1"},
    ),
    (
        event("WORKFLOW_EXECUTION_CONTINUED_AS_NEW", new_execution_run_id="next", input=ONE),
        "ExecutionCompleted",
        {"status": "CONTINUED_AS_NEW", "executionID": "next", "input": "1"},
    ),
    (
        event("WORKFLOW_EXECUTION_TERMINATED", reason="why", details=ONE),
        "ExecutionTerminated",
        {"reason": "why", "input": "1"},
    ),
    (
        event("ACTIVITY_TASK_FAILED", scheduled_event_id=5, failure=FAILURE),
        "TaskFailed",
        {"taskScheduledID": 5, "failure": SHOWN_FAILURE},
    ),
    (
        event("ACTIVITY_TASK_TIMED_OUT", scheduled_event_id=5, failure=FAILURE),
        "TaskFailed",
        {"taskScheduledID": 5},
    ),
    (
        event("ACTIVITY_TASK_CANCELED", scheduled_event_id=5),
        "TaskFailed",
        {"failure": {"type": "CanceledError", "message": "the activity was cancelled"}},
    ),
    (
        event("TIMER_STARTED", timer_id="t", start_to_fire_timeout=Duration(seconds=2)),
        "TimerCreated",
        {"name": "t", "fireAt": "1970-01-01T00:00:03Z"},
    ),
    (event("TIMER_FIRED", started_event_id=6), "TimerFired", {"timerID": 6}),
    (
        event(
            "START_CHILD_WORKFLOW_EXECUTION_INITIATED",
            workflow_id="c",
            workflow_type=WorkflowType(name="w"),
            input=ONE,
        ),
        "ChildWorkflowInstanceCreated",
        {"instanceID": "c", "name": "w", "input": "1"},
    ),
    (
        event("START_CHILD_WORKFLOW_EXECUTION_FAILED", initiated_event_id=5),
        "ChildWorkflowInstanceFailed",
        {"taskScheduledID": 5},
    ),
    (
        event(
            "CHILD_WORKFLOW_EXECUTION_COMPLETED",
            initiated_event_id=5,
            workflow_execution=CHILD,
            result=ONE,
        ),
        "ChildWorkflowInstanceCompleted",
        {"taskScheduledID": 5, "instanceID": "c", "result": "1"},
    ),
    (
        event(
            "CHILD_WORKFLOW_EXECUTION_FAILED",
            initiated_event_id=5,
            workflow_execution=CHILD,
            failure=FAILURE,
        ),
        "ChildWorkflowInstanceFailed",
        {"failure": SHOWN_FAILURE},
    ),
    *(
        (
            event(f"CHILD_WORKFLOW_EXECUTION_{how}", initiated_event_id=5),
            "ChildWorkflowInstanceFailed",
            {"taskScheduledID": 5},
        )
        for how in ("CANCELED", "TIMED_OUT", "TERMINATED")
    ),
    (
        event(
            "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED",
            workflow_execution=CHILD,
            signal_name="go",
            input=ONE,
        ),
        "EventSent",
        {"instanceID": "c", "name": "go", "input": "1"},
    ),
]


@pytest.mark.parametrize(("made", "kind", "expected"), CASES, ids=lambda case: str(case)[:40])
def test_an_event_with_a_name_of_ours(
    made: HistoryEvent, kind: str, expected: dict[str, Any]
) -> None:
    shown = dict(shown_event(made).members)
    assert (shown["seq"], shown["eventID"], shown["type"]) == (7, 7, kind)
    assert shown["timestamp"] == "1970-01-01T00:00:01Z"
    assert str(shown["temporalType"]).startswith(("Workflow", "Activity", "Timer", "Child", "S"))
    assert {name: shown[name] for name in expected} == expected
    # Whatever it is, it can be written.
    assert write(shown).startswith('{"seq":7,')


def test_an_event_that_we_have_no_name_for() -> None:
    shown = dict(shown_event(event("MARKER_RECORDED", marker_name="version")).members)
    assert shown["type"] == "MarkerRecorded"
    assert shown["attributes"] == '{"markerName": "version"}'
    empty = dict(shown_event(HistoryEvent(event_id=1)).members)
    assert (empty["type"], "attributes" in empty) == ("Unspecified", False)


def test_a_failure_of_ours_says_the_same() -> None:
    view = view_of_failure(FAILURE)
    message = parse_failure(wire_of_failure(view))
    assert (message.error_type, message.message, message.stack_trace.value) == (
        "TimeoutError",
        "outer",
        "here",
    )
    assert (message.inner.error_type, message.inner.non_retriable) == ("T", True)


def test_a_chain_of_failures_is_cut() -> None:
    failure = Failure(message="bottom")
    for _ in range(100):
        failure = Failure(message="above", cause=failure)
    depth, view = 0, view_of_failure(failure)
    while view.inner is not None:
        depth, view = depth + 1, view.inner
    assert depth < 40


def test_how_a_run_ended() -> None:
    assert outcome_of(None).output is None
    assert outcome_of(event("TIMER_FIRED")).failure is None
    assert outcome_of(event("WORKFLOW_EXECUTION_CANCELED", details=ONE)).output == "1"
    timed_out = outcome_of(event("WORKFLOW_EXECUTION_TIMED_OUT")).failure
    assert timed_out is not None
    assert timed_out.error_type == "TimeoutError"


def test_which_turn_an_event_comes_from() -> None:
    scheduled = event("ACTIVITY_TASK_SCHEDULED", workflow_task_completed_event_id=4)
    assert turn_of(scheduled) == 4
    assert turn_of(event("WORKFLOW_TASK_COMPLETED")) == 7
    assert turn_of(event("WORKFLOW_EXECUTION_SIGNALED")) is None
    assert turn_of(HistoryEvent()) is None


def test_an_event_of_a_later_server_is_shown_by_its_number() -> None:
    later = HistoryEvent(event_id=9, event_time=Timestamp(seconds=1), event_type=9_999)  # type: ignore[arg-type]  # a number that our client does not know
    assert dict(shown_event(later).members)["type"] == "Unknown9999"
