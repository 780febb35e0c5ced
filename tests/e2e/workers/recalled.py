"""A worker of `perdure.workflow` with one long activity; it prints how that begins and ends.

The workflow has its activity done by the app that its input names.
"""

import threading
from collections.abc import Generator
from typing import Any

import perdure.workflow as wf
from tests.e2e.workers.kit import say

runtime = wf.WorkflowRuntime()


@runtime.activity
def long(ctx: wf.WorkflowActivityContext, _: object = None) -> None:
    say(began=ctx.workflow_id)
    pause = threading.Event()
    while not ctx.is_cancelled:
        pause.wait(0.02)
    say(cancelled=ctx.workflow_id)


@runtime.workflow
def calls(ctx: wf.DaprWorkflowContext, app_id: str) -> Generator[Any, Any, None]:
    yield ctx.call_activity("long", app_id=app_id)


if __name__ == "__main__":
    runtime.start()
    runtime.wait_for_worker_ready(30)
    say(ready=True)
    threading.Event().wait()
