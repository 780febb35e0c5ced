"""Propagated history as workflows and activities ask it: who called, and what had been done."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from perdure.authoring.failures import FailureDetails
from perdure.core.events import (
    AnyFailure,
    ChildCompleted,
    ChildCreated,
    ChildFailed,
    Event,
    Failure,
    TaskCompleted,
    TaskFailed,
    TaskScheduled,
)
from perdure.core.lineage import Chunk, Lineage

__all__ = [
    "ActivityResult",
    "ChildWorkflowResult",
    "PropagatedHistory",
    "PropagationNotFoundError",
    "WorkflowResult",
]


class PropagationNotFoundError(Exception):
    """Nothing of that name is in the propagated history."""


@dataclass(frozen=True)
class ActivityResult:
    """What became of one call of an activity. Input and output are JSON texts."""

    name: str
    started: bool
    completed: bool
    failed: bool
    input: str | None
    output: str | None
    error: FailureDetails | None


@dataclass(frozen=True)
class ChildWorkflowResult:
    """What became of one child workflow. The output is a JSON text."""

    name: str
    started: bool
    completed: bool
    failed: bool
    output: str | None
    error: FailureDetails | None


@dataclass(frozen=True)
class WorkflowResult:
    """What one workflow of the line has done."""

    instance_id: str
    app_id: str
    name: str
    _events: Sequence[Event] = field(repr=False)

    def get_activities_by_name(self, name: str) -> list[ActivityResult]:
        """Return every call of an activity, in the order in which they were scheduled."""
        return [
            self._activity(event)
            for event in self._events
            if isinstance(event, TaskScheduled) and event.name == name
        ]

    def get_last_activity_by_name(self, name: str) -> ActivityResult:
        """Return the last call of an activity. Raises PropagationNotFoundError without one."""
        found = self.get_activities_by_name(name)
        if not found:
            raise PropagationNotFoundError(
                f"no activity named {name!r} in propagated history for workflow {self.name!r}"
            )
        return found[-1]

    def get_child_workflows_by_name(self, name: str) -> list[ChildWorkflowResult]:
        """Return every child workflow of that name, in the order in which they were created."""
        return [
            self._child(event)
            for event in self._events
            if isinstance(event, ChildCreated) and event.name == name
        ]

    def get_last_child_workflow_by_name(self, name: str) -> ChildWorkflowResult:
        """Return the last child of that name. Raises PropagationNotFoundError without one."""
        found = self.get_child_workflows_by_name(name)
        if not found:
            raise PropagationNotFoundError(
                f"no child workflow named {name!r} in propagated history for workflow {self.name!r}"
            )
        return found[-1]

    def _activity(self, scheduled: TaskScheduled) -> ActivityResult:
        done, failed = self._ends(TaskCompleted, TaskFailed, scheduled.event_id)
        output = done.result if isinstance(done, TaskCompleted) else None
        error = _details(failed.failure) if isinstance(failed, TaskFailed) else None
        told = (scheduled.name, True, done is not None, failed is not None)
        return ActivityResult(*told, scheduled.input, output, error)

    def _child(self, created: ChildCreated) -> ChildWorkflowResult:
        done, failed = self._ends(ChildCompleted, ChildFailed, created.event_id)
        output = done.result if isinstance(done, ChildCompleted) else None
        error = _details(failed.failure) if isinstance(failed, ChildFailed) else None
        told = (created.name, True, done is not None, failed is not None)
        return ChildWorkflowResult(*told, output, error)

    def _ends(
        self, done: type[Event], failed: type[Event], task_id: int
    ) -> tuple[Event | None, Event | None]:
        ends = [event for event in self._events if getattr(event, "task_id", None) == task_id]
        well = next((event for event in reversed(ends) if isinstance(event, done)), None)
        badly = next((event for event in reversed(ends) if isinstance(event, failed)), None)
        return well, badly


class PropagatedHistory:
    """History of the workflows above: the oldest ancestor first, the direct caller last."""

    def __init__(self, lineage: Lineage) -> None:
        """Keep what was handed down."""
        self._chunks = lineage.chunks
        self.scope = lineage.scope
        self.events = [event for chunk in lineage.chunks for event in chunk.events]

    def get_app_ids(self) -> list[str]:
        """Return the apps of the line, each once, in order."""
        return list(dict.fromkeys(chunk.app_id for chunk in self._chunks))

    def get_events_by_app_id(self, app_id: str) -> list[Event]:
        """Return the events of an app's workflows, in order."""
        return list(_events(chunk for chunk in self._chunks if chunk.app_id == app_id))

    def get_events_by_instance_id(self, instance_id: str) -> list[Event]:
        """Return the events of an instance, in order."""
        return list(_events(chunk for chunk in self._chunks if chunk.instance_id == instance_id))

    def get_events_by_workflow_name(self, workflow_name: str) -> list[Event]:
        """Return the events of all workflows of that name, in order."""
        chunks = (chunk for chunk in self._chunks if chunk.workflow_name == workflow_name)
        return list(_events(chunks))

    def get_workflows(self) -> list[WorkflowResult]:
        """Return all workflows of the line, in order."""
        return [_result(chunk) for chunk in self._chunks]

    def get_workflows_by_name(self, name: str) -> list[WorkflowResult]:
        """Return all workflows of that name, in order."""
        return [_result(chunk) for chunk in self._chunks if chunk.workflow_name == name]

    def get_last_workflow_by_name(self, name: str) -> WorkflowResult:
        """Return the last workflow of that name. Raises PropagationNotFoundError without one."""
        found = self.get_workflows_by_name(name)
        if not found:
            raise PropagationNotFoundError(f"no workflow named {name!r} in propagated history")
        return found[-1]


def _details(failure: AnyFailure) -> FailureDetails | None:
    if not isinstance(failure, Failure):
        return None  # it tells nothing, or nothing that was read
    return FailureDetails(failure.message, failure.error_type, failure.stack_trace)


def _result(chunk: Chunk) -> WorkflowResult:
    return WorkflowResult(chunk.instance_id, chunk.app_id, chunk.workflow_name, chunk.events)


def _events(chunks: Iterator[Chunk]) -> Iterator[Event]:
    return (event for chunk in chunks for event in chunk.events)
