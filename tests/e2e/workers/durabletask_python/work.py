"""Cases on activities, sub-orchestrations and timers."""

from __future__ import annotations

import json
from datetime import timedelta

from durabletask import task

from tests.e2e.workers.durabletask_python.sdk import (
    App,
    Steps,
    activity,
    case,
    orchestrator,
    runs,
)
from tests.e2e.workers.kit import expect

THRICE = task.RetryPolicy(first_retry_interval=timedelta(milliseconds=50), max_number_of_attempts=3)


@activity
def greet(_context: task.ActivityContext, name: str) -> str:
    return f"Hello, {name}!"


@orchestrator
def hello(ctx: task.OrchestrationContext, name: str) -> Steps:
    return (yield ctx.call_activity(greet, input=name))


@case
def an_activity_returns_its_result(app: App) -> None:
    instance_id = app.begin(hello, "world")
    expect(app.output(instance_id), "Hello, world!")
    state = app.client.get_orchestration_state(instance_id)
    expect([state.name, json.loads(state.serialized_input)], ["hello", "world"])


@activity
def append(_context: task.ActivityContext, letters: str) -> str:
    return letters + "abc"[len(letters)]


@orchestrator
def chain(ctx: task.OrchestrationContext, letters: str) -> Steps:
    for _ in range(3):
        letters = yield ctx.call_activity(append, input=letters)
    return letters


@case
def activities_in_a_chain_run_one_after_the_other(app: App) -> None:
    expect(app.result(chain, ""), "abc")


@activity
def square(_context: task.ActivityContext, number: int) -> int:
    return number * number


@orchestrator
def fan_out(ctx: task.OrchestrationContext, count: int) -> Steps:
    return (yield task.when_all([ctx.call_activity(square, input=n) for n in range(count)]))


@case
def ten_activities_run_side_by_side(app: App) -> None:
    expect(app.result(fan_out, 10), [n * n for n in range(10)])


@activity
def fail_twice(context: task.ActivityContext, _value: object) -> int:
    attempt = runs.add(f"fail_twice {context.orchestration_id}")
    if attempt <= 2:
        raise ValueError(f"attempt {attempt} fails")
    return attempt


@orchestrator
def retried(ctx: task.OrchestrationContext, _value: object) -> Steps:
    return (yield ctx.call_activity(fail_twice, retry_policy=THRICE))


@case
def a_failing_activity_is_tried_again(app: App) -> None:
    instance_id = app.begin(retried)
    expect(app.output(instance_id), 3)
    expect(runs.of(f"fail_twice {instance_id}"), 3)


@activity
def fail_always(context: task.ActivityContext, _value: object) -> None:
    attempt = runs.add(f"fail_always {context.orchestration_id}")
    raise ValueError(f"attempt {attempt} fails")


@orchestrator
def exhausted(ctx: task.OrchestrationContext, _value: object) -> Steps:
    try:
        yield ctx.call_activity(fail_always, retry_policy=THRICE)
    except task.TaskFailedError as error:
        return [error.details.is_caused_by(ValueError), error.details.message]
    return "nothing failed"


@case
def retries_end_with_the_last_failure(app: App) -> None:
    instance_id = app.begin(exhausted)
    expect(app.output(instance_id), [True, "attempt 3 fails"])
    expect(runs.of(f"fail_always {instance_id}"), 3)


@orchestrator
def failing(_ctx: task.OrchestrationContext, words: str) -> Steps:
    raise LookupError(words)
    yield


@case
def a_workflow_that_raises_has_failed(app: App) -> None:
    failure = app.failure(app.begin(failing, "nowhere to be found"))
    expect(failure.is_caused_by(LookupError), True)
    expect(failure.message, "nowhere to be found")
    expect("failing" in failure.stack_trace, True)


@case
def an_unknown_workflow_fails(app: App) -> None:
    instance_id = str(app.client.schedule_new_orchestration("nobody_registered_me"))
    failure = app.failure(instance_id)
    expect("OrchestratorNotRegisteredError" in failure.error_type, True)


