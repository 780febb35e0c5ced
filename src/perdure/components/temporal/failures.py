"""Failures of Temporal as people read ours."""

from typing import Final

from temporalio.api.failure.v1 import Failure

from perdure.base.limits import FAILURE_DEPTH_MAX
from perdure.components.port import FailureView
from perdure.wire.generated import history_pb2 as pb

# What a failure is called that no application named.
_TYPES: Final = {
    "timeout_failure_info": "TimeoutError",
    "canceled_failure_info": "CanceledError",
    "terminated_failure_info": "TerminatedError",
    "server_failure_info": "ServerError",
    "reset_workflow_failure_info": "ResetError",
    "activity_failure_info": "ActivityError",
    "child_workflow_execution_failure_info": "ChildWorkflowError",
    "nexus_operation_execution_failure_info": "NexusOperationError",
    "nexus_handler_failure_info": "NexusError",
}


def view_of_failure(failure: Failure, depth: int = 1) -> FailureView:
    """Return a failure with those that caused it, down to a stated depth."""
    application = failure.application_failure_info
    info = failure.WhichOneof("failure_info") or ""
    deeper = failure.HasField("cause") and depth < FAILURE_DEPTH_MAX
    return FailureView(
        error_type=application.type or _TYPES.get(info, "Error"),
        message=failure.message,
        stack_trace=failure.stack_trace or None,
        inner=view_of_failure(failure.cause, depth + 1) if deeper else None,
        non_retriable=application.non_retryable,
    )


def wire_of_failure(view: FailureView) -> bytes:
    """Return a failure as a serialized TaskFailureDetails."""
    return _details(view).SerializeToString()


def _details(view: FailureView) -> pb.FailureDetails:
    details = pb.FailureDetails(
        error_type=view.error_type, message=view.message, non_retriable=view.non_retriable
    )
    if view.stack_trace is not None:
        details.stack_trace.value = view.stack_trace
    if view.inner is not None:
        details.inner.CopyFrom(_details(view.inner))
    return details
