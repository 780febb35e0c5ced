"""The Dapr Python SDK as this suite uses it, and what little differs between its generations."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from importlib.metadata import version
from typing import Any

from dapr.ext.workflow import DaprWorkflowClient, WorkflowRuntime

from tests.e2e.workers.kit import PATIENCE_S, Cases, Gates, Tally, expect, until

GENERATION = tuple(int(part) for part in version("dapr").split(".")[:2])
V1_18 = (1, 18)
V1_19 = (1, 19)

if GENERATION >= V1_18:
    from dapr.ext.workflow import TaskFailedError
    from dapr.ext.workflow._durabletask.task import NonRetryableError
else:
    from durabletask.task import NonRetryableError, TaskFailedError

__all__ = ["GENERATION", "V1_18", "V1_19", "App", "NonRetryableError", "Steps", "TaskFailedError"]

# What a workflow function is: it yields tasks and is sent their results.
Steps = Generator[Any, Any, Any]

# More than one case may hold a thread at a gate at the same time.
WORKER_THREADS = 32

case = Cases()
runs = Tally()
gates = Gates()

_workflows: list[Callable[..., Any]] = []
_activities: list[Callable[..., Any]] = []


def workflow(function: Callable[..., Any]) -> Callable[..., Any]:
    """Have the function registered as a workflow once the program starts."""
    _workflows.append(function)
    return function


def activity(function: Callable[..., Any]) -> Callable[..., Any]:
    """Have the function registered as an activity once the program starts."""
    _activities.append(function)
    return function


class App:
    """A worker and a client in one process, as most applications are."""

    def __init__(self) -> None:
        self.runtime = WorkflowRuntime(maximum_thread_pool_workers=WORKER_THREADS)
        for function in _workflows:
            self.runtime.register_workflow(function)
        for function in _activities:
            self.runtime.register_activity(function)
        self.client = DaprWorkflowClient()

    def begin(self, function: Callable[..., Any], value: object = None, **options: Any) -> str:
        instance_id = self.client.schedule_new_workflow(function, input=value, **options)
        return str(instance_id)

    def ended(self, instance_id: str) -> Any:
        """Wait until the instance has ended, however it did, and return its state."""
        state = self.client.wait_for_workflow_completion(
            instance_id, timeout_in_seconds=int(PATIENCE_S)
        )
        if state is None:
            raise AssertionError(f"{instance_id} is not there")
        return state

    def output(self, instance_id: str) -> Any:
        """Wait until the instance has completed and return what it returned."""
        state = self.ended(instance_id)
        if state.runtime_status.name != "COMPLETED":
            raise AssertionError(f"did not complete: {state}")
        return None if state.serialized_output is None else json.loads(state.serialized_output)

    def result(self, function: Callable[..., Any], value: object = None, **options: Any) -> Any:
        return self.output(self.begin(function, value, **options))

    def status(self, instance_id: str) -> str:
        state = self.client.get_workflow_state(instance_id)
        return "" if state is None else str(state.runtime_status.name)

    def await_status(self, instance_id: str, status: str) -> None:
        until(lambda: self.status(instance_id) == status, f"{instance_id} {status}")

    def await_custom_status(self, instance_id: str, custom_status: str) -> None:
        """Wait until the workflow says where it is, by its custom status."""

        def told() -> bool:
            state = self.client.get_workflow_state(instance_id)
            return state is not None and state.serialized_custom_status == custom_status

        until(told, f"{instance_id} at {custom_status!r}")

    def failure(self, instance_id: str) -> Any:
        """Wait until the instance has failed and return its failure."""
        state = self.ended(instance_id)
        expect(state.runtime_status.name, "FAILED")
        return state.failure_details
