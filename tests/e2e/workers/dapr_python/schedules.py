"""Cases on workflows that are started now, to begin later."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from dapr.ext.workflow import DaprWorkflowContext

from tests.e2e.workers.dapr_python.sdk import App, Steps, case, workflow
from tests.e2e.workers.kit import expect

SOON = timedelta(seconds=1.5)
LATER = timedelta(hours=1)


def _from_now(delay: timedelta) -> datetime:
    # The SDK takes a time without a zone for UTC, and so do all its generations.
    return datetime.now(UTC).replace(tzinfo=None) + delay


@workflow
def tells_the_time(ctx: DaprWorkflowContext, _value: object = None) -> str:
    return ctx.current_utc_datetime.isoformat()


@case
def a_scheduled_workflow_begins_at_its_time(app: App) -> None:
    due = _from_now(SOON)
    instance_id = app.begin(tells_the_time, start_at=due)
    expect(app.status(instance_id), "PENDING")
    began = datetime.fromisoformat(app.output(instance_id))
    expect(due <= began < due + timedelta(seconds=20), True)


@case
def a_start_in_the_past_begins_at_once(app: App) -> None:
    before = _from_now(timedelta(seconds=-1))
    began = datetime.fromisoformat(app.result(tells_the_time, start_at=before - LATER))
    expect(before <= began, True)


@workflow
def takes_an_early_event(ctx: DaprWorkflowContext, _value: object = None) -> Steps:
    began = ctx.current_utc_datetime.isoformat()
    return [began, (yield ctx.wait_for_external_event("early"))]


@case
def an_event_neither_hastens_a_scheduled_start_nor_is_lost(app: App) -> None:
    due = _from_now(SOON)
    instance_id = app.begin(takes_an_early_event, start_at=due)
    app.client.raise_workflow_event(instance_id, "early", data="worm")
    expect(app.status(instance_id), "PENDING")
    began, event = app.output(instance_id)
    expect(due <= datetime.fromisoformat(began), True)
    expect(event, "worm")


@case
def a_scheduled_workflow_can_be_terminated(app: App) -> None:
    instance_id = app.begin(tells_the_time, start_at=_from_now(LATER))
    app.client.terminate_workflow(instance_id, output="cancelled")
    state = app.ended(instance_id)
    expect(state.runtime_status.name, "TERMINATED")
    expect(state.serialized_output, '"cancelled"')
