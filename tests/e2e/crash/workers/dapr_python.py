"""The worker of the crash test: workflows of every kind, and a diary of what it was given and did.

Run as `python -m tests.e2e.crash.workers.dapr_python NAME DIARY` with the released SDK. The diary
is a file that is only appended to, one JSON object a line, each written with one call, so that no
kill can lose or tear what had happened before it. It says:

- `received`: an activity has come over a stream of work items,
- `run`: the activity's code has begun,
- `answered`: the server has said OK to the result.

The SDK's own interceptors see the first and the last; the SDK itself is as its users have it.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import grpc
from dapr.ext.workflow import (
    DaprWorkflowContext,
    WorkflowActivityContext,
    WorkflowRuntime,
    when_all,
)

from tests.e2e.workers.dapr_python.sdk import Steps, TaskFailedError
from tests.e2e.workers.kit import say

THREADS = 16
EVENTS_PER_ROUND = 4


class Diary:
    """What this process has seen and done."""

    def __init__(self, worker: str, path: str) -> None:
        self._worker = worker
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._count = 0
        self._lock = threading.Lock()

    def write(self, what: str, **fields: object) -> None:
        line = {"what": what, "at": time.monotonic(), "worker": self._worker, **fields}
        os.write(self._descriptor, (json.dumps(line) + "\n").encode())

    def fresh_run(self) -> str:
        with self._lock:
            self._count += 1
            return f"{self._worker}-{os.getpid()}-{self._count}"


diary = Diary(*sys.argv[1:])


# --- what the SDK lets its users see of its calls


class Received:
    """A stream of work items that notes the activities among them; else it is the stream itself."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        item = next(self._stream)
        if item.HasField("activityRequest"):
            request = item.activityRequest
            diary.write(
                "received",
                instance=request.workflowInstance.instanceId,
                key=json.loads(request.input.value)["key"],
                token=item.completionToken,
            )
        return item


class Notes(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):
    """Notes what comes and what the server has said OK to."""

    def intercept_unary_stream(
        self, continuation: Callable[..., Any], details: grpc.ClientCallDetails, request: object
    ) -> Any:
        return Received(continuation(details, request))

    def intercept_unary_unary(
        self, continuation: Callable[..., Any], details: grpc.ClientCallDetails, request: Any
    ) -> Any:
        call = continuation(details, request)
        # The interceptor's call has ended: a call that failed raises here, and is not noted.
        if details.method.endswith("/CompleteActivityTask") and call.code() is grpc.StatusCode.OK:
            run = json.loads(request.result.value)["run"] if request.HasField("result") else None
            diary.write("answered", token=request.completionToken, run=run)
        return call


# --- activities


def step(context: WorkflowActivityContext, value: dict[str, Any]) -> dict[str, Any]:
    """Take as long as is asked for; the result says which run of the activity it is of."""
    run = diary.fresh_run()
    diary.write("run", instance=context.workflow_id, key=value["key"], run=run)
    threading.Event().wait(value["seconds"])
    return {"key": value["key"], "run": run}


def fail(context: WorkflowActivityContext, value: dict[str, Any]) -> None:
    diary.write("run", instance=context.workflow_id, key=value["key"], run=diary.fresh_run())
    raise ValueError(value["key"])


# --- workflows


def _step(ctx: DaprWorkflowContext, key: str, seconds: float = 0.0) -> Any:
    return ctx.call_activity(step, input={"key": key, "seconds": seconds})


def chain(ctx: DaprWorkflowContext, value: dict[str, Any]) -> Steps:
    done = []
    for number in range(value["steps"]):
        done.append((yield _step(ctx, f"chain/{number}", value["seconds"])))
    return done


def fan(ctx: DaprWorkflowContext, value: dict[str, Any]) -> Steps:
    steps = [_step(ctx, f"fan/{number}", value["seconds"]) for number in range(value["steps"])]
    return (yield when_all(steps))


def sleeper(ctx: DaprWorkflowContext, value: dict[str, Any]) -> Steps:
    yield ctx.create_timer(timedelta(seconds=value["timer"]))
    return (yield _step(ctx, "slept", value["seconds"]))


def stumbler(ctx: DaprWorkflowContext, _value: object) -> Steps:
    try:
        yield ctx.call_activity(fail, input={"key": "fails"})
    except TaskFailedError:
        return [(yield _step(ctx, "caught"))]
    return []


def looper(ctx: DaprWorkflowContext, value: dict[str, Any]) -> Steps:
    """A generation per round; every round has an activity of the same id."""
    done = value["done"]
    result = yield _step(ctx, f"round/{len(done)}", value["seconds"])
    done = [*done, result]
    if len(done) == value["rounds"]:
        return done
    ctx.continue_as_new({**value, "done": done}, save_events=True)
    return None


def collector(ctx: DaprWorkflowContext, value: dict[str, Any]) -> Steps:
    """Take events until one says that it is the last, a few in each generation."""
    taken, steps = value["taken"], value["steps"]
    for _ in range(EVENTS_PER_ROUND):
        event = yield ctx.wait_for_external_event("item")
        if event["sender"] == "last":
            return {"taken": taken, "steps": steps}
        taken = [*taken, [event["sender"], event["number"]]]
    steps = [*steps, (yield _step(ctx, f"collect/{len(steps)}", value["seconds"]))]
    ctx.continue_as_new({**value, "taken": taken, "steps": steps}, save_events=True)
    return None


def waiter(ctx: DaprWorkflowContext, value: dict[str, Any]) -> Steps:
    went = yield ctx.wait_for_external_event("go")
    return {"went": went, "step": (yield _step(ctx, "waited", value["seconds"]))}


def family(ctx: DaprWorkflowContext, value: dict[str, Any]) -> Steps:
    """Two children, one with an id of the parent's choice and one with what id it is given."""
    named = ctx.call_child_workflow(
        chain, input=value["child"], instance_id=f"{ctx.instance_id}-named"
    )
    other = ctx.call_child_workflow(chain, input=value["child"])
    return (yield when_all([named, other]))


def brood(ctx: DaprWorkflowContext, value: dict[str, Any]) -> Steps:
    """Children that wait, until somebody ends them all."""
    children = [
        ctx.call_child_workflow(waiter, input=value, instance_id=f"{ctx.instance_id}-{number}")
        for number in range(2)
    ]
    return (yield when_all(children))


WORKFLOWS = (chain, fan, sleeper, stumbler, looper, collector, waiter, family, brood)


def main(worker: str) -> None:
    runtime = WorkflowRuntime(interceptors=[Notes()], maximum_thread_pool_workers=THREADS)
    for workflow in WORKFLOWS:
        runtime.register_workflow(workflow)
    for activity in (step, fail):
        runtime.register_activity(activity)
    runtime.start()
    say(ready=worker)
    threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1])
