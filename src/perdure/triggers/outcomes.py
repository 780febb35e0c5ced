"""What a message leads to, in words and as data that people can read."""

from typing import Any

from perdure.core.deliveries import RaiseStep, StartOrRaiseStep, StartStep, Step, TerminateStep
from perdure.triggers.routing import Ignored, Plan, Planned, Unusable


def described(step: Step | None) -> str:
    """Return a step in one line."""
    match step:
        case None:
            return "nothing"
        case StartStep(start=start, on_existing=on_existing):
            return f"start {start.name} as {start.instance_id} (if it exists: {on_existing.value})"
        case RaiseStep(event=event, on_missing=on_missing):
            return (
                f"raise {event.name} to {event.instance_id} (if it is missing: {on_missing.value})"
            )
        case StartOrRaiseStep(start=start, event=event):
            return f"raise {event.name} to {event.instance_id}, or start {start.name} as it"
        case TerminateStep(terminate=terminate):
            return f"terminate {terminate.instance_id}"


def as_data(plan: Plan) -> dict[str, Any]:
    """Return what a plan says, as JSON is made; payloads as the JSON texts that they are."""
    match plan:
        case Ignored(reason):
            return {"outcome": "ignored", "reason": reason}
        case Unusable(reason):
            return {"outcome": "deadLetter", "reason": reason}
        case Planned(step):
            return _step(step)


def in_words(plan: Plan) -> str:
    """Return a plan in one line."""
    match plan:
        case Ignored(reason):
            return f"ignored: {reason}"
        case Unusable(reason):
            return f"dead-lettered: {reason}"
        case Planned(step):
            return described(step)


def _step(step: Step) -> dict[str, Any]:
    match step:
        case StartStep(start=start, on_existing=on_existing):
            return {
                "outcome": "start",
                "workflow": start.name,
                "instanceID": start.instance_id,
                "input": start.input,
                "tags": dict(start.tags),
                "onExisting": on_existing.value,
            }
        case RaiseStep(event=event, on_missing=on_missing):
            return {
                "outcome": "raiseEvent",
                "instanceID": event.instance_id,
                "eventName": event.name,
                "input": event.input,
                "onMissing": on_missing.value,
            }
        case StartOrRaiseStep(start=start, event=event):
            return {
                "outcome": "startOrRaise",
                "workflow": start.name,
                "instanceID": start.instance_id,
                "eventName": event.name,
                "input": event.input,
                "tags": dict(start.tags),
            }
        case TerminateStep(terminate=terminate):
            return {
                "outcome": "terminate",
                "instanceID": terminate.instance_id,
                "output": terminate.output,
            }
