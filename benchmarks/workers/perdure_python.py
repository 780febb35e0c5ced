"""A worker as its users write it with `perdure.workflow`, at an address: all of it is async.

It registers the workloads' workflows, says "ready" and works until its standard input closes.
"""

import sys
from typing import Any

import perdure.workflow as wf

runtime = wf.WorkflowRuntime()


@runtime.activity(name="echo")
async def echo(_: wf.WorkflowActivityContext, value: Any) -> Any:
    return value


@runtime.workflow(name="hello")
async def hello(ctx: wf.DaprWorkflowContext, value: Any) -> Any:
    return await ctx.call_activity(echo, input=value)


@runtime.workflow(name="chain")
async def chain(ctx: wf.DaprWorkflowContext, count: int) -> int:
    for number in range(count):
        await ctx.call_activity(echo, input=number)
    return count


@runtime.workflow(name="fanout")
async def fanout(ctx: wf.DaprWorkflowContext, count: int) -> int:
    results = await wf.gather(*[ctx.call_activity(echo, input=n) for n in range(count)])
    return len(results)


@runtime.workflow(name="wait")
async def wait(ctx: wf.DaprWorkflowContext, _: Any) -> Any:
    return await ctx.wait_for_external_event("go")


runtime.start()
print("ready", flush=True)
sys.stdin.read()
runtime.shutdown()
