"""The worker that is measured with, on perdure's own module in place of Dapr's SDK.

It is the same application as `dapr_python.py`, at the address in DAPR_GRPC_ENDPOINT.
"""

import sys
from collections.abc import Generator
from typing import Any

import perdure.workflow as wf

runtime = wf.WorkflowRuntime()


@runtime.activity(name="echo")
async def echo(ctx: wf.WorkflowActivityContext, value: Any) -> Any:
    return value


@runtime.workflow(name="hello")
def hello(ctx: wf.DaprWorkflowContext, value: Any) -> Generator[Any, Any, Any]:
    return (yield ctx.call_activity(echo, input=value))


@runtime.workflow(name="chain")
def chain(ctx: wf.DaprWorkflowContext, count: int) -> Generator[Any, Any, Any]:
    for number in range(count):
        yield ctx.call_activity(echo, input=number)
    return count


@runtime.workflow(name="fanout")
def fanout(ctx: wf.DaprWorkflowContext, count: int) -> Generator[Any, Any, Any]:
    tasks = [ctx.call_activity(echo, input=number) for number in range(count)]
    results = yield wf.when_all(tasks)
    return len(results)


@runtime.workflow(name="wait")
def wait(ctx: wf.DaprWorkflowContext, value: Any) -> Generator[Any, Any, Any]:
    return (yield ctx.wait_for_external_event("go"))


runtime.start()
print("ready", flush=True)
sys.stdin.read()
runtime.shutdown()
