"""A program with an activity that waits for a file, and a workflow that waits for the activity.

Run as `python -m tests.e2e.workers.perdure_python.slow GATE`. It starts the workflow, unless it is
there already, and says what it has come to.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import perdure.workflow as wf
from tests.e2e.workers.kit import PATIENCE_S, POLL_S, say

runtime = wf.WorkflowRuntime()


@runtime.activity
def holds(_context: wf.WorkflowActivityContext, gate: str) -> str:
    say(step="holds")
    end = time.monotonic() + PATIENCE_S
    while not Path(gate).exists() and time.monotonic() < end:
        time.sleep(POLL_S)
    return "held"


@runtime.workflow
async def slow(ctx: wf.DaprWorkflowContext, gate: str) -> str:
    return await ctx.call_activity(holds, gate)


if __name__ == "__main__":
    runtime.start()
    client = wf.DaprWorkflowClient()
    # One that has ended could be started again.
    if client.get_workflow_state("slow-1") is None:
        client.schedule_new_workflow(slow, input=sys.argv[1], instance_id="slow-1")
    state = client.wait_for_workflow_completion("slow-1", timeout_in_seconds=int(PATIENCE_S))
    assert state is not None
    say(output=state.serialized_output)
