"""Cases on activities: their results, their failures, and how they are tried again."""

from __future__ import annotations

import json
from datetime import timedelta

from dapr.ext.workflow import DaprWorkflowContext, RetryPolicy, WorkflowActivityContext, when_all

from tests.e2e.workers.dapr_python.sdk import (
    App,
    NonRetryableError,
    Steps,
    TaskFailedError,
    activity,
    case,
    runs,
    workflow,
)
from tests.e2e.workers.kit import expect

QUICKLY = timedelta(milliseconds=50)
THRICE = RetryPolicy(first_retry_interval=QUICKLY, max_number_of_attempts=3)


@activity
def greet(_context: WorkflowActivityContext, name: str) -> str:
    return f"Hello, {name}!"


@workflow
def hello(ctx: DaprWorkflowContext, name: str) -> Steps:
    return (yield ctx.call_activity(greet, input=name))


@case
def an_activity_returns_its_result(app: App) -> None:
    instance_id = app.begin(hello, "world")
    expect(app.output(instance_id), "Hello, world!")
    state = app.client.get_workflow_state(instance_id)
    expect(state.name, "hello")
    expect(state.instance_id, instance_id)
    expect(json.loads(state.serialized_input), "world")
    expect(state.failure_details, None)
    expect(state.created_at <= state.last_updated_at, True)


@activity
def append(_context: WorkflowActivityContext, letters: str) -> str:
    return letters + "abc"[len(letters)]


@workflow
def chain(ctx: DaprWorkflowContext, letters: str) -> Steps:
    for _ in range(3):
        letters = yield ctx.call_activity(append, input=letters)
    return letters


@case
def activities_in_a_chain_run_one_after_the_other(app: App) -> None:
    expect(app.result(chain, ""), "abc")


@activity
def square(_context: WorkflowActivityContext, number: int) -> int:
    return number * number


@workflow
def fan_out(ctx: DaprWorkflowContext, count: int) -> Steps:
    squares = yield when_all([ctx.call_activity(square, input=n) for n in range(count)])
    return list(squares)


@case
def ten_activities_run_side_by_side(app: App) -> None:
    expect(app.result(fan_out, 10), [n * n for n in range(10)])


@activity
def fail_twice(context: WorkflowActivityContext, _value: object = None) -> int:
    attempt = runs.add(f"fail_twice {context.workflow_id}")
    if attempt <= 2:
        raise ValueError(f"attempt {attempt} fails")
    return attempt


@workflow
def retried(ctx: DaprWorkflowContext, _value: object = None) -> Steps:
    return (yield ctx.call_activity(fail_twice, retry_policy=THRICE))


@case
def a_failing_activity_is_tried_again(app: App) -> None:
    instance_id = app.begin(retried)
    expect(app.output(instance_id), 3)
    expect(runs.of(f"fail_twice {instance_id}"), 3)


@activity
def fail_always(context: WorkflowActivityContext, _value: object = None) -> None:
    attempt = runs.add(f"fail_always {context.workflow_id}")
    raise ValueError(f"attempt {attempt} fails")


@workflow
def exhausted(ctx: DaprWorkflowContext, _value: object = None) -> Steps:
    try:
        yield ctx.call_activity(fail_always, retry_policy=THRICE)
    except TaskFailedError as error:
        return [error.details.error_type, error.details.message]
    return "nothing failed"


@case
def retries_end_with_the_last_failure(app: App) -> None:
    instance_id = app.begin(exhausted)
    expect(app.output(instance_id), ["ValueError", "attempt 3 fails"])
    expect(runs.of(f"fail_always {instance_id}"), 3)


@activity
def fail_for_good(context: WorkflowActivityContext, _value: object = None) -> None:
    runs.add(f"fail_for_good {context.workflow_id}")
    raise NonRetryableError("never again")


@workflow
def not_retried(ctx: DaprWorkflowContext, _value: object = None) -> Steps:
    try:
        yield ctx.call_activity(fail_for_good, retry_policy=THRICE)
    except TaskFailedError as error:
        return [error.details.error_type, error.details.message]
    return "nothing failed"


@case
def a_failure_for_good_is_not_tried_again(app: App) -> None:
    instance_id = app.begin(not_retried)
    expect(app.output(instance_id), ["NonRetryableError", "never again"])
    expect(runs.of(f"fail_for_good {instance_id}"), 1)


@workflow
def failure_caught(ctx: DaprWorkflowContext, _value: object = None) -> Steps:
    try:
        yield ctx.call_activity(fail_always)
    except TaskFailedError as error:
        details = error.details
        return [details.error_type, details.message, "fail_always" in details.stack_trace]
    return "nothing failed"


@case
def a_workflow_sees_the_failure_of_its_activity(app: App) -> None:
    instance_id = app.begin(failure_caught)
    expect(app.output(instance_id), ["ValueError", "attempt 1 fails", True])
    expect(runs.of(f"fail_always {instance_id}"), 1)


@workflow
def failing(_ctx: DaprWorkflowContext, words: str) -> Steps:
    raise LookupError(words)
    yield


@case
def a_workflow_that_raises_has_failed(app: App) -> None:
    failure = app.failure(app.begin(failing, "nowhere to be found"))
    expect(failure.error_type, "LookupError")
    expect(failure.message, "nowhere to be found")
    expect("failing" in failure.stack_trace, True)


@workflow
def failure_not_caught(ctx: DaprWorkflowContext, _value: object = None) -> Steps:
    yield ctx.call_activity(fail_always)


@case
def a_failure_nobody_catches_fails_the_workflow(app: App) -> None:
    failure = app.failure(app.begin(failure_not_caught))
    expect(failure.error_type, "TaskFailedError")
    expect("attempt 1 fails" in failure.message, True)


def nobody_registered_me(_ctx: DaprWorkflowContext, _value: object = None) -> None:
    """A workflow that the worker does not know."""


@case
def an_unknown_workflow_fails(app: App) -> None:
    failure = app.failure(app.begin(nobody_registered_me))
    expect(failure.error_type, "OrchestratorNotRegisteredError")
    expect("nobody_registered_me" in failure.message, True)


@workflow
def calls_nobody(ctx: DaprWorkflowContext, _value: object = None) -> Steps:
    try:
        yield ctx.call_activity("nobody_registered_me_either")
    except TaskFailedError as error:
        return error.details.error_type
    return "nothing failed"


@case
def an_unknown_activity_fails_its_call(app: App) -> None:
    expect(app.result(calls_nobody), "ActivityNotRegisteredError")


@activity
async def greet_later(_context: WorkflowActivityContext, name: str) -> str:
    return f"Hello from a coroutine, {name}!"


@workflow
def hello_later(ctx: DaprWorkflowContext, name: str) -> Steps:
    return (yield ctx.call_activity(greet_later, input=name))


@case
def a_coroutine_is_an_activity(app: App) -> None:
    expect(app.result(hello_later, "world"), "Hello from a coroutine, world!")
