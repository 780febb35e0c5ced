"""A bridge of today goes on with the runs that a bridge of yesterday has begun.

If this fails, a change has put the steps of a run in another order. Let the runs that are under way
go on as before, with `temporalio.workflow.patched`; the recordings stay.
"""

from pathlib import Path

import pytest
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from perdure.bridge.lone_activity import LoneActivity
from perdure.bridge.workflow import DaprWorkflow
from tests.conformance.bridge.recording import CASES, RECORDINGS, read

FILES = sorted(RECORDINGS.glob("*.json.gz"))


def test_there_is_a_recording() -> None:
    assert FILES


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
async def test_every_history_of_a_recording_replays(file: Path) -> None:
    histories = read(file)
    assert len(histories) >= len(CASES)
    replayer = Replayer(
        workflows=[DaprWorkflow, LoneActivity], workflow_runner=UnsandboxedWorkflowRunner()
    )
    for history in histories:
        result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
        assert result.replay_failure is None, (history.workflow_id, result.replay_failure)
