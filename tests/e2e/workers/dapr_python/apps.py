"""Cases on calls of a client to another app (from 1.19)."""

from __future__ import annotations

import json

from dapr.ext.workflow import DaprWorkflowContext, WorkflowRuntime

from tests.e2e.workers.dapr_python.roles import AppId
from tests.e2e.workers.dapr_python.sdk import App, Steps, case
from tests.e2e.workers.kit import expect


def only_abroad(ctx: DaprWorkflowContext, _value: object = None) -> Steps:
    ctx.set_custom_status("abroad")
    return (yield ctx.wait_for_external_event("Go"))


@case
def a_client_starts_and_tells_a_workflow_of_another_app(app: App) -> None:
    abroad = WorkflowRuntime(interceptors=[AppId("abroad")])
    abroad.register_workflow(only_abroad)
    abroad.start()
    instance_id = app.begin(only_abroad, app_id="abroad")
    app.await_custom_status(instance_id, "abroad")
    app.client.raise_workflow_event(instance_id, "Go", data="reached", app_id="abroad")
    state = app.client.wait_for_workflow_completion(
        instance_id, timeout_in_seconds=20, app_id="abroad"
    )
    expect(
        [state.runtime_status.name, json.loads(state.serialized_output)], ["COMPLETED", "reached"]
    )
