"""The steps of a history as people read them: what happened, to what, and with which result."""

import json
from dataclasses import dataclass, field
from typing import Final

from perdure.base.time import DAY_US, is_never
from perdure.cli.printable import on_one_line, printable
from perdure.cli.times import absolute, duration, parse_us
from perdure.cli.workflow.records import JsonObject

# What an event is called, and the colour of it. An event that is not here keeps its type's name.
_LABELS: Final = {
    "ExecutionStarted": ("started", "bold"),
    "ExecutionCompleted": ("ended", "bold"),
    "ExecutionTerminated": ("terminated", "magenta"),
    "TaskScheduled": ("activity scheduled", "cyan"),
    "TaskCompleted": ("activity completed", "green"),
    "TaskFailed": ("activity failed", "red"),
    "ChildWorkflowInstanceCreated": ("child created", "cyan"),
    "ChildWorkflowInstanceCompleted": ("child completed", "green"),
    "ChildWorkflowInstanceFailed": ("child failed", "red"),
    "DetachedWorkflowInstanceCreated": ("detached workflow created", "cyan"),
    "TimerCreated": ("timer set", "blue"),
    "TimerFired": ("timer fired", "blue"),
    "WorkflowStarted": ("turn", "dim"),
    "EventSent": ("event sent", "yellow"),
    "EventRaised": ("event raised", "yellow"),
    "ExecutionSuspended": ("suspended", "yellow"),
    "ExecutionResumed": ("resumed", "yellow"),
    "ExecutionStalled": ("stalled", "bold red"),
}
_ENDINGS: Final = {"COMPLETED": "bold green", "FAILED": "bold red", "TERMINATED": "magenta"}
# From these a finished instance can be run again.
RERUN_FROM: Final = frozenset({"TaskScheduled", "TimerCreated", "ChildWorkflowInstanceCreated"})
_PAYLOADS: Final = ("input", "result")
# Beginnings of turns; and at Temporal what is between two steps.
_UNTOLD: Final = frozenset(
    {
        "WorkflowStarted",
        "WorkflowTaskScheduled",
        "WorkflowTaskCompleted",
        "ActivityTaskStarted",
        "ChildWorkflowExecutionStarted",
    }
)


@dataclass(slots=True)
class Story:
    """Tells events in their order; it remembers what a later one refers back to by number."""

    utc: bool
    _names: dict[int, str] = field(default_factory=dict)

    def label(self, event: JsonObject) -> tuple[str, str]:
        """Return what the event is called and its colour."""
        kind = str(event.get("type", ""))
        name, style = _LABELS.get(kind, (kind, ""))
        if kind == "TimerCreated" and event.get("awaitedEvent"):
            name = "waits for event"
        if kind == "ExecutionCompleted" and event.get("status"):
            status = str(event["status"])
            name, style = status.lower().replace("_", " "), _ENDINGS.get(status, "bold")
        return printable(name), style

    def subject(self, event: JsonObject) -> str:
        """Return what the event is about: an activity, a child, an event's name, a moment."""
        return printable(self._subject(event))

    def _subject(self, event: JsonObject) -> str:
        kind = event.get("type")
        if "taskScheduledID" in event:
            return self._names.get(event["taskScheduledID"], "")
        if kind in {"ChildWorkflowInstanceCreated", "DetachedWorkflowInstanceCreated"}:
            name = f"{event.get('name', '')} {event.get('instanceID', '')}".strip()
        elif kind == "TimerCreated":
            name = str(event.get("awaitedEvent") or self._until(event))
        elif kind == "EventSent":
            name = f"{event.get('name', '')} to {event.get('instanceID', '')}"
        else:
            name = str(event.get("name", ""))
        self._names[event.get("eventID", -1)] = name
        return self._names.get(event["timerID"], "") if "timerID" in event else name

    def _until(self, event: JsonObject) -> str:
        at_us = parse_us(event.get("fireAt"))
        if at_us is None:
            return ""
        if is_never(at_us):
            return "never"
        length_us = at_us - (parse_us(event.get("timestamp")) or 0)
        if length_us < DAY_US:
            return f"for {duration(length_us)}"
        return f"until {absolute(at_us, utc=self.utc)}"

    def content(self, event: JsonObject) -> str:
        """Return what the event carries: a failure, a reason or a payload."""
        if failure := event.get("failure"):
            return failure_line(failure)
        if reason := event.get("reason"):
            description = printable(str(event.get("description", "")))
            return " ".join(filter(None, (as_text(reason), description)))
        for key in _PAYLOADS:
            if key in event:
                return as_text(event[key])
        return ""


def is_told(event: JsonObject) -> bool:
    """Tell whether the event says something to people; beginnings of turns do not."""
    return event.get("type") not in _UNTOLD


def as_text(value: object) -> str:
    """Return a payload on one line: JSON as it is written, a string without quotes of ours."""
    return printable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def failure_line(failure: JsonObject) -> str:
    """Return the type and the message of a failure on one line."""
    kind, message = str(failure.get("type", "")), str(failure.get("message", ""))
    line = ": ".join(filter(None, (kind, message)))
    return on_one_line(line)
