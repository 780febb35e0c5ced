"""Workers and servers that die in the middle of a workflow, with each SDK as the worker."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.e2e import venvs
from tests.e2e.conftest import Hire
from tests.e2e.serving import Server
from tests.e2e.venvs import Environment

pytestmark = pytest.mark.timeout(400)

EACH_SDK = pytest.mark.parametrize(
    "sdk", [pytest.param(sdk, id=sdk.name) for sdk in (*venvs.ALL.values(), venvs.PERDURE)]
)

PASSED = ["first", "held", "went", "child", "last"]


def begin_journey(server: Server, gate: Path) -> str:
    instance_id = f"journey-{uuid4().hex}"
    server.begin("journey", instance_id, str(gate))
    return instance_id


@EACH_SDK
def test_an_activity_whose_worker_was_killed_runs_on_another(
    sdk: Environment, server: Server, hire: Hire, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    first = hire(sdk, server, "steady")
    instance_id = begin_journey(server, gate)
    lost = first.wait_for(step="hold", instance=instance_id)
    first.kill()
    gate.touch()
    second = hire(sdk, server, "steady")
    again = second.wait_for(step="hold", instance=instance_id)
    assert again["process"] != lost["process"]
    server.raise_event(instance_id, "go", "went")
    assert server.output(instance_id) == PASSED
    # What had been done before is not done again: only the activity that was lost is.
    assert second.count(step="first") == 0
    assert second.count(step="hold", instance=instance_id) == 1


def custom_status(state: dict[str, Any]) -> str:
    properties: dict[str, str] = state.get("properties", {})
    return properties.get("dapr.workflow.custom_status", "")


def stop(server: Server) -> None:
    assert server.stop() == 0


def kill(server: Server) -> None:
    server.kill()


@EACH_SDK
@pytest.mark.parametrize("go_down", [stop, kill], ids=["SIGTERM", "SIGKILL"])
def test_a_workflow_goes_on_when_its_server_comes_back(
    sdk: Environment,
    go_down: Callable[[Server], None],
    server: Server,
    hire: Hire,
    tmp_path: Path,
) -> None:
    """One that is in an activity, one that waits, one that has finished, and one not yet begun."""
    gate = tmp_path / "gate"
    worker = hire(sdk, server, "steady")
    server.begin("leg", "finished", "before")
    assert server.output("finished") == "before"
    open_gate = tmp_path / "open"
    open_gate.touch()
    waiting = begin_journey(server, open_gate)
    # One SDK sends the custom status as it is, the other as JSON.
    server.await_state(waiting, lambda state: "waiting" in custom_status(state))
    busy = begin_journey(server, gate)
    worker.wait_for(step="hold", instance=busy)
    server.raise_event(busy, "go", "went")

    go_down(server)
    gate.touch()
    server.start()
    # What was acknowledged before is there, and what comes now is taken, before any worker is back.
    assert server.output("finished") == "before"
    server.raise_event(waiting, "go", "went")
    server.begin("leg", "begun-after", "after")

    assert server.output(waiting) == PASSED
    assert server.output(busy) == PASSED
    assert server.output("begun-after") == "after"
    assert worker.count(step="first", instance=waiting) == 1
