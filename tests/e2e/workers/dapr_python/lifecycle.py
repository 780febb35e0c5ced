"""Cases on suspending, terminating and purging, and on what a client sees of an instance."""

from __future__ import annotations

from datetime import timedelta

from dapr.ext.workflow import DaprWorkflowContext

from tests.e2e.workers.dapr_python.children import parent, parent_of_waiting
from tests.e2e.workers.dapr_python.events import waits_for_go
from tests.e2e.workers.dapr_python.generations import hold
from tests.e2e.workers.dapr_python.sdk import App, Steps, case, gates, workflow
from tests.e2e.workers.dapr_python.tasks import failing, greet, hello
from tests.e2e.workers.kit import expect, refused, until


@case
def a_suspended_workflow_takes_its_events_when_resumed(app: App) -> None:
    instance_id = app.begin(waits_for_go)
    app.await_custom_status(instance_id, "waiting")
    app.client.pause_workflow(instance_id)
    expect(app.status(instance_id), "SUSPENDED")
    app.client.raise_workflow_event(instance_id, "Go", data="kept")
    expect(app.status(instance_id), "SUSPENDED")
    app.client.resume_workflow(instance_id)
    expect(app.output(instance_id), "kept")


@workflow
def holds_then_greets(ctx: DaprWorkflowContext, gate: str) -> Steps:
    held = yield ctx.call_activity(hold, input=gate)
    return (yield ctx.call_activity(greet, input=held))


@case
def a_suspended_workflow_takes_its_results_when_resumed(app: App) -> None:
    instance_id = app.begin(holds_then_greets, "suspended at this gate")
    gates.await_visitor("suspended at this gate")
    app.client.pause_workflow(instance_id)
    gates.open("suspended at this gate")
    expect(app.status(instance_id), "SUSPENDED")
    app.client.resume_workflow(instance_id)
    expect(app.output(instance_id), "Hello, suspended at this gate!")


@case
def resuming_what_is_not_suspended_changes_nothing(app: App) -> None:
    instance_id = app.begin(waits_for_go)
    app.await_custom_status(instance_id, "waiting")
    app.client.resume_workflow(instance_id)
    expect(app.status(instance_id), "RUNNING")
    app.client.raise_workflow_event(instance_id, "Go", data="on")
    expect(app.output(instance_id), "on")


@case
def a_missing_workflow_cannot_be_suspended_or_terminated(app: App) -> None:
    text = "no such instance exists"
    refused(lambda: app.client.pause_workflow("nobody-at-all"), text, "UNKNOWN")
    refused(lambda: app.client.resume_workflow("nobody-at-all"), text, "UNKNOWN")
    refused(lambda: app.client.terminate_workflow("nobody-at-all"), text, "UNKNOWN")


@case
def a_terminated_workflow_has_the_output_it_was_given(app: App) -> None:
    instance_id = app.begin(waits_for_go)
    app.await_custom_status(instance_id, "waiting")
    app.client.terminate_workflow(instance_id, output={"why": "no longer wanted"})
    state = app.ended(instance_id)
    expect(state.runtime_status.name, "TERMINATED")
    expect(state.serialized_output, '{"why": "no longer wanted"}')


@case
def terminating_twice_changes_nothing(app: App) -> None:
    instance_id = app.begin(waits_for_go)
    app.client.terminate_workflow(instance_id, output="first")
    app.client.terminate_workflow(instance_id, output="second")
    expect(app.ended(instance_id).serialized_output, '"first"')


@case
def a_suspended_workflow_can_be_terminated(app: App) -> None:
    instance_id = app.begin(waits_for_go)
    app.await_custom_status(instance_id, "waiting")
    app.client.pause_workflow(instance_id)
    app.client.terminate_workflow(instance_id, output="over")
    expect(app.ended(instance_id).runtime_status.name, "TERMINATED")


@case
def terminating_a_parent_terminates_its_children(app: App) -> None:
    instance_id = app.begin(parent_of_waiting, "a-child-to-go-down")
    until(lambda: app.status("a-child-to-go-down") == "RUNNING", "the child's start")
    app.client.terminate_workflow(instance_id)
    expect(app.ended(instance_id).runtime_status.name, "TERMINATED")
    expect(app.ended("a-child-to-go-down").runtime_status.name, "TERMINATED")


@case
def terminating_a_parent_alone_spares_its_children(app: App) -> None:
    instance_id = app.begin(parent_of_waiting, "a-child-to-be-spared")
    until(lambda: app.status("a-child-to-be-spared") == "RUNNING", "the child's start")
    app.client.terminate_workflow(instance_id, recursive=False)
    expect(app.ended(instance_id).runtime_status.name, "TERMINATED")
    app.client.raise_workflow_event("a-child-to-be-spared", "Go", data="alive")
    expect(app.output("a-child-to-be-spared"), "alive")


@workflow
def holds(ctx: DaprWorkflowContext, gate: str) -> Steps:
    return (yield ctx.call_activity(hold, input=gate))


