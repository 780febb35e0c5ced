"""Cases on workflows that continue as new, and on what becomes of events between rounds."""

from __future__ import annotations

import json
from datetime import timedelta

from dapr.ext.workflow import DaprWorkflowContext, when_any

from tests.e2e.workers.dapr_python.sdk import App, Steps, activity, case, gates, workflow
from tests.e2e.workers.dapr_python.tasks import square
from tests.e2e.workers.kit import expect


@workflow
def rounds(ctx: DaprWorkflowContext, state: dict[str, int]) -> Steps:
    squared = yield ctx.call_activity(square, input=state["round"])
    total = state["total"] + squared
    if state["round"] == 5:
        return total
    ctx.continue_as_new({"round": state["round"] + 1, "total": total})


@case
def a_workflow_continues_as_new_for_five_rounds(app: App) -> None:
    instance_id = app.begin(rounds, {"round": 1, "total": 0})
    expect(app.output(instance_id), 1 + 4 + 9 + 16 + 25)
    state = app.client.get_workflow_state(instance_id)
    expect(json.loads(state.serialized_input), {"round": 5, "total": 1 + 4 + 9 + 16})


@workflow
def one_event_a_round(ctx: DaprWorkflowContext, found: list[str]) -> Steps:
    ctx.set_custom_status(f"has {len(found)}")
    found = [*found, (yield ctx.wait_for_external_event("item"))]
    if len(found) == 5:
        return found
    ctx.continue_as_new(found, save_events=True)


@case
def carried_events_are_read_in_later_rounds(app: App) -> None:
    instance_id = app.begin(one_event_a_round, [])
    for letter in "abcde":
        app.client.raise_workflow_event(instance_id, "item", data=letter)
    expect(app.output(instance_id), list("abcde"))


@case
def each_round_waits_for_its_own_event(app: App) -> None:
    instance_id = app.begin(one_event_a_round, [])
    for count, letter in enumerate("abcde"):
        app.await_custom_status(instance_id, f"has {count}")
        app.client.raise_workflow_event(instance_id, "item", data=letter)
    expect(app.output(instance_id), list("abcde"))


@workflow
def drops_its_events(ctx: DaprWorkflowContext, round_number: int) -> Steps:
    if round_number == 1:
        yield ctx.wait_for_external_event("turn the page")
        ctx.continue_as_new(2, save_events=False)
        return None
    extra = ctx.wait_for_external_event("extra")
    timer = ctx.create_timer(timedelta(milliseconds=300))
    first = yield when_any([extra, timer])
    return "dropped" if first is timer else "kept"


@case
def events_not_carried_are_dropped(app: App) -> None:
    instance_id = app.begin(drops_its_events, 1)
    app.client.raise_workflow_event(instance_id, "extra", data="unread")
    app.client.raise_workflow_event(instance_id, "turn the page")
    expect(app.output(instance_id), "dropped")


@workflow
def never_stops_counting(ctx: DaprWorkflowContext, found: list[int]) -> Steps:
    number = yield ctx.wait_for_external_event("number")
    if number == -1:
        return found
    ctx.continue_as_new([*found, number], save_events=True)


@case
def no_event_is_lost_between_rounds(app: App) -> None:
    instance_id = app.begin(never_stops_counting, [])
    for number in range(1, 41):
        app.client.raise_workflow_event(instance_id, "number", data=number)
    app.client.raise_workflow_event(instance_id, "number", data=-1)
    expect(app.output(instance_id), list(range(1, 41)))


@activity
def hold(_context: object, gate: str) -> str:
    gates.pass_through(gate)
    return gate


@workflow
def abandons_its_activity(ctx: DaprWorkflowContext, round_number: int) -> Steps:
    held = ctx.call_activity(hold, input=f"{ctx.instance_id} round {round_number}")
    if round_number == 1:
        yield ctx.wait_for_external_event("leave it")
        ctx.continue_as_new(2)
        return None
    return (yield held)


@case
def a_result_of_an_earlier_round_resolves_nothing(app: App) -> None:
    # In both rounds the activity has the same task id, so only the generation tells them apart.
    instance_id = app.begin(abandons_its_activity, 1)
    gates.await_visitor(f"{instance_id} round 1")
    app.client.raise_workflow_event(instance_id, "leave it")
    gates.await_visitor(f"{instance_id} round 2")
    gates.open(f"{instance_id} round 1")
    gates.open(f"{instance_id} round 2")
    expect(app.output(instance_id), f"{instance_id} round 2")


@workflow
def child_in_rounds(ctx: DaprWorkflowContext, left: int) -> Steps:
    yield ctx.create_timer(timedelta(milliseconds=10))
    if left == 0:
        return "the last round"
    ctx.continue_as_new(left - 1)


@workflow
def parent_of_rounds(ctx: DaprWorkflowContext, _value: object = None) -> Steps:
    return (yield ctx.call_child_workflow(child_in_rounds, input=3))


@case
def a_parent_waits_for_the_last_round_of_its_child(app: App) -> None:
    expect(app.result(parent_of_rounds), "the last round")
