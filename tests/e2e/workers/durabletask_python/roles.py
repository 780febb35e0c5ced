"""A worker that a test starts, kills and replaces by another.

Run as `python -m tests.e2e.workers.durabletask_python.roles steady`. It says
`{"ready": "steady"}` once it is started, and works until it is killed.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

from durabletask import task
from durabletask.worker import TaskHubGrpcWorker

from tests.e2e.workers.durabletask_python.sdk import Steps, address
from tests.e2e.workers.kit import PATIENCE_S, POLL_S, say


def step(context: task.ActivityContext, name: str) -> str:
    say(step=name, instance=context.orchestration_id, process=os.getpid())
    return name


def hold(context: task.ActivityContext, gate: str) -> str:
    """Tell that it has begun, and do not end before the file of that name is there."""
    say(step="hold", instance=context.orchestration_id, process=os.getpid())
    end = time.monotonic() + PATIENCE_S
    while not Path(gate).exists():
        if time.monotonic() > end:
            raise TimeoutError(f"{gate} did not open")
        time.sleep(POLL_S)
    return "held"


def leg(ctx: task.OrchestrationContext, name: str) -> Steps:
    return (yield ctx.call_activity(step, input=name))


def journey(ctx: task.OrchestrationContext, gate: str) -> Steps:
    passed = [(yield ctx.call_activity(step, input="first"))]
    passed.append((yield ctx.call_activity(hold, input=gate)))
    yield ctx.create_timer(timedelta(milliseconds=300))
    ctx.set_custom_status("waiting")
    passed.append((yield ctx.wait_for_external_event("go")))
    passed.append((yield ctx.call_sub_orchestrator(leg, input="child")))
    passed.append((yield ctx.call_activity(step, input="last")))
    return passed


def main(role: str) -> None:
    assert role == "steady", role
    worker = TaskHubGrpcWorker(host_address=address())
    for orchestrator in (leg, journey):
        worker.add_orchestrator(orchestrator)
    for activity in (step, hold):
        worker.add_activity(activity)
    worker.start()
    say(ready=role)
    threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1])
