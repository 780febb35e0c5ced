"""Cases on events, on suspending, terminating, purging, and on finding instances."""

from __future__ import annotations

import json
import os
import time
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import grpc
from durabletask import client, task

from tests.e2e.workers.durabletask_python.sdk import (
    App,
    Steps,
    activity,
    case,
    gates,
    orchestrator,
)
from tests.e2e.workers.durabletask_python.work import hello, parent
from tests.e2e.workers.kit import expect, refused, until


@orchestrator
def waits_for_go(ctx: task.OrchestrationContext, _value: object) -> Steps:
    ctx.set_custom_status("waiting")
    return (yield ctx.wait_for_external_event("Go"))


@case
def the_case_of_an_event_name_does_not_matter(app: App) -> None:
    instance_id = app.begin(waits_for_go)
    app.await_custom_status(instance_id, "waiting")
    app.client.raise_orchestration_event(instance_id, "gO", data={"answer": 42})
    expect(app.output(instance_id), {"answer": 42})


@orchestrator
def collects(ctx: task.OrchestrationContext, count: int) -> Steps:
    yield ctx.wait_for_external_event("begin")
    found = []
    for _ in range(count):
        found.append((yield ctx.wait_for_external_event("item")))
    return found


@case
def events_before_their_wait_are_kept_in_order(app: App) -> None:
    instance_id = app.begin(collects, 12)
    for number in range(12):
        app.client.raise_orchestration_event(instance_id, "item", data=number)
    app.client.raise_orchestration_event(instance_id, "begin")
    expect(app.output(instance_id), list(range(12)))


@orchestrator
def races(ctx: task.OrchestrationContext, milliseconds: int) -> Steps:
    ctx.set_custom_status("racing")
    event = ctx.wait_for_external_event("Finish")
    timer = ctx.create_timer(timedelta(milliseconds=milliseconds))
    first = yield task.when_any([event, timer])
    return "timer" if first is timer else event.get_result()


@case
def an_event_can_win_against_a_timer(app: App) -> None:
    instance_id = app.begin(races, 3_600_000)
    app.await_custom_status(instance_id, "racing")
    app.client.raise_orchestration_event(instance_id, "Finish", data="event")
    expect(app.output(instance_id), "event")


@case
def a_timer_can_win_against_an_event(app: App) -> None:
    expect(app.result(races, 200), "timer")


@orchestrator
def tells_another(ctx: task.OrchestrationContext, other: str) -> Steps:
    ctx.send_event(other, "Go", data=f"from {ctx.instance_id}")
    ctx.send_event("nobody-to-tell", "Go", data="dropped")
    yield ctx.create_timer(timedelta(milliseconds=10))
    return "told"


@case
def an_instance_sends_an_event_to_another(app: App) -> None:
    other = app.begin(waits_for_go)
    instance_id = app.begin(tells_another, other)
    expect(app.output(instance_id), "told")
    expect(app.output(other), f"from {instance_id}")


@orchestrator
def one_event_a_round(ctx: task.OrchestrationContext, found: list[str]) -> Steps:
    found = [*found, (yield ctx.wait_for_external_event("item"))]
    if len(found) == 5:
        return found
    ctx.continue_as_new(found, save_events=True)


@case
def carried_events_are_read_in_later_rounds(app: App) -> None:
    instance_id = app.begin(one_event_a_round, [])
    for letter in "abcde":
        app.client.raise_orchestration_event(instance_id, "item", data=letter)
    expect(app.output(instance_id), list("abcde"))


@case
def a_suspended_workflow_takes_its_events_when_resumed(app: App) -> None:
    instance_id = app.begin(waits_for_go)
    app.await_custom_status(instance_id, "waiting")
    app.client.suspend_orchestration(instance_id, reason="a pause")
    expect(app.status(instance_id), "SUSPENDED")
    app.client.raise_orchestration_event(instance_id, "Go", data="kept")
    expect(app.status(instance_id), "SUSPENDED")
    app.client.resume_orchestration(instance_id, reason="go on")
    expect(app.output(instance_id), "kept")


@orchestrator
def parent_of_waiting(ctx: task.OrchestrationContext, child_id: str) -> Steps:
    return (yield ctx.call_sub_orchestrator(waits_for_go, instance_id=child_id))


@case
def terminating_a_parent_terminates_its_children(app: App) -> None:
    instance_id = app.begin(parent_of_waiting, "a-child-to-go-down")
    until(lambda: app.status("a-child-to-go-down") == "RUNNING", "the child's start")
    app.client.terminate_orchestration(instance_id, output="over")
    state = app.ended(instance_id)
    expect([state.runtime_status.name, state.serialized_output], ["TERMINATED", '"over"'])
    expect(app.ended("a-child-to-go-down").runtime_status.name, "TERMINATED")


@activity
def hold(_context: task.ActivityContext, gate: str) -> str:
    gates.pass_through(gate)
    return gate


@orchestrator
def holds(ctx: task.OrchestrationContext, gate: str) -> Steps:
    return (yield ctx.call_activity(hold, input=gate))


