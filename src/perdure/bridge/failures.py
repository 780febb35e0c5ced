"""Failures of workflows and activities as Temporal's, with the wire's own bytes inside."""

from temporalio.client import WorkflowFailureError
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    ApplicationErrorCategory,
    CancelledError,
    ChildWorkflowError,
    FailureError,
    TerminatedError,
)
from temporalio.exceptions import (
    TimeoutError as TemporalTimeoutError,
)

from perdure.core.events import AnyFailure, Failure
from perdure.wire.fields import failure_bytes, parse_failure


def temporals_failure(
    failure: AnyFailure, category: ApplicationErrorCategory = ApplicationErrorCategory.UNSPECIFIED
) -> ApplicationError:
    """Return a failure as one of Temporal's that it does not try again.

    Whether it is tried again is decided by workflow code alone.
    """
    data = failure_bytes(failure) or b""
    details = parse_failure(data)
    return ApplicationError(
        details.message, data, type=details.error_type, non_retryable=True, category=category
    )


def failure_of(error: FailureError) -> AnyFailure:
    """Return what an activity or child of Temporal's failed with, as the wire has it."""
    if isinstance(error, ChildWorkflowError):
        return _failure_of(error.cause, f"child workflow '{error.workflow_id}'")
    return _failure_of(error.cause if isinstance(error, ActivityError) else error, "it")


def failure_of_run(error: WorkflowFailureError, instance_id: str) -> AnyFailure:
    """Return what a run failed with that was asked for its result."""
    return _failure_of(error.cause, f"child workflow '{instance_id}'")


def _failure_of(cause: BaseException | None, who: str) -> AnyFailure:
    match cause:
        case ApplicationError(details=(bytes() as data, *_)):
            return data
        case ApplicationError():
            return Failure(cause.type or "ApplicationError", cause.message)
        case TerminatedError():
            return Failure("WorkflowTerminated", f"{who} ended TERMINATED")
        case CancelledError():
            return Failure("WorkflowCanceled", f"{who} ended CANCELED")
        case TemporalTimeoutError():
            return Failure("Timeout", str(cause))
        case _:
            return Failure(type(cause).__name__, str(cause))
