"""Two apps of `perdure.workflow`, each with a Dapr sidecar of its own, that call one another."""

import json
import sys
from pathlib import Path

import pytest

from tests.e2e.daprd.sidecar import Sidecar
from tests.e2e.polling import until
from tests.e2e.programs import Program
from tests.e2e.serving import Answer
from tests.e2e.venvs import REPOSITORY

pytestmark = pytest.mark.timeout(200)

DEADLINE_S = 60.0


def test_an_activity_and_a_child_of_another_app(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    here = Sidecar(tmp_path)
    there = Sidecar(tmp_path / "other", app_id="other", beside=here)
    workers: list[Program] = []
    try:
        for sidecar in (here.start(), there.start()):
            workers.append(_worker(sidecar))
            workers[-1].wait_for(ready=sidecar.app_id)
        path = "/v1.0/workflows/dapr/journey"
        here.request("POST", f"{path}/start?instanceID=journey", '"Ada"', timeout_s=DEADLINE_S)
        state = _ended(here, path).json()
        assert state["runtimeStatus"] == "COMPLETED", state
        greeting = "Ada greeted by other"
        output = json.loads(state["properties"]["dapr.workflow.output"])
        assert output == [greeting, f"visit: {greeting}"]
    finally:
        for worker in workers:
            worker.kill()
        there.close()
        here.close()


def _worker(sidecar: Sidecar) -> Program:
    return Program(
        [sys.executable, "-m", "tests.e2e.workers.perdure_python.abroad", sidecar.app_id],
        log=sidecar.folder / "worker.log",
        folder=REPOSITORY,
        environment=sidecar.worker_environment,
    )


def _ended(sidecar: Sidecar, path: str) -> Answer:
    return until(
        lambda: sidecar.request("GET", path),
        lambda answer: answer.json().get("runtimeStatus") not in {None, "PENDING", "RUNNING"},
        deadline_s=DEADLINE_S,
        what=f"{path} has ended",
    )
