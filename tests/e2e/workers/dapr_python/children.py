"""Cases on child workflows."""

from __future__ import annotations

from datetime import timedelta

from dapr.ext.workflow import DaprWorkflowContext, RetryPolicy, when_all

from tests.e2e.workers.dapr_python.events import waits_for_go
from tests.e2e.workers.dapr_python.sdk import App, Steps, TaskFailedError, case, runs, workflow
from tests.e2e.workers.dapr_python.tasks import greet
from tests.e2e.workers.kit import expect, until

THRICE = RetryPolicy(first_retry_interval=timedelta(milliseconds=50), max_number_of_attempts=3)


@workflow
def child(ctx: DaprWorkflowContext, name: str) -> Steps:
    greeting = yield ctx.call_activity(greet, input=name)
    return {"id": ctx.instance_id, "greeting": greeting}


@workflow
def parent(ctx: DaprWorkflowContext, name: str) -> Steps:
    return (yield ctx.call_child_workflow(child, input=name))


@case
def a_child_returns_its_result(app: App) -> None:
    instance_id = app.begin(parent, "child")
    found = app.output(instance_id)
    expect(found["greeting"], "Hello, child!")
    # The SDK names a child after its parent; the server must take the name as it is.
    expect(found["id"], f"{instance_id}:0001")
    expect(app.status(found["id"]), "COMPLETED")


@workflow
def parent_of_named(ctx: DaprWorkflowContext, child_id: str) -> Steps:
    return (yield ctx.call_child_workflow(child, input="x", instance_id=child_id))


@case
def a_child_may_be_named(app: App) -> None:
    expect(app.result(parent_of_named, "a-named-child")["id"], "a-named-child")


@workflow
def parent_of_five(ctx: DaprWorkflowContext, _value: object = None) -> Steps:
    names = ["a", "b", "c", "d", "e"]
    found = yield when_all([ctx.call_child_workflow(child, input=name) for name in names])
    return [one["greeting"] for one in found]


@case
def children_run_side_by_side(app: App) -> None:
    expect(app.result(parent_of_five), [f"Hello, {name}!" for name in "abcde"])


@workflow
def nested(ctx: DaprWorkflowContext, depth: int) -> Steps:
    if depth == 0:
        return ["bottom"]
    below = yield ctx.call_child_workflow(nested, input=depth - 1)
    return [depth, *below]


@case
def children_have_children(app: App) -> None:
    expect(app.result(nested, 3), [3, 2, 1, "bottom"])


@workflow
def failing_child(_ctx: DaprWorkflowContext, words: str) -> Steps:
    raise LookupError(words)
    yield


@workflow
def parent_of_failing(ctx: DaprWorkflowContext, words: str) -> Steps:
    try:
        yield ctx.call_child_workflow(failing_child, input=words)
    except TaskFailedError as error:
        return [error.details.error_type, error.details.message]
    return "nothing failed"


@case
def a_parent_sees_the_failure_of_its_child(app: App) -> None:
    expect(app.result(parent_of_failing, "lost"), ["LookupError", "lost"])


@workflow
def child_that_fails_twice(_ctx: DaprWorkflowContext, key: str) -> Steps:
    # Counting from workflow code is right here only because the code has a single turn.
    attempt = runs.add(key)
    if attempt <= 2:
        raise ValueError(f"attempt {attempt} fails")
    return attempt
    yield


@workflow
def parent_with_retries(ctx: DaprWorkflowContext, key: str) -> Steps:
    return (yield ctx.call_child_workflow(child_that_fails_twice, input=key, retry_policy=THRICE))


@case
def a_failing_child_is_tried_again(app: App) -> None:
    expect(app.result(parent_with_retries, "child retry"), 3)
    expect(runs.of("child retry"), 3)


@workflow
def parent_of_taken_id(ctx: DaprWorkflowContext, child_id: str) -> Steps:
    try:
        yield ctx.call_child_workflow(child, input="x", instance_id=child_id)
    except TaskFailedError as error:
        return [error.details.error_type, error.details.message]
    return "nothing failed"


@case
def a_child_id_in_use_fails_the_call_and_not_the_parent(app: App) -> None:
    taken = app.begin(waits_for_go, instance_id="a-taken-id")
    app.await_status(taken, "RUNNING")
    expect(
        app.result(parent_of_taken_id, taken),
        [
            "WorkflowInstanceAlreadyExists",
            "an active workflow with ID 'a-taken-id' already exists",
        ],
    )
    expect(app.status(taken), "RUNNING")
    app.client.raise_workflow_event(taken, "Go", data="undisturbed")
    expect(app.output(taken), "undisturbed")


@workflow
def parent_of_waiting(ctx: DaprWorkflowContext, child_id: str) -> Steps:
    try:
        found = yield ctx.call_child_workflow(waits_for_go, instance_id=child_id)
    except TaskFailedError:
        return "the child failed"
    return found


@case
def a_terminated_child_is_a_failed_child(app: App) -> None:
    instance_id = app.begin(parent_of_waiting, "a-child-to-terminate")
    until(lambda: app.status("a-child-to-terminate") == "RUNNING", "the child's start")
    app.client.terminate_workflow("a-child-to-terminate")
    expect(app.output(instance_id), "the child failed")
    expect(app.status("a-child-to-terminate"), "TERMINATED")


@case
def an_event_reaches_a_child_by_its_id(app: App) -> None:
    instance_id = app.begin(parent_of_waiting, "a-child-to-tell")
    until(lambda: app.status("a-child-to-tell") == "RUNNING", "the child's start")
    app.client.raise_workflow_event("a-child-to-tell", "Go", data="told")
    expect(app.output(instance_id), "told")
