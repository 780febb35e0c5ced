"""Cases on external events and durable timers."""

from __future__ import annotations

from datetime import timedelta

from dapr.ext.workflow import DaprWorkflowContext, when_any

from tests.e2e.workers.dapr_python.sdk import App, Steps, case, workflow
from tests.e2e.workers.kit import expect, refused

SHORT = timedelta(milliseconds=300)
LONG = timedelta(hours=1)


@workflow
def sleeper(ctx: DaprWorkflowContext, milliseconds: int) -> Steps:
    before = ctx.current_utc_datetime
    yield ctx.create_timer(timedelta(milliseconds=milliseconds))
    return (ctx.current_utc_datetime - before).total_seconds()


@case
def a_timer_fires_when_it_is_due(app: App) -> None:
    slept_s = app.result(sleeper, 400)
    expect(0.4 <= slept_s < 10, True)


@case
def a_timer_already_due_fires_at_once(app: App) -> None:
    slept_s = app.result(sleeper, 0)
    expect(0 <= slept_s < 10, True)


@workflow
def sleeper_until(ctx: DaprWorkflowContext, milliseconds: int) -> Steps:
    due = ctx.current_utc_datetime + timedelta(milliseconds=milliseconds)
    yield ctx.create_timer(due)
    return ctx.current_utc_datetime >= due


@case
def a_timer_can_be_set_to_a_time_of_day(app: App) -> None:
    expect(app.result(sleeper_until, 200), True)


@workflow
def waits_for_go(ctx: DaprWorkflowContext, _value: object = None) -> Steps:
    ctx.set_custom_status("waiting")
    return (yield ctx.wait_for_external_event("Go"))


@case
def an_event_wakes_its_waiter(app: App) -> None:
    instance_id = app.begin(waits_for_go)
    app.await_custom_status(instance_id, "waiting")
    app.client.raise_workflow_event(instance_id, "Go", data={"answer": 42, "words": ["a", "b"]})
    expect(app.output(instance_id), {"answer": 42, "words": ["a", "b"]})


@case
def the_case_of_an_event_name_does_not_matter(app: App) -> None:
    instance_id = app.begin(waits_for_go)
    app.await_custom_status(instance_id, "waiting")
    app.client.raise_workflow_event(instance_id, "gO", data="reached")
    expect(app.output(instance_id), "reached")


@case
def an_event_may_carry_no_data(app: App) -> None:
    instance_id = app.begin(waits_for_go)
    app.client.raise_workflow_event(instance_id, "Go")
    expect(app.output(instance_id), None)


@workflow
def waits_late(ctx: DaprWorkflowContext, _value: object = None) -> Steps:
    yield ctx.wait_for_external_event("now look")
    early = yield ctx.wait_for_external_event("early")
    return early


@case
def an_event_before_its_wait_is_kept(app: App) -> None:
    instance_id = app.begin(waits_late)
    app.client.raise_workflow_event(instance_id, "early", data="the early bird")
    app.client.raise_workflow_event(instance_id, "now look")
    expect(app.output(instance_id), "the early bird")


@workflow
def collects(ctx: DaprWorkflowContext, count: int) -> Steps:
    found = []
    for _ in range(count):
        found.append((yield ctx.wait_for_external_event("item")))
    return found


@case
def events_of_one_name_arrive_in_order(app: App) -> None:
    instance_id = app.begin(collects, 12)
    for number in range(1, 13):
        app.client.raise_workflow_event(instance_id, "item", data=number)
    expect(app.output(instance_id), list(range(1, 13)))


@workflow
def races(ctx: DaprWorkflowContext, milliseconds: int) -> Steps:
    ctx.set_custom_status("racing")
    event = ctx.wait_for_external_event("Finish")
    timer = ctx.create_timer(timedelta(milliseconds=milliseconds))
    first = yield when_any([event, timer])
    return "timer" if first is timer else event.get_result()


@case
def an_event_can_win_against_a_timer(app: App) -> None:
    instance_id = app.begin(races, 3_600_000)
    app.await_custom_status(instance_id, "racing")
    app.client.raise_workflow_event(instance_id, "Finish", data="event")
    expect(app.output(instance_id), "event")


@case
def a_timer_can_win_against_an_event(app: App) -> None:
    expect(app.result(races, 200), "timer")


@workflow
def waits_in_vain(ctx: DaprWorkflowContext, _value: object = None) -> Steps:
    try:
        yield ctx.wait_for_external_event("never", timeout=SHORT)
    except TimeoutError:
        return "gave up"
    return "it came"


@case
def a_wait_with_a_timeout_gives_up(app: App) -> None:
    expect(app.result(waits_in_vain), "gave up")


@workflow
def waits_long_enough(ctx: DaprWorkflowContext, _value: object = None) -> Steps:
    return (yield ctx.wait_for_external_event("soon", timeout=LONG))


@case
def a_wait_with_a_timeout_takes_an_event_in_time(app: App) -> None:
    instance_id = app.begin(waits_long_enough)
    app.client.raise_workflow_event(instance_id, "soon", data="in time")
    expect(app.output(instance_id), "in time")


@workflow
def gives_up_then_waits(ctx: DaprWorkflowContext, _value: object = None) -> Steps:
    try:
        yield ctx.wait_for_external_event("slow", timeout=SHORT)
    except TimeoutError:
        ctx.set_custom_status("gave up")
        return (yield ctx.wait_for_external_event("slow"))
    return "too early"


@case
def an_event_after_a_timeout_is_for_the_next_wait(app: App) -> None:
    instance_id = app.begin(gives_up_then_waits)
    app.await_custom_status(instance_id, "gave up")
    app.client.raise_workflow_event(instance_id, "slow", data="at last")
    expect(app.output(instance_id), "at last")


@case
def an_event_to_a_finished_workflow_is_dropped(app: App) -> None:
    instance_id = app.begin(waits_for_go)
    app.client.raise_workflow_event(instance_id, "Go", data="first")
    expect(app.output(instance_id), "first")
    app.client.raise_workflow_event(instance_id, "Go", data="second")
    expect(app.output(instance_id), "first")


@case
def an_event_to_nobody_is_refused(app: App) -> None:
    refused(
        lambda: app.client.raise_workflow_event("nobody-here", "Go", data=1),
        "no such instance exists",
        "UNKNOWN",
    )