@case
def a_late_result_of_a_terminated_workflow_is_dropped(app: App) -> None:
    instance_id = app.begin(holds, "old life", instance_id="terminated-while-busy")
    gates.await_visitor("old life")
    app.client.terminate_orchestration(instance_id, output="enough")
    expect(app.ended(instance_id).runtime_status.name, "TERMINATED")
    app.begin(holds, "new life", instance_id="terminated-while-busy")
    gates.await_visitor("new life")
    gates.open("old life")
    gates.open("new life")
    expect(app.output(instance_id), "new life")


@case
def purging_a_parent_purges_its_children(app: App) -> None:
    instance_id = app.begin(parent, "purged")
    child_id = app.output(instance_id)["id"]
    expect(app.client.purge_orchestration(instance_id).deleted_instance_count, 2)
    expect(app.client.get_orchestration_state(instance_id), None)
    expect(app.client.get_orchestration_state(child_id), None)


@case
def a_running_workflow_cannot_be_purged(app: App) -> None:
    instance_id = app.begin(waits_for_go)
    app.await_custom_status(instance_id, "waiting")
    refused(
        lambda: app.client.purge_orchestration(instance_id),
        "orchestration has not yet completed",
        "UNKNOWN",
    )
    app.client.terminate_orchestration(instance_id)


@case
def an_active_id_cannot_be_started_again(app: App) -> None:
    instance_id = app.begin(waits_for_go, instance_id="one-at-a-time")
    refused(
        lambda: app.begin(waits_for_go, instance_id="one-at-a-time"),
        "already exists",
        "ALREADY_EXISTS",
    )
    app.client.terminate_orchestration(instance_id)
    expect(app.result(hello, "again", instance_id="one-at-a-time"), "Hello, again!")


@orchestrator
def tells_the_time(ctx: task.OrchestrationContext, _value: object) -> str:
    return ctx.current_utc_datetime.isoformat()


@case
def a_scheduled_workflow_begins_at_its_time(app: App) -> None:
    due = datetime.now(UTC).replace(tzinfo=None) + timedelta(seconds=1.5)
    instance_id = app.begin(tells_the_time, start_at=due)
    expect(app.status(instance_id), "PENDING")
    began = datetime.fromisoformat(app.output(instance_id)).replace(tzinfo=None)
    expect(due <= began < due + timedelta(seconds=20), True)


@case
def a_missing_workflow_is_not_there(app: App) -> None:
    expect(app.client.get_orchestration_state("never-started"), None)
    refused(
        lambda: app.client.raise_orchestration_event("never-started", "Go"),
        "no such instance exists",
        "UNKNOWN",
    )


@case
def tags_are_kept_with_the_instance(app: App) -> None:
    instance_id = app.begin(hello, "tagged", tags={"team": "blue", "ticket": "42"})
    app.output(instance_id)
    # The SDK's own state has no tags, so they are looked up where a person would look.
    port = os.environ["DAPR_HTTP_PORT"]
    url = f"http://{os.environ['DAPR_RUNTIME_HOST']}:{port}/v1.0/workflows/hello/{instance_id}"
    with urllib.request.urlopen(url, timeout=20) as answer:
        state = json.load(answer)
    expect(state["tags"], {"team": "blue", "ticket": "42"})


def _answered_or_unimplemented(call: Callable[[], object]) -> object:
    """Return the answer, or None if the server says plainly that it does not offer the call."""
    try:
        return call()
    except grpc.RpcError as error:
        expect(error.code().name, "UNIMPLEMENTED")
        expect(bool(error.details()), True)
        return None


@case
def instances_can_be_queried_or_it_is_said_that_they_cannot(app: App) -> None:
    instance_id = app.begin(hello, "queried", instance_id="query-me")
    app.output(instance_id)
    query = client.OrchestrationQuery(instance_id_prefix="query-me", fetch_inputs_and_outputs=True)

    def listed() -> list[list[object]] | None:
        states = _answered_or_unimplemented(lambda: app.client.get_all_orchestration_states(query))
        return None if states is None else [[s.instance_id, s.serialized_output] for s in states]

    # A cluster's listing may be a moment behind.
    wanted, end = [[instance_id, '"Hello, queried!"']], time.monotonic() + 20
    while (found := listed()) not in (None, wanted) and time.monotonic() < end:
        time.sleep(0.1)
    if found is not None:
        expect(found, wanted)


@case
def histories_can_be_read_or_it_is_said_that_they_cannot(app: App) -> None:
    instance_id = app.begin(hello, "read")
    app.output(instance_id)
    events = _answered_or_unimplemented(lambda: app.client.get_orchestration_history(instance_id))
    if events is not None:
        expect(len(events), 6)


@case
def what_this_server_does_not_offer_is_refused_plainly(app: App) -> None:
    instance_id = app.begin(hello, "refused")
    app.output(instance_id)
    for call in (
        lambda: app.client.rewind_orchestration(instance_id),
        lambda: app.client.restart_orchestration(instance_id),
    ):
        _answered_or_unimplemented(call)
