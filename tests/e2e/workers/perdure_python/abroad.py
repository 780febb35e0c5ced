"""An app with a workflow that calls an activity and a child of another app, and with both of them.

Run as `python -m tests.e2e.workers.perdure_python.abroad NAME`, once for each app.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Generator
from typing import Any

import perdure.workflow as wf
from tests.e2e.workers.kit import say

NAME = sys.argv[1]
OTHER = "other"

runtime = wf.WorkflowRuntime()


@runtime.activity
def greet(_context: Any, whom: str) -> str:
    return f"{whom} greeted by {NAME}"


@runtime.workflow
def visit(ctx: Any, whom: str) -> Generator[Any, Any, str]:
    greeting = yield ctx.call_activity(greet, input=whom)
    return f"visit: {greeting}"


@runtime.workflow
def journey(ctx: Any, whom: str) -> Generator[Any, Any, list[str]]:
    greeting = yield ctx.call_activity("greet", input=whom, app_id=OTHER)
    visited = yield ctx.call_child_workflow("visit", input=whom, app_id=OTHER)
    return [greeting, visited]


if __name__ == "__main__":
    runtime.start()
    say(ready=NAME)
    threading.Event().wait()
