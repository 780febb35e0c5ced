"""Every kind of event as JSON."""

import json
from typing import Any

import pytest

from perdure.base.errors import CallerFault, StoreBroken
from perdure.core import events as ev
from perdure.core.status import Status
from perdure.core.tracing import TraceContext
from perdure.wire.events import encode
from perdure.wire.generated import history_pb2 as pb
from perdure.wire.json_api.history import EVENT_TYPES, event_json, failure_json
from perdure.wire.json_api.text import write

DETAILS = pb.FailureDetails(error_type="T", message="m")
DETAILS.stack_trace.value = "s"
DETAILS.inner.error_type = "U"

TRACE = TraceContext("a" * 32, "b" * 16)
PARENT = ev.ParentLink("p", "x", "P", None, 3, "shop")

# an event, its type, and its members besides seq, eventID and timestamp
CASES: list[tuple[ev.Event, str, dict[str, Any]]] = [
    (ev.WorkflowStarted(at_us=0, patches=("a",), version_name="v2"), "WorkflowStarted",
     {"patches": ["a"], "versionName": "v2"}),
    (ev.ExecutionStarted(at_us=0, name="W", instance_id="i", execution_id="e", version="1",
                         input='{"a":1.10}', parent=PARENT, scheduled_start_us=1_000_000,
                         trace=TRACE, span_id="c" * 16, tags=(("k", "v"),),
                         router=ev.Router("shop", "other")), "ExecutionStarted",
     {"name": "W", "instanceID": "i", "executionID": "e", "version": "1", "input": {"a": 1.10},
      "parent": {"instanceID": "p", "executionID": "x", "workflowName": "P",
                 "taskScheduledID": 3, "appID": "shop"},
      "scheduledStartAt": "1970-01-01T00:00:01Z", "traceParent": TRACE.traceparent,
      "tags": {"k": "v"}, "router": {"sourceAppID": "shop", "targetAppID": "other"}}),
    (ev.ExecutionCompleted(at_us=0, event_id=4, status=Status.FAILED,
                           failure=DETAILS.SerializeToString()), "ExecutionCompleted",
     {"status": "FAILED", "failure": {
         "type": "T", "message": "m", "stackTrace": "s", "nonRetriable": False,
         "inner": {"type": "U", "message": "", "nonRetriable": False}}}),
    (ev.ExecutionCompleted(at_us=0, status=Status.COMPLETED, result=""), "ExecutionCompleted",
     {"status": "COMPLETED", "result": ""}),
    (ev.ExecutionTerminated(at_us=0, input="over", recurse=True), "ExecutionTerminated",
     {"input": "over", "recurse": True}),
    (ev.ExecutionSuspended(at_us=0, reason="why"), "ExecutionSuspended", {"reason": "why"}),
    (ev.ExecutionResumed(at_us=0), "ExecutionResumed", {}),
    (ev.ExecutionStalled(at_us=0, reason=ev.StallReason.PATCH_MISMATCH, description="d"),
     "ExecutionStalled", {"reason": "PATCH_MISMATCH", "description": "d"}),
    (ev.TaskScheduled(at_us=0, event_id=1, name="A", input="1", execution_id="t", rerun_of="r",
                      scope=ev.PropagationScope.LINEAGE), "TaskScheduled",
     {"name": "A", "input": 1, "executionID": "t", "rerunOf": "r",
      "historyPropagation": "LINEAGE"}),
    (ev.TaskCompleted(at_us=0, task_id=1, result="null"), "TaskCompleted",
     {"taskScheduledID": 1, "result": None}),
    (ev.TaskFailed(at_us=0, task_id=0, failure=ev.Failure("T", "m")), "TaskFailed",
     {"taskScheduledID": 0,
      "failure": {"type": "T", "message": "m", "nonRetriable": True}}),
    (ev.ChildCreated(at_us=0, event_id=2, instance_id="c", name="C", retry_of="r"),
     "ChildWorkflowInstanceCreated", {"instanceID": "c", "name": "C", "retryOf": "r"}),
    (ev.ChildCompleted(at_us=0, task_id=2, result="x"), "ChildWorkflowInstanceCompleted",
     {"taskScheduledID": 2, "result": "x"}),
    (ev.ChildFailed(at_us=0, task_id=2), "ChildWorkflowInstanceFailed", {"taskScheduledID": 2}),
    (ev.TimerCreated(at_us=0, event_id=3, fire_at_us=2_000_000, origin=5,
                     origin_bytes=b"\x0a\x02go", awaited_event="go"), "TimerCreated",
     {"fireAt": "1970-01-01T00:00:02Z", "origin": "externalEvent", "awaitedEvent": "go"}),
    (ev.TimerCreated(at_us=0, event_id=3, fire_at_us=2_000_000), "TimerCreated",
     {"fireAt": "1970-01-01T00:00:02Z"}),
    (ev.TimerFired(at_us=0, timer_id=3, fire_at_us=2_000_000), "TimerFired",
     {"timerID": 3, "fireAt": "1970-01-01T00:00:02Z"}),
    (ev.EventRaised(at_us=0, name="go", input=""), "EventRaised", {"name": "go", "input": ""}),
    (ev.EventSent(at_us=0, event_id=5, instance_id="j", name="go"), "EventSent",
     {"instanceID": "j", "name": "go"}),
    (ev.DetachedCreated(at_us=0, event_id=6, instance_id="j"), "DetachedWorkflowInstanceCreated",
     {"instanceID": "j"}),
]  # fmt: skip


@pytest.mark.parametrize(("event", "kind", "members"), CASES)
def test_event(event: ev.Event, kind: str, members: dict[str, Any]) -> None:
    shown = json.loads(write(event_json(encode(event), 7)))
    assert shown == {
        "seq": 7,
        "eventID": event.event_id,
        "timestamp": "1970-01-01T00:00:00Z",
        "type": kind,
        **members,
    }


def test_every_kind_is_tried() -> None:
    assert {kind for _, kind, _ in CASES} == set(EVENT_TYPES)


def test_payloads_stand_as_they_are() -> None:
    event = ev.EventRaised(at_us=0, name="go", input='{"a": 1.10}')
    assert '"input":{"a": 1.10}' in write(event_json(encode(event), 1))


@pytest.mark.parametrize("data", [b"", b"\xff", b"\x08\x01"])
def test_what_is_no_event(data: bytes) -> None:
    with pytest.raises(StoreBroken):
        event_json(data, 1)


def test_what_is_no_failure() -> None:
    assert failure_json(None) is None
    with pytest.raises(CallerFault):
        failure_json(b"\xff")
