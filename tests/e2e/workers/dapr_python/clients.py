"""Cases on the other clients of the SDK: the one for asyncio, and the older Dapr client."""

from __future__ import annotations

import asyncio
import json
import warnings

from dapr.clients import DaprClient
from dapr.ext.workflow.aio import DaprWorkflowClient as AsyncWorkflowClient

from tests.e2e.workers.dapr_python.events import waits_for_go
from tests.e2e.workers.dapr_python.sdk import App, case
from tests.e2e.workers.dapr_python.tasks import hello
from tests.e2e.workers.kit import expect, until


@case
def the_asyncio_client_works(_app: App) -> None:
    asyncio.run(_use_asyncio_client())


async def _use_asyncio_client() -> None:
    # This client cannot be closed in any of the generations; it ends with the process.
    client = AsyncWorkflowClient()
    expect(await client.get_workflow_state("not-there-either"), None)
    instance_id = await client.schedule_new_workflow(hello, input="asyncio")
    state = await client.wait_for_workflow_completion(instance_id, timeout_in_seconds=20)
    expect(json.loads(state.serialized_output), "Hello, asyncio!")
    await client.purge_workflow(instance_id)
    expect(await client.get_workflow_state(instance_id), None)

    instance_id = await client.schedule_new_workflow(waits_for_go)
    await client.wait_for_workflow_start(instance_id, timeout_in_seconds=20)
    await client.pause_workflow(instance_id)
    expect((await client.get_workflow_state(instance_id)).runtime_status.name, "SUSPENDED")
    await client.resume_workflow(instance_id)
    await client.raise_workflow_event(instance_id, "Go", data="awaited")
    state = await client.wait_for_workflow_completion(instance_id, timeout_in_seconds=20)
    expect(json.loads(state.serialized_output), "awaited")

    instance_id = await client.schedule_new_workflow(waits_for_go)
    await client.terminate_workflow(instance_id, output="stopped")
    state = await client.wait_for_workflow_completion(instance_id, timeout_in_seconds=20)
    expect([state.runtime_status.name, state.serialized_output], ["TERMINATED", '"stopped"'])


@case
def the_older_dapr_client_works(app: App) -> None:
    """The client of the building block's beta: it waits for health over HTTP, then speaks gRPC."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        with DaprClient() as client:
            _use_older_client(app, client)


def _use_older_client(app: App, client: DaprClient) -> None:
    started = client.start_workflow("dapr", "waits_for_go", input=None, instance_id="older-client")
    expect(started.instance_id, "older-client")
    until(lambda: app.status("older-client") == "RUNNING", "the start")
    client.pause_workflow("older-client", "dapr")
    state = client.get_workflow("older-client", "dapr")
    expect([state.workflow_name, state.runtime_status], ["waits_for_go", "Suspended"])
    client.resume_workflow("older-client", "dapr")
    client.raise_workflow_event("older-client", "dapr", "Go", event_data={"n": 1})
    expect(app.output("older-client"), {"n": 1})
    state = client.get_workflow("older-client", "dapr")
    expect(state.properties["dapr.workflow.output"], '{"n": 1}')
    client.purge_workflow("older-client", "dapr")
    expect(app.client.get_workflow_state("older-client"), None)