@orchestrator
def calls_nobody(ctx: task.OrchestrationContext, _value: object) -> Steps:
    try:
        yield ctx.call_activity("nobody_registered_me_either")
    except task.TaskFailedError as error:
        return "ActivityNotRegisteredError" in error.details.error_type
    return "nothing failed"


@case
def an_unknown_activity_fails_its_call(app: App) -> None:
    expect(app.result(calls_nobody), True)


@orchestrator
def child(ctx: task.OrchestrationContext, name: str) -> Steps:
    greeting = yield ctx.call_activity(greet, input=name)
    return {"id": ctx.instance_id, "parent": ctx.parent_instance_id, "greeting": greeting}


@orchestrator
def parent(ctx: task.OrchestrationContext, name: str) -> Steps:
    return (yield ctx.call_sub_orchestrator(child, input=name))


@case
def a_child_returns_its_result(app: App) -> None:
    instance_id = app.begin(parent, "child")
    found = app.output(instance_id)
    expect([found["greeting"], found["parent"]], ["Hello, child!", instance_id])
    expect(app.status(found["id"]), "COMPLETED")


@orchestrator
def parent_of_failing(ctx: task.OrchestrationContext, words: str) -> Steps:
    try:
        yield ctx.call_sub_orchestrator(failing, input=words)
    except task.TaskFailedError as error:
        return [error.details.is_caused_by(LookupError), error.details.message]
    return "nothing failed"


@case
def a_parent_sees_the_failure_of_its_child(app: App) -> None:
    expect(app.result(parent_of_failing, "lost"), [True, "lost"])


@orchestrator
def child_that_fails_twice(_ctx: task.OrchestrationContext, key: str) -> Steps:
    # Counting from orchestrator code is right here only because the code has a single turn.
    attempt = runs.add(key)
    if attempt <= 2:
        raise ValueError(f"attempt {attempt} fails")
    return attempt
    yield


@orchestrator
def parent_with_retries(ctx: task.OrchestrationContext, key: str) -> Steps:
    return (yield ctx.call_sub_orchestrator(child_that_fails_twice, input=key, retry_policy=THRICE))


@case
def a_failing_child_is_tried_again(app: App) -> None:
    expect(app.result(parent_with_retries, "child retry"), 3)


@orchestrator
def sleeper(ctx: task.OrchestrationContext, milliseconds: int) -> Steps:
    before = ctx.current_utc_datetime
    yield ctx.create_timer(timedelta(milliseconds=milliseconds))
    return (ctx.current_utc_datetime - before).total_seconds()


@case
def a_timer_fires_when_it_is_due(app: App) -> None:
    slept_s = app.result(sleeper, 400)
    expect(0.4 <= slept_s < 10, True)


@orchestrator
def deterministic(ctx: task.OrchestrationContext, _value: object) -> Steps:
    first = ctx.new_uuid()
    yield ctx.call_activity(greet, input="x")
    second = ctx.new_uuid()
    yield ctx.call_activity(greet, input="y")
    return [first, second]


@case
def ids_drawn_in_a_replay_are_the_same(app: App) -> None:
    # A different id in a replay would be another action, and the worker would fail the instance.
    first, second = app.result(deterministic)
    expect(first == second, False)


@case
def a_hundred_workflows_run_at_once(app: App) -> None:
    started = [app.begin(hello, f"number {n}") for n in range(100)]
    expect([app.output(one) for one in started], [f"Hello, number {n}!" for n in range(100)])


@activity
def echo(_context: task.ActivityContext, value: object) -> object:
    return value


@orchestrator
def passes_on(ctx: task.OrchestrationContext, value: object) -> Steps:
    return (yield ctx.call_activity(echo, input=value))


@case
def every_kind_of_value_goes_through(app: App) -> None:
    for value in ("", 0, False, [], {}, 1.5, [None, "", {"": []}], "Žluť 🐎 \x00 \u2028", None):
        expect(app.result(passes_on, value), value)


@case
def a_mebibyte_goes_through(app: App) -> None:
    text = "0123456789abcdef" * (1 << 16)
    expect(app.result(passes_on, text) == text, True)
