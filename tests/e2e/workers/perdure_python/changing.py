"""A worker with the code of a workflow before or after a change that its history does not fit.

Run as `python -m tests.e2e.workers.perdure_python.changing before|after`.
"""

from __future__ import annotations

import sys
import threading

import perdure.workflow as wf
from tests.e2e.workers.kit import say


def step(_context: wf.WorkflowActivityContext, name: str) -> str:
    say(step=name)
    return name


async def before(ctx: wf.DaprWorkflowContext) -> list[str]:
    first = await ctx.call_activity(step, "book")
    ctx.set_custom_status("booked")
    await ctx.wait_for_external_event("go")
    return [first, await ctx.call_activity(step, "travel")]


async def after(ctx: wf.DaprWorkflowContext) -> list[str]:
    await ctx.create_timer(ctx.now())
    first = await ctx.call_activity(step, "book")
    ctx.set_custom_status("booked")
    await ctx.wait_for_external_event("go")
    return [first, await ctx.call_activity(step, "travel")]


if __name__ == "__main__":
    role = sys.argv[1]
    runtime = wf.WorkflowRuntime()
    runtime.register_workflow({"before": before, "after": after}[role], name="trip")
    runtime.register_activity(step)
    runtime.start()
    say(ready=role)
    threading.Event().wait()
