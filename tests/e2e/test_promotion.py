"""Workflows that run when their store is promoted go on where they were, with a real SDK."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import venvs
from tests.e2e.conftest import Hire
from tests.e2e.programs import clean_environment
from tests.e2e.serving import Server
from tests.kit.schemas import a_schema

pytestmark = pytest.mark.timeout(400)

PASSED = ["first", "held", "went", "child", "last"]
SDK = venvs.DAPR_1_18
PROMOTE_DEADLINE_S = 60


def promote(source: Path, target: str) -> str:
    """Promote a store as an operator does, and return what was told."""
    done = subprocess.run(
        [sys.executable, "-m", "perdure", "promote", str(source), target],
        capture_output=True,
        text=True,
        timeout=PROMOTE_DEADLINE_S,
        env=clean_environment({}),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(params=["file", "postgres"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where to promote to."""
    if request.param == "file":
        yield str(tmp_path / "target.db")
        return
    with a_schema() as url:
        yield url


def test_what_runs_goes_on_in_the_new_store(
    server: Server, hire: Hire, tmp_path: Path, target: str
) -> None:
    """One is in an activity, one waits for an event, one has not begun, one has ended."""
    gate = tmp_path / "gate"
    gate.touch()
    worker = hire(SDK, server, "steady")
    server.begin("journey", "ended", str(gate))
    server.raise_event("ended", "go", "went")
    assert server.output("ended") == PASSED
    server.begin("journey", "waiting", str(gate))
    worker.wait_for(step="hold", instance="waiting")
    server.await_state("waiting", lambda state: state["runtimeStatus"] == "RUNNING")
    server.begin("journey", "active", str(tmp_path / "later"))
    worker.wait_for(step="hold", instance="active")
    worker.kill()
    server.begin("journey", "fresh", str(gate))
    server.raise_event("fresh", "go", "went")
    before = server.request("GET", "/v1.0/workflows/journey/ended").json()
    assert server.stop() == 0
    source = server.store.read_bytes()
    promote(server.store, target)
    assert server.store.read_bytes() == source
    server.options = ("--store", target)  # the last one counts
    server.start()
    assert server.request("GET", "/v1.0/workflows/journey/ended").json() == before
    (tmp_path / "later").touch()
    second = hire(SDK, server, "steady")
    for instance_id in ("waiting", "active"):
        server.raise_event(instance_id, "go", "went")
    for instance_id in ("waiting", "active", "fresh"):
        assert server.output(instance_id) == PASSED
    # Only the activity that was under way runs again; what had been done is known.
    assert second.count(step="first") == 1
    assert second.count(step="hold", instance="active") == 1
