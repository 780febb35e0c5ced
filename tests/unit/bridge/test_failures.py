"""Failures go through Temporal with the worker's own bytes, and those of Temporal get a type."""

import pytest
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
    ChildWorkflowError,
    FailureError,
    RetryState,
    TerminatedError,
)

from perdure.bridge.failures import failure_of, temporals_failure
from perdure.core.events import Failure
from perdure.wire.fields import failure_bytes


def child_that(cause: FailureError) -> ChildWorkflowError:
    error = ChildWorkflowError(
        "child",
        namespace="default",
        workflow_id="c1",
        run_id="r",
        workflow_type="t",
        initiated_event_id=1,
        started_event_id=2,
        retry_state=RetryState.NON_RETRYABLE_FAILURE,
    )
    error.__cause__ = cause
    return error


def activity_that(cause: FailureError) -> ActivityError:
    error = ActivityError(
        "activity",
        scheduled_event_id=1,
        started_event_id=2,
        identity="",
        activity_type="t",
        activity_id="1",
        retry_state=RetryState.NON_RETRYABLE_FAILURE,
    )
    error.__cause__ = cause
    return error


def test_a_workers_failure_comes_back_byte_for_byte() -> None:
    data = failure_bytes(Failure("ValueError", "nope", non_retriable=False))
    made = temporals_failure(data)
    assert (made.type, made.message, made.non_retryable) == ("ValueError", "nope", True)
    assert failure_of(activity_that(made)) == data
    assert failure_of(child_that(made)) == data


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (child_that(TerminatedError("by hand")), "child workflow 'c1' ended TERMINATED"),
        (child_that(CancelledError("by hand")), "child workflow 'c1' ended CANCELED"),
        (activity_that(ApplicationError("odd", type="Theirs")), "odd"),
    ],
)
def test_failures_of_temporals_own_are_told(error: FailureError, expected: str) -> None:
    found = failure_of(error)
    assert isinstance(found, Failure)
    assert found.message == expected
