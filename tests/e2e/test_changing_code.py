"""Workflow code that changes under running workflows: patches and versions, stalls and waking."""

from typing import Any

import pytest

from tests.e2e import catalogue, venvs
from tests.e2e.conftest import Hire
from tests.e2e.serving import Server
from tests.e2e.venvs import Environment

pytestmark = pytest.mark.timeout(400)

EACH_DAPR_SDK = pytest.mark.parametrize(
    "sdk", [pytest.param(sdk, id=sdk.name) for sdk in (*catalogue.DAPR, venvs.PERDURE)]
)


def await_custom_status(server: Server, instance_id: str, wanted: str) -> None:
    def told(state: dict[str, Any]) -> bool:
        properties: dict[str, str] = state.get("properties", {})
        return properties.get("dapr.workflow.custom_status") == wanted

    server.await_state(instance_id, told)


def await_stall(server: Server, workflow: str, instance_id: str) -> None:
    # Released Dapr has no word for a stalled workflow over HTTP; the document form has.
    server.await_status(instance_id, "UNKNOWN")
    answer = server.request("GET", f"/v1.0/workflows/{workflow}/{instance_id}")
    assert answer.json()["runtimeStatus"] == "STALLED"


@EACH_DAPR_SDK
def test_a_patch_is_kept_by_the_workflow_that_took_it(
    sdk: Environment, server: Server, hire: Hire
) -> None:
    before = hire(sdk, server, "unpatched")
    server.begin("changing", "old")
    await_custom_status(server, "old", "as before")
    before.kill()
    hire(sdk, server, "patched")
    server.begin("changing", "new")
    await_custom_status(server, "new", "patched")
    for instance_id in ("old", "new"):
        server.raise_event(instance_id, "go")
    assert server.output("old") == "as before"
    assert server.output("new") == "patched"


@EACH_DAPR_SDK
def test_a_worker_without_the_patch_stalls_the_workflow_until_one_with_it_comes(
    sdk: Environment, server: Server, hire: Hire
) -> None:
    fitting = hire(sdk, server, "patched")
    server.begin("changing", "stalled")
    await_custom_status(server, "stalled", "patched")
    fitting.kill()
    unfit = hire(sdk, server, "unpatched")
    server.raise_event("stalled", "go")
    await_stall(server, "changing", "stalled")
    unfit.kill()
    hire(sdk, server, "patched")
    assert server.output("stalled") == "patched"


@EACH_DAPR_SDK
def test_a_worker_without_the_version_stalls_the_workflow_until_one_with_it_comes(
    sdk: Environment, server: Server, hire: Hire
) -> None:
    fitting = hire(sdk, server, "version_2")
    server.begin("versioned", "stalled")
    await_custom_status(server, "stalled", "two")
    fitting.kill()
    unfit = hire(sdk, server, "version_1")
    server.begin("versioned", "old")
    await_custom_status(server, "old", "one")
    server.raise_event("stalled", "go")
    await_stall(server, "versioned", "stalled")
    unfit.kill()
    hire(sdk, server, "version_2")
    assert server.output("stalled") == "two"
    # The one that began with the first version goes on with it beside the second.
    server.raise_event("old", "go")
    assert server.output("old") == "one"


@EACH_DAPR_SDK
def test_a_stalled_workflow_refuses_events_and_can_be_terminated(
    sdk: Environment, server: Server, hire: Hire
) -> None:
    fitting = hire(sdk, server, "version_2")
    server.begin("versioned", "stalled")
    await_custom_status(server, "stalled", "two")
    fitting.kill()
    hire(sdk, server, "version_1")
    server.raise_event("stalled", "go")
    await_stall(server, "versioned", "stalled")
    refusal = server.request("POST", "/v1.0/workflows/dapr/stalled/raiseEvent/go", "1")
    assert (refusal.status, refusal.json()["errorCode"]) == (500, "ERR_RAISE_EVENT_WORKFLOW")
    assert "workflow is stalled" in refusal.json()["message"]
    assert server.request("POST", "/v1.0/workflows/dapr/stalled/terminate").status == 202
    server.await_status("stalled", "TERMINATED")
