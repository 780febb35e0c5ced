"""The worker that is measured with: the released Dapr Python SDK, in an environment of its own.

It registers the workloads' workflows, says "ready" and works until its standard input closes.
"""

import sys
from collections.abc import Generator
from typing import Any

import dapr.ext.workflow as wf

# The SDK answers turns and activities from a pool of threads, each of which waits for the reply to
# its answer, and an activity's is given when it is on disk. With the default, the number of cores
# and four, they stand still for a fifth of the time in `hello`.
runtime = wf.WorkflowRuntime(maximum_thread_pool_workers=32)


@runtime.activity(name="echo")
def echo(ctx: wf.WorkflowActivityContext, value: Any) -> Any:
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
