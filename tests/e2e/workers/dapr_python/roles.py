"""Workers that a test starts, kills and replaces by others, each playing one role.

Run as `python -m tests.e2e.workers.dapr_python.roles ROLE`. A worker says `{"ready": ROLE}` once
its stream is open, and works until it is killed.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import grpc
from dapr.ext.workflow import (
    DaprWorkflowClient,
    DaprWorkflowContext,
    WorkflowActivityContext,
    WorkflowRuntime,
)

from tests.e2e.workers.dapr_python.sdk import Steps, TaskFailedError
from tests.e2e.workers.kit import PATIENCE_S, POLL_S, say

# --- steady: a workflow of every kind of step, whose activities tell that they run


def step(context: WorkflowActivityContext, name: str) -> str:
    say(step=name, instance=context.workflow_id, process=os.getpid())
    return name


def hold(context: WorkflowActivityContext, gate: str) -> str:
    """Tell that it has begun, and do not end before the file of that name is there."""
    say(step="hold", instance=context.workflow_id, process=os.getpid())
    _await_file(gate)
    return "held"


def _await_file(path: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not Path(path).exists():
        if time.monotonic() > end:
            raise TimeoutError(f"{path} did not open")
        time.sleep(POLL_S)


def leg(ctx: DaprWorkflowContext, name: str) -> Steps:
    return (yield ctx.call_activity(step, input=name))


def journey(ctx: DaprWorkflowContext, gate: str) -> Steps:
    passed = [(yield ctx.call_activity(step, input="first"))]
    passed.append((yield ctx.call_activity(hold, input=gate)))
    yield ctx.create_timer(timedelta(milliseconds=300))
    ctx.set_custom_status("waiting")
    passed.append((yield ctx.wait_for_external_event("go")))
    passed.append((yield ctx.call_child_workflow(leg, input="child")))
    passed.append((yield ctx.call_activity(step, input="last")))
    return passed


def steady(runtime: WorkflowRuntime) -> None:
    for workflow in (leg, journey):
        runtime.register_workflow(workflow)
    for activity in (step, hold):
        runtime.register_activity(activity)


# --- patched and unpatched: the code of one workflow before and after a change


def with_patch(ctx: DaprWorkflowContext, _value: object = None) -> Steps:
    word = "patched" if ctx.is_patched("better words") else "as before"
    ctx.set_custom_status(word)
    yield ctx.wait_for_external_event("go")
    return word


def without_patch(ctx: DaprWorkflowContext, _value: object = None) -> Steps:
    ctx.set_custom_status("as before")
    yield ctx.wait_for_external_event("go")
    return "as before"


def patched(runtime: WorkflowRuntime) -> None:
    runtime.register_workflow(with_patch, name="changing")


def unpatched(runtime: WorkflowRuntime) -> None:
    runtime.register_workflow(without_patch, name="changing")


# --- version_1 and version_2: a worker with the first version, and one with both


def first_version(ctx: DaprWorkflowContext, _value: object = None) -> Steps:
    ctx.set_custom_status("one")
    yield ctx.wait_for_external_event("go")
    return "one"


def second_version(ctx: DaprWorkflowContext, _value: object = None) -> Steps:
    ctx.set_custom_status("two")
    yield ctx.wait_for_external_event("go")
    return "two"


def version_1(runtime: WorkflowRuntime) -> None:
    runtime.register_versioned_workflow(
        first_version, name="versioned", version_name="v1", is_latest=True
    )


def version_2(runtime: WorkflowRuntime) -> None:
    runtime.register_versioned_workflow(
        first_version, name="versioned", version_name="v1", is_latest=False
    )
    runtime.register_versioned_workflow(
        second_version, name="versioned", version_name="v2", is_latest=True
    )


# --- home and other: two apps, of which the first has work done by the second


def whoami(_context: WorkflowActivityContext, app: str) -> str:
    return f"{app} asked {sys.argv[1]}"


def abroad(ctx: DaprWorkflowContext, app: str) -> Steps:
    return (yield ctx.call_activity(whoami, input=app))


def traveller(ctx: DaprWorkflowContext, app: str) -> Steps:
    here = yield ctx.call_activity(whoami, input=app)
    there = yield ctx.call_activity("whoami", input=app, app_id="other")
    child = yield ctx.call_child_workflow("abroad", input=app, app_id="other")
    return [here, there, child]


def home(runtime: WorkflowRuntime) -> None:
    runtime.register_workflow(traveller)
    runtime.register_activity(whoami)


def other(runtime: WorkflowRuntime) -> None:
    runtime.register_workflow(abroad)
    runtime.register_activity(whoami)


# --- pondering: workflow code that has its worker killed in the middle of a turn


def ponders(ctx: DaprWorkflowContext, gate: str) -> str:
    """Tell that the turn has begun, and do not decide before the file of that name is there."""
    say(pondering=ctx.instance_id, process=os.getpid())
    _await_file(gate)
    return "decided"


def pondering(runtime: WorkflowRuntime) -> None:
    runtime.register_workflow(ponders)


# --- tireless: a workflow of many turns, one whose activity returns too much, and a parent


def number(_context: WorkflowActivityContext, value: int) -> int:
    return value


def counts(ctx: DaprWorkflowContext, count: int) -> Steps:
    found = []
    for value in range(count):
        found.append((yield ctx.call_activity(number, input=value)))
    found.append((yield ctx.wait_for_external_event("read last")))
    return found


def returns_too_much(_context: WorkflowActivityContext, _value: object = None) -> str:
    return "x" * 2_000_000


def grows(ctx: DaprWorkflowContext, _value: object = None) -> Steps:
    try:
        yield ctx.call_activity(returns_too_much)
    except TaskFailedError as error:
        return error.details.error_type
    return "it was taken"


def minds(ctx: DaprWorkflowContext, child_id: str) -> Steps:
    try:
        yield ctx.call_child_workflow(waits, instance_id=child_id)
    except TaskFailedError as error:
        return error.details.error_type
    return "it went well"


def waits(ctx: DaprWorkflowContext, _value: object = None) -> Steps:
    return (yield ctx.wait_for_external_event("end"))


def minds_and_counts(ctx: DaprWorkflowContext, count: int) -> Steps:
    child = ctx.call_child_workflow(waits, instance_id=f"{ctx.instance_id}-child")
    doomed = ctx.call_child_workflow(waits, instance_id=f"{ctx.instance_id}-doomed")
    for value in range(count):
        yield ctx.call_activity(number, input=value)
    ctx.set_custom_status("has counted")
    found = [(yield child)]
    try:
        yield doomed
    except TaskFailedError as error:
        found.append(error.details.error_type)
    return found


def tireless(runtime: WorkflowRuntime) -> None:
    for workflow in (counts, grows, minds, minds_and_counts, waits):
        runtime.register_workflow(workflow)
    for activity in (number, returns_too_much):
        runtime.register_activity(activity)


# --- knocking: a worker and client that is not let in, and keeps trying


def knocking(runtime: WorkflowRuntime) -> None:
    steady(runtime)
    client = DaprWorkflowClient()
    # Said here, since the start of such a worker never returns.
    say(ready="knocking")
    try:
        client.get_workflow_state("guarded")
    except grpc.RpcError as error:
        say(refused=error.code().name)


class AppId(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):
    """Say with each call which app this worker belongs to, as a sidecar of its own would."""

    def __init__(self, app_id: str) -> None:
        self._metadata = ("dapr-app-id", app_id)

    def _with_app_id(self, details: grpc.ClientCallDetails) -> grpc.ClientCallDetails:
        metadata = [*(details.metadata or ()), self._metadata]
        return details._replace(metadata=metadata)

    def intercept_unary_unary(
        self, continuation: Callable[..., object], details: grpc.ClientCallDetails, request: object
    ) -> object:
        return continuation(self._with_app_id(details), request)

    def intercept_unary_stream(
        self, continuation: Callable[..., object], details: grpc.ClientCallDetails, request: object
    ) -> object:
        return continuation(self._with_app_id(details), request)


ROLES: dict[str, Callable[[WorkflowRuntime], None]] = {
    role.__name__: role
    for role in (
        steady,
        patched,
        unpatched,
        version_1,
        version_2,
        home,
        other,
        pondering,
        tireless,
        knocking,
    )
}


def main(role: str) -> None:
    interceptors = [AppId("other")] if role == "other" else []
    runtime = WorkflowRuntime(interceptors=interceptors)
    ROLES[role](runtime)
    runtime.start()
    say(ready=role)
    threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1])
