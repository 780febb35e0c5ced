"""The workflows of the component suite as a Temporal worker has them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

_ONCE: Final = RetryPolicy(maximum_attempts=1)
_TIMEOUT: Final = timedelta(seconds=30)


@activity.defn(name="act")
async def act(value: Any) -> Any:
    if value == "no":
        raise ApplicationError("no luck", type="ValueError")
    return value


@workflow.defn(name="echoes")
class Echoes:
    @workflow.run
    async def run(self, value: Any = None) -> Any:
        return value


@workflow.defn(name="fails")
class Fails:
    @workflow.run
    async def run(self, value: Any = None) -> None:  # noqa: ARG002 - it is given one
        raise ApplicationError("no luck", type="ValueError")


@workflow.defn(name="waits")
class Waits:
    def __init__(self) -> None:
        self._told: list[Any] = []

    @workflow.signal(name="go")
    def go(self, value: Any = None) -> None:
        self._told.append(value)

    @workflow.run
    async def run(self, value: Any = None) -> Any:  # noqa: ARG002 - it is given one
        await workflow.wait_condition(lambda: bool(self._told))
        return self._told[0]


@workflow.defn(name="works")
class Works:
    @workflow.run
    async def run(self, value: Any = None) -> Any:
        return await workflow.execute_activity(
            act, value, start_to_close_timeout=_TIMEOUT, retry_policy=_ONCE
        )


@workflow.defn(name="bears")
class Bears:
    @workflow.run
    async def run(self, value: Any = None) -> Any:  # noqa: ARG002 - it is given one
        return await workflow.execute_child_workflow(
            "waits", id=f"{workflow.info().workflow_id}-child"
        )


@workflow.defn(name="lets_go")
class LetsGo:
    @workflow.run
    async def run(self, value: Any = None) -> Any:  # noqa: ARG002 - it is given one
        return await workflow.execute_child_workflow(
            "waits",
            id=f"{workflow.info().workflow_id}-child",
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
        )


@workflow.defn(name="hangs")
class Hangs:
    @workflow.run
    async def run(self, value: Any = None) -> Any:
        return await workflow.execute_activity(
            "act", value, task_queue="nobody's", start_to_close_timeout=_TIMEOUT
        )


@workflow.defn(name="counts")
class Counts:
    @workflow.run
    async def run(self, value: int) -> int:
        if value > 0:
            workflow.continue_as_new(value - 1)
        return value


@asynccontextmanager
async def working(hostport: str, task_queue: str) -> AsyncIterator[Worker]:
    """Run a worker that has them all."""
    client = await Client.connect(hostport)
    async with Worker(
        client,
        task_queue=task_queue,
        workflows=[Echoes, Fails, Waits, Works, Bears, LetsGo, Hangs, Counts],
        activities=[act],
        workflow_runner=UnsandboxedWorkflowRunner(),
        graceful_shutdown_timeout=timedelta(seconds=1),
    ) as worker:
        yield worker
