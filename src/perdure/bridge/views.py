"""A run as readers see an instance: what Temporal knows of it, and what the run says of itself."""

from dataclasses import replace
from typing import Final

from temporalio.api.enums.v1 import WorkflowExecutionStatus
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse

from perdure.bridge import names
from perdure.bridge.memos import Origin, Progress, origin_in, progress_in
from perdure.bridge.texts import text_of
from perdure.components.port import InstanceView
from perdure.components.temporal.views import Ends, listed_view, view_of
from perdure.components.views import failure_view
from perdure.core.status import TERMINAL, Status
from perdure.core.views import Wait

Properties = tuple[tuple[str, str], ...]

_SHOWN: Final = frozenset({"taskQueue", "runID", "temporalStatus", "terminationReason"})
_RUNNING: Final = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING
_PAUSED: Final = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_PAUSED


def described_view(
    component: str, described: DescribeWorkflowExecutionResponse, ends: Ends
) -> InstanceView:
    """Return an instance as its description tells."""
    info = described.workflow_execution_info
    view = view_of(component, described, ends)
    return _amended(view, info, ends)


def view_in_list(component: str, info: WorkflowExecutionInfo, ends: Ends) -> InstanceView:
    """Return an instance as a listing tells."""
    return _amended(listed_view(component, info, ends), info, ends)


def status_of_run(info: WorkflowExecutionInfo) -> Status | None:
    """Return the status of a run that goes on, as it says itself; None if it has ended.

    One that Temporal's own tools have paused says nothing: it has no turn until they let it go on.
    """
    if is_paused(info):
        return Status.SUSPENDED
    if info.status != _RUNNING:
        return None
    progress = progress_in(info.memo.fields)
    if progress is None:
        return Status.PENDING
    if progress["stalled"] is not None:
        return Status.STALLED
    return Status.SUSPENDED if progress["suspended"] else Status[progress["phase"]]


def is_paused(info: WorkflowExecutionInfo) -> bool:
    """Tell whether Temporal's own tools have paused a run, which is none of our suspends."""
    return info.status == _PAUSED


def is_suspended(info: WorkflowExecutionInfo) -> bool:
    """Tell whether a run that goes on takes no new work, whoever asked for that."""
    progress = progress_in(info.memo.fields)
    return is_paused(info) or (progress is not None and progress["suspended"])


def _amended(view: InstanceView, info: WorkflowExecutionInfo, ends: Ends) -> InstanceView:
    memo = info.memo.fields
    origin, progress = origin_in(memo), progress_in(memo)
    view = _with_origin(replace(view, properties=_of_temporal(view.properties)), origin)
    status = status_of_run(info)
    if status is not None:
        view = replace(view, status=status, waits_for=_waits_for(view, status, progress))
    if progress is not None:
        view = _with_progress(view, progress)
    return view if ends.first is None else _with_payloads(view, info, ends)


def _of_temporal(properties: Properties) -> Properties:
    """Return what Temporal alone knows; what the bridge keeps there has a place of its own."""
    return tuple(each for each in properties if each[0] in _SHOWN)


def _with_origin(view: InstanceView, origin: Origin) -> InstanceView:
    return replace(
        view,
        app_id=origin.get("appID", ""),
        execution_id=origin.get("executionID") or view.execution_id,
        version=origin.get("version"),
        scheduled_start_us=origin.get("scheduledStartAt"),
        # To Temporal a detached workflow has a parent, too.
        parent_id=origin.get("parentInstanceID", view.parent_id),
        parent_app_id=origin.get("parentAppID"),
    )


def _with_progress(view: InstanceView, progress: Progress) -> InstanceView:
    return replace(
        view,
        version=progress["version"] or view.version,
        created_at_us=progress["createdAt"],
        updated_at_us=max(view.updated_at_us, progress["createdAt"]),
    )


def _waits_for(view: InstanceView, status: Status, progress: Progress | None) -> str:
    match status:
        case Status.STALLED:
            assert progress is not None, "it says itself that it is stalled"
            return f"a fitting worker ({progress['stalled']})"
        case Status.SUSPENDED:
            return "resume"
        case Status.PENDING:
            later = view.scheduled_start_us is not None
            return Wait.START_TIME if later else Wait.TURN
        case _:
            return view.waits_for


def _with_payloads(view: InstanceView, info: WorkflowExecutionInfo, ends: Ends) -> InstanceView:
    assert ends.first is not None, "the payloads were asked for"
    arguments = ends.first.workflow_execution_started_event_attributes.input.payloads
    started_with = text_of(arguments[0]) if arguments else None
    if names.INPUT in info.memo.fields:
        started_with = text_of(info.memo.fields[names.INPUT])
    failure = _failure_of(ends)
    return replace(
        view,
        input=started_with,
        output=_output_of(view, ends),
        failure=view.failure if failure is None else failure_view(failure),
        failure_wire=view.failure_wire if failure is None else failure,
    )


def _output_of(view: InstanceView, ends: Ends) -> str | None:
    if ends.last is None or view.status not in TERMINAL:
        return None
    match ends.last.WhichOneof("attributes"):
        case "workflow_execution_completed_event_attributes":
            done = ends.last.workflow_execution_completed_event_attributes.result.payloads
        case "workflow_execution_terminated_event_attributes":
            done = ends.last.workflow_execution_terminated_event_attributes.details.payloads
        case _:
            return None
    return text_of(done[0]) if done else None


def _failure_of(ends: Ends) -> bytes | None:
    """Return the failure that the worker sent, if it is one of a worker's."""
    if ends.last is None:
        return None
    failure = ends.last.workflow_execution_failed_event_attributes.failure
    details = failure.application_failure_info.details.payloads
    return details[0].data if details else None