@case
def a_late_result_of_a_terminated_workflow_is_dropped(app: App) -> None:
    instance_id = app.begin(holds, "old life", instance_id="terminated-while-busy")
    gates.await_visitor("old life")
    app.client.terminate_workflow(instance_id, output="enough")
    expect(app.ended(instance_id).runtime_status.name, "TERMINATED")
    # The same id begins anew while the activity of its old life is still out.
    app.begin(holds, "new life", instance_id="terminated-while-busy")
    gates.await_visitor("new life")
    gates.open("old life")
    gates.open("new life")
    expect(app.output(instance_id), "new life")


@case
def a_finished_workflow_can_be_purged(app: App) -> None:
    instance_id = app.begin(hello, "soon forgotten")
    app.output(instance_id)
    app.client.purge_workflow(instance_id)
    expect(app.client.get_workflow_state(instance_id), None)
    refused(lambda: app.client.purge_workflow(instance_id), "no such instance exists", "UNKNOWN")


@case
def a_running_workflow_cannot_be_purged(app: App) -> None:
    instance_id = app.begin(waits_for_go)
    app.await_custom_status(instance_id, "waiting")
    refused(
        lambda: app.client.purge_workflow(instance_id),
        "orchestration has not yet completed",
        "UNKNOWN",
    )
    app.client.raise_workflow_event(instance_id, "Go", data="unharmed")
    expect(app.output(instance_id), "unharmed")


@case
def purging_a_parent_purges_its_children(app: App) -> None:
    instance_id = app.begin(parent, "purged")
    child_id = app.output(instance_id)["id"]
    app.client.purge_workflow(instance_id)
    expect(app.client.get_workflow_state(instance_id), None)
    expect(app.client.get_workflow_state(child_id), None)


@case
def purging_a_parent_alone_spares_its_children(app: App) -> None:
    instance_id = app.begin(parent, "spared")
    child_id = app.output(instance_id)["id"]
    app.client.purge_workflow(instance_id, recursive=False)
    expect(app.client.get_workflow_state(instance_id), None)
    expect(app.status(child_id), "COMPLETED")


@case
def an_active_id_cannot_be_started_again(app: App) -> None:
    instance_id = app.begin(waits_for_go, instance_id="one-at-a-time")
    app.await_custom_status(instance_id, "waiting")
    refused(
        lambda: app.begin(waits_for_go, instance_id="one-at-a-time"),
        "an active workflow with ID 'one-at-a-time' already exists",
        "ALREADY_EXISTS",
    )
    app.client.raise_workflow_event(instance_id, "Go", data="still the first")
    expect(app.output(instance_id), "still the first")


@case
def a_finished_id_can_be_started_again(app: App) -> None:
    expect(app.result(hello, "first", instance_id="one-after-another"), "Hello, first!")
    failure = app.failure(app.begin(failing, "second", instance_id="one-after-another"))
    expect(failure.message, "second")
    expect(app.result(hello, "third", instance_id="one-after-another"), "Hello, third!")
    expect(app.ended("one-after-another").failure_details, None)


@workflow
def tells_where_it_is(ctx: DaprWorkflowContext, _value: object = None) -> Steps:
    ctx.set_custom_status("at the start")
    yield ctx.wait_for_external_event("on")
    ctx.set_custom_status("in the middle")
    ctx.set_custom_status('{"step": 2, "of": 3}')
    yield ctx.wait_for_external_event("on")
    ctx.set_custom_status("at the end")


@case
def a_custom_status_is_seen_and_replaced(app: App) -> None:
    instance_id = app.begin(tells_where_it_is)
    app.await_custom_status(instance_id, "at the start")
    app.client.raise_workflow_event(instance_id, "on")
    app.await_custom_status(instance_id, '{"step": 2, "of": 3}')
    app.client.raise_workflow_event(instance_id, "on")
    app.output(instance_id)
    state = app.client.get_workflow_state(instance_id)
    expect(state.serialized_custom_status, "at the end")


@case
def a_missing_workflow_is_not_there(app: App) -> None:
    expect(app.client.get_workflow_state("never-started"), None)


@case
def a_client_can_wait_for_the_start(app: App) -> None:
    instance_id = app.begin(waits_for_go)
    state = app.client.wait_for_workflow_start(instance_id, timeout_in_seconds=20)
    expect(state.runtime_status.name, "RUNNING")
    app.client.raise_workflow_event(instance_id, "Go", data="done")
    app.output(instance_id)
    state = app.client.wait_for_workflow_start(instance_id, timeout_in_seconds=20)
    expect(state.runtime_status.name, "COMPLETED")


@case
def payloads_are_left_out_when_not_asked_for(app: App) -> None:
    instance_id = app.begin(hello, "quiet")
    app.output(instance_id)
    state = app.client.get_workflow_state(instance_id, fetch_payloads=False)
    expect(state.runtime_status.name, "COMPLETED")
    expect([state.serialized_input, state.serialized_output], [None, None])


@workflow
def patient(ctx: DaprWorkflowContext, _value: object = None) -> Steps:
    yield ctx.create_timer(timedelta(hours=1))


@case
def a_wait_for_completion_gives_up_in_time(app: App) -> None:
    instance_id = app.begin(patient)
    try:
        app.client.wait_for_workflow_completion(instance_id, timeout_in_seconds=1)
    except TimeoutError:
        app.client.terminate_workflow(instance_id)
        expect(app.ended(instance_id).runtime_status.name, "TERMINATED")
        return
    raise AssertionError("the wait did not give up")
