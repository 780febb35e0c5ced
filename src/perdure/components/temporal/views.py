"""An execution of Temporal as readers see an instance."""

from dataclasses import dataclass
from typing import Final

from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse

from perdure.components.port import FailureView, InstanceView
from perdure.components.temporal.failures import view_of_failure, wire_of_failure
from perdure.components.temporal.moments import moment_us
from perdure.components.temporal.payloads import from_payloads
from perdure.components.temporal.properties import properties_of, tags_of
from perdure.components.temporal.standing import has_run, next_wake_us, status_of, waits_for
from perdure.core.status import Status

# A workflow may keep a custom status under this name in its memo, as those of a bridge do.
CUSTOM_STATUS_MEMO: Final = "dapr-workflow-custom-status"


@dataclass(frozen=True, slots=True)
class Ends:
    """The first and the last event of a run, as far as they were asked for."""

    first: HistoryEvent | None = None
    last: HistoryEvent | None = None


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run ended."""

    output: str | None = None
    failure: FailureView | None = None


def view_of(
    component: str, described: DescribeWorkflowExecutionResponse, ends: Ends
) -> InstanceView:
    """Return an instance as its description tells, with payloads if its first event is there."""
    info = described.workflow_execution_info
    return _view(component, info, described, ends)


def listed_view(component: str, info: WorkflowExecutionInfo, ends: Ends) -> InstanceView:
    """Return an instance as a listing tells, which knows less of those that run."""
    return _view(component, info, None, ends)


def _view(
    component: str,
    info: WorkflowExecutionInfo,
    described: DescribeWorkflowExecutionResponse | None,
    ends: Ends,
) -> InstanceView:
    status = status_of(info, described)
    outcome = RunOutcome() if ends.first is None else outcome_of(ends.last)
    created_us = moment_us(info, "start_time") or 0
    first_us = moment_us(info, "execution_time") or created_us
    closed_us = moment_us(info, "close_time")
    last_us = None if ends.last is None else moment_us(ends.last, "event_time")
    started = status is Status.RUNNING or has_run(info)
    return InstanceView(
        instance_id=info.execution.workflow_id,
        name=info.type.name,
        component=component,
        app_id="",  # nobody's in particular: whoever polls its task queue runs it
        status=status,
        execution_id=info.execution.run_id,
        created_at_us=created_us,
        started_at_us=first_us if started else None,
        updated_at_us=closed_us or last_us or created_us,
        completed_at_us=closed_us,
        scheduled_start_us=first_us if first_us > created_us else None,
        custom_status=_custom_status(info),
        input=_input(ends.first),
        output=outcome.output,
        failure=outcome.failure,
        failure_wire=None if outcome.failure is None else wire_of_failure(outcome.failure),
        tags=tags_of(info.memo.fields),
        parent_id=info.parent_execution.workflow_id or None,
        parent_app_id=None,
        version=None,
        history_length=info.history_length,
        history_bytes=info.history_size_bytes,
        waits_for=waits_for(status, described),
        waits_since_us=None,
        next_wake_us=None if described is None else next_wake_us(described, status),
        properties=(*properties_of(info, described), *_reason(ends.last)),
    )


def outcome_of(last: HistoryEvent | None) -> RunOutcome:
    """Return what a run's last event says of its end; nothing if it has not ended.

    What terminated an instance is its output; one that timed out or was cancelled has failed.
    """
    match None if last is None else last.WhichOneof("attributes"):
        case "workflow_execution_completed_event_attributes":
            assert last is not None
            done = last.workflow_execution_completed_event_attributes
            return RunOutcome(from_payloads(done.result.payloads))
        case "workflow_execution_failed_event_attributes":
            assert last is not None
            failure = last.workflow_execution_failed_event_attributes.failure
            return RunOutcome(None, view_of_failure(failure))
        case "workflow_execution_terminated_event_attributes":
            assert last is not None
            ended = last.workflow_execution_terminated_event_attributes
            return RunOutcome(from_payloads(ended.details.payloads))
        case "workflow_execution_canceled_event_attributes":
            assert last is not None
            cancelled = last.workflow_execution_canceled_event_attributes
            return RunOutcome(from_payloads(cancelled.details.payloads))
        case "workflow_execution_timed_out_event_attributes":
            return RunOutcome(None, FailureView("TimeoutError", "the workflow's time was over"))
        case _:
            return RunOutcome()


def _reason(last: HistoryEvent | None) -> tuple[tuple[str, str], ...]:
    reason = "" if last is None else last.workflow_execution_terminated_event_attributes.reason
    return (("terminationReason", reason),) if reason else ()


def _input(first: HistoryEvent | None) -> str | None:
    if first is None:
        return None
    return from_payloads(first.workflow_execution_started_event_attributes.input.payloads)


def _custom_status(info: WorkflowExecutionInfo) -> str | None:
    fields = info.memo.fields
    if CUSTOM_STATUS_MEMO not in fields:
        return None
    return from_payloads([fields[CUSTOM_STATUS_MEMO]]) or None
