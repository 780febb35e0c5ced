"""Instances and histories as the server tells them, for the tests of what is made of them."""

from typing import Any

from perdure.base import rfc3339
from perdure.base.time import SECOND_US
from perdure.cli.workflow.records import Instance
from perdure.cli.workflow.tables import Look

NOW_US = rfc3339.parse("2026-01-31T12:00:00Z") or 0
UTC = Look(NOW_US, utc=True)
LOCAL = Look(NOW_US, utc=False)
UUID = "c9f0f895-fb98-4b91-99f5-1fd0297e236d"


def before(seconds: float) -> str:
    """Return a moment so long before now."""
    return rfc3339.render(NOW_US - round(seconds * SECOND_US))


def instance(**members: Any) -> Instance:
    """Return an instance that runs, with members of its own."""
    usual = {
        "instanceID": "order-17",
        "workflowName": "order",
        "runtimeStatus": "RUNNING",
        "createdAt": before(125),
        "startedAt": before(124),
        "lastUpdatedAt": before(20),
        "waitsFor": "activity",
        "waitsSince": before(20),
        "historyLength": 12,
    }
    return Instance.read(usual | members)


HISTORY: list[dict[str, Any]] = [
    {"seq": 1, "eventID": -1, "timestamp": before(10), "type": "WorkflowStarted"},
    {
        "seq": 2,
        "eventID": -1,
        "timestamp": before(10),
        "type": "ExecutionStarted",
        "name": "order",
        "input": {"items": 3},
    },
    {
        "seq": 3,
        "eventID": 1,
        "timestamp": before(10),
        "type": "TaskScheduled",
        "name": "charge",
        "input": None,
    },
    {
        "seq": 4,
        "eventID": -1,
        "timestamp": before(9),
        "type": "TaskFailed",
        "taskScheduledID": 1,
        "failure": {"type": "ValueError", "message": "card\nrefused"},
    },
    {
        "seq": 5,
        "eventID": 2,
        "timestamp": before(9),
        "type": "TimerCreated",
        "fireAt": "9999-12-31T23:59:59.999999Z",
        "awaitedEvent": "approved",
    },
    {
        "seq": 6,
        "eventID": -1,
        "timestamp": before(8),
        "type": "EventRaised",
        "name": "approved",
        "input": {"by": "anna", "note": "n" * 200},
    },
    {
        "seq": 7,
        "eventID": 3,
        "timestamp": before(8),
        "type": "TimerCreated",
        "fireAt": before(6.5),
    },
    {"seq": 8, "eventID": -1, "timestamp": before(6.5), "type": "TimerFired", "timerID": 3},
    {
        "seq": 9,
        "eventID": 4,
        "timestamp": before(6),
        "type": "ChildWorkflowInstanceCreated",
        "name": "refund",
        "instanceID": "order-17:0004",
    },
    {
        "seq": 10,
        "eventID": -1,
        "timestamp": before(5),
        "type": "ChildWorkflowInstanceCompleted",
        "taskScheduledID": 4,
        "result": "\x1b[31mdone",
    },
    {
        "seq": 11,
        "eventID": 5,
        "timestamp": before(5),
        "type": "ExecutionCompleted",
        "status": "COMPLETED",
        "result": [1, 2],
    },
]
