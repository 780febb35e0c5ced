"""Applications of Dapr's SDK are tested and checked as they are, in an interpreter of their own."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT

PROGRAM = """
from datetime import timedelta
from perdure.testing import VirtualEngine, stand_in_for_dapr

stand_in_for_dapr()
stand_in_for_dapr()
import dapr.ext.workflow as wf
import dapr.ext.workflow.aio
from dapr.ext.workflow.workflow_state import WorkflowStatus
import perdure.workflow
assert wf is perdure.workflow
assert WorkflowStatus is perdure.workflow.WorkflowStatus

with VirtualEngine("app:runtime") as engine:
    {steps}
"""


def run(folder: Path, steps: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM.format(steps=steps)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_an_example_of_this_repository_runs_as_it_is() -> None:
    """Its approval is waited for, its activities are its own."""
    steps = """
    deployment = {"spec": {"template": {"spec": {"containers": [{"image": "shop:1.2"}]}}}}
    instance = engine.start("deployment_created", deployment, id="shop")
    assert instance.result() == {"deployment": "shop", "images": ["shop:1.2"], "pinned": True}
    """
    done = run(ROOT / "examples" / "deployments", steps.strip())
    assert done.returncode == 0, done.stderr
    assert "[shop] shop:1.2: pinned True" in done.stdout


def test_it_is_too_late_once_the_sdk_is_there(tmp_path: Path) -> None:
    (tmp_path / "dapr" / "ext" / "workflow").mkdir(parents=True)
    (tmp_path / "dapr" / "ext" / "workflow" / "__init__.py").write_text("")
    program = (
        "import dapr.ext.workflow\n"
        "from perdure.testing import stand_in_for_dapr\n"
        "stand_in_for_dapr()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "dapr.ext.workflow has been imported already" in done.stderr


@pytest.mark.parametrize(
    "name", ["deployments", "order_processing", "phone_verification", "tweets"]
)
def test_every_example_can_be_checked(name: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "perdure", "check", str(tmp_path), "--app", "app", "--dapr"],
        cwd=ROOT / "examples" / name,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (
        0,
        "There is nothing to check: no history was found.\n",
    )
