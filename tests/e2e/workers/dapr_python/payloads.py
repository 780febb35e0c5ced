"""Cases on what is passed around: large, strange and missing values, and many at once."""

from __future__ import annotations

import json

from dapr.ext.workflow import DaprWorkflowContext, WorkflowActivityContext

from tests.e2e.workers.dapr_python.events import waits_for_go
from tests.e2e.workers.dapr_python.sdk import App, Steps, activity, case, workflow
from tests.e2e.workers.dapr_python.tasks import hello
from tests.e2e.workers.kit import expect

MEBIBYTE = 1 << 20
STRANGE = 'Příliš žluťoučký 🐎 "quoted" \\ back \n new \t tab \x00 nul \u2028 line'


@activity
def echo(_context: WorkflowActivityContext, value: object = None) -> object:
    return value


@workflow
def passes_on(ctx: DaprWorkflowContext, value: object = None) -> Steps:
    return (yield ctx.call_activity(echo, input=value))


@case
def a_mebibyte_goes_through(app: App) -> None:
    text = "0123456789abcdef" * (MEBIBYTE // 16)
    expect(app.result(passes_on, text) == text, True)


@case
def a_large_event_goes_through(app: App) -> None:
    text = "x" * MEBIBYTE
    instance_id = app.begin(waits_for_go)
    app.client.raise_workflow_event(instance_id, "Go", data=text)
    expect(app.output(instance_id) == text, True)


@case
def every_character_goes_through(app: App) -> None:
    expect(app.result(passes_on, STRANGE), STRANGE)
    instance_id = app.begin(waits_for_go)
    app.client.raise_workflow_event(instance_id, "Go", data=STRANGE)
    expect(app.output(instance_id), STRANGE)


@workflow
def waits_for_strange_name(ctx: DaprWorkflowContext, _value: object = None) -> Steps:
    return (yield ctx.wait_for_external_event("Žluť 🐎 / název"))


@case
def names_and_ids_may_be_in_any_script(app: App) -> None:
    instance_id = app.begin(waits_for_strange_name, instance_id="běh||číslo:1@日本")
    app.client.raise_workflow_event(instance_id, "žLUŤ 🐎 / NÁZEV", data="reached")
    expect(app.output(instance_id), "reached")


@case
def every_kind_of_value_goes_through(app: App) -> None:
    for value in ("", 0, False, [], {}, 1.5, -(2**53), [None, "", {"": []}], "null"):
        instance_id = app.begin(passes_on, value)
        expect(app.output(instance_id), value)
        state = app.client.get_workflow_state(instance_id)
        expect(json.loads(state.serialized_input), value)
        expect(json.loads(state.serialized_output), value)


@case
def no_input_is_not_an_empty_input(app: App) -> None:
    instance_id = app.begin(passes_on)
    expect(app.output(instance_id), None)
    expect(app.client.get_workflow_state(instance_id).serialized_input, None)
    instance_id = app.begin(passes_on, "")
    expect(app.output(instance_id), "")
    expect(app.client.get_workflow_state(instance_id).serialized_input, '""')


@case
def a_hundred_workflows_run_at_once(app: App) -> None:
    started = [app.begin(hello, f"number {n}") for n in range(100)]
    expect(len(set(started)), 100)
    outputs = [app.output(instance_id) for instance_id in started]
    expect(outputs, [f"Hello, number {n}!" for n in range(100)])
