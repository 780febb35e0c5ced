"""Microsoft's durabletask for Python as this suite uses it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Generator
from typing import Any

from durabletask.client import TaskHubGrpcClient
from durabletask.worker import ConcurrencyOptions, TaskHubGrpcWorker

from tests.e2e.workers.kit import PATIENCE_S, Cases, Gates, Tally, expect, until

# What an orchestrator is: it yields tasks and is sent their results.
Steps = Generator[Any, Any, Any]

WORKER_THREADS = 32

case = Cases()
runs = Tally()
gates = Gates()

_orchestrators: list[Callable[..., Any]] = []
_activities: list[Callable[..., Any]] = []


def orchestrator(function: Callable[..., Any]) -> Callable[..., Any]:
    """Have the function registered as an orchestrator once the program starts."""
    _orchestrators.append(function)
    return function


def activity(function: Callable[..., Any]) -> Callable[..., Any]:
    """Have the function registered as an activity once the program starts."""
    _activities.append(function)
    return function


def address() -> str:
    return f"{os.environ['DAPR_RUNTIME_HOST']}:{os.environ['DAPR_GRPC_PORT']}"


class App:
    """A worker and a client in one process."""

    def __init__(self) -> None:
        self.worker = TaskHubGrpcWorker(
            host_address=address(),
            concurrency_options=ConcurrencyOptions(maximum_thread_pool_workers=WORKER_THREADS),
        )
        for function in _orchestrators:
            self.worker.add_orchestrator(function)
        for function in _activities:
            self.worker.add_activity(function)
        self.client = TaskHubGrpcClient(host_address=address())

    def begin(self, function: Callable[..., Any], value: object = None, **options: Any) -> str:
        return str(self.client.schedule_new_orchestration(function, input=value, **options))

    def ended(self, instance_id: str) -> Any:
        """Wait until the instance has ended, however it did, and return its state."""
        state = self.client.wait_for_orchestration_completion(instance_id, timeout=PATIENCE_S)
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

    def failure(self, instance_id: str) -> Any:
        """Wait until the instance has failed and return its failure."""
        state = self.ended(instance_id)
        expect(state.runtime_status.name, "FAILED")
        return state.failure_details

    def status(self, instance_id: str) -> str:
        state = self.client.get_orchestration_state(instance_id)
        return "" if state is None else str(state.runtime_status.name)

    def await_custom_status(self, instance_id: str, custom_status: str) -> None:
        """Wait until the orchestrator says where it is, by its custom status."""

        def told() -> bool:
            state = self.client.get_orchestration_state(instance_id)
            return state is not None and state.serialized_custom_status == json.dumps(custom_status)

        until(told, f"{instance_id} at {custom_status!r}")
