"""A worker whose Dapr sidecar wants a token, dies, and comes back."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import venvs
from tests.e2e.conftest import module_of
from tests.e2e.daprd.sidecar import Sidecar
from tests.e2e.polling import POLL_S, until
from tests.e2e.programs import Program
from tests.e2e.venvs import REPOSITORY, Environment

pytestmark = pytest.mark.timeout(200)

PASSED = ["first", "held", "went", "child", "last"]
DEADLINE_S = 90.0
EACH = pytest.mark.parametrize(
    "sdk", [pytest.param(sdk, id=sdk.name) for sdk in (venvs.DAPR_1_18, venvs.PERDURE)]
)


@pytest.fixture
def sidecar(tmp_path: Path) -> Iterator[Sidecar]:
    sidecar = Sidecar(tmp_path, token="let-me-in").start()
    yield sidecar
    sidecar.close()


@EACH
def test_a_workflow_goes_on_when_its_sidecar_comes_back(
    sdk: Environment, sidecar: Sidecar, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    worker = Program(
        [str(venvs.ensure(sdk)), "-m", f"{module_of(sdk)}.roles", "steady"],
        log=tmp_path / "worker.log",
        folder=REPOSITORY,
        environment=sidecar.worker_environment,
    )
    try:
        worker.wait_for(ready="steady")
        path = "/v1.0/workflows/dapr/journey/start?instanceID=journey"
        assert sidecar.request("POST", path, json.dumps(str(gate))).status == 202
        worker.wait_for(step="hold", instance="journey")
        sidecar.kill()
        gate.touch()
        sidecar.start_again()
        assert _output(sidecar, "journey") == PASSED
    finally:
        worker.kill()


def _output(sidecar: Sidecar, instance_id: str) -> object:
    """Raise the event that it waits for until it has taken one, and return what it returned."""
    path = f"/v1.0/workflows/dapr/{instance_id}"

    def look() -> dict[str, Any]:
        sidecar.request("POST", f"{path}/raiseEvent/go", '"went"', timeout_s=DEADLINE_S)
        state: dict[str, Any] = sidecar.request("GET", path, timeout_s=DEADLINE_S).json()
        return state

    state = until(
        look,
        lambda state: state.get("runtimeStatus") == "COMPLETED",
        deadline_s=DEADLINE_S,
        what=f"{instance_id} has completed",
        poll_s=10 * POLL_S,
    )
    return json.loads(state["properties"]["dapr.workflow.output"])
