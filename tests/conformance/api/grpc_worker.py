"""A worker that does what a test tells it, item by item, in either dialect."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import grpc

from tests.conformance.api.grpc_door import DEADLINE_S, Door, Metadata
from tests.conformance.wire import released

Streamed: TypeAlias = "grpc.aio.UnaryStreamMultiCallable[bytes, bytes]"

COMPLETED, CONTINUED, FAILED, TERMINATED = 1, 2, 3, 5


class Worker:
    """One stream of work items, and the answers."""

    def __init__(self, door: Door, opening: Any, metadata: Metadata, family: Any) -> None:
        self._door = door
        self._family = family
        data = opening if isinstance(opening, bytes) else opening.SerializeToString()
        path = "/TaskHubSidecarService/GetWorkItems"
        method: Streamed = door.channel.unary_stream(path)
        self.stream = method(data, metadata=tuple(metadata))

    async def connected(self) -> None:
        """Return when the server has opened the stream."""
        async with asyncio.timeout(DEADLINE_S):
            await self.stream.initial_metadata()

    async def item(self) -> Any:
        """The next work item."""
        async with asyncio.timeout(DEADLINE_S):
            data = await self.stream.read()
        assert isinstance(data, bytes), f"the stream has ended: {data!r}"
        return self._family.WorkItem.FromString(data)

    async def turn(self) -> Any:
        """The next work item, which is a turn."""
        item = await self.item()
        assert item.HasField("workflowRequest"), item
        return item

    async def activity(self) -> Any:
        """The next work item, which is an activity."""
        item = await self.item()
        assert item.HasField("activityRequest"), item
        return item

    async def ended(self) -> None:
        """Return when the server has ended the stream."""
        async with asyncio.timeout(DEADLINE_S):
            while isinstance(await self.stream.read(), bytes):
                continue

    async def answer(self, item: Any, *actions: Any, **fields: Any) -> None:
        """Answer a turn."""
        response = self._family.WorkflowResponse(
            instanceId=item.workflowRequest.instanceId,
            completionToken=item.completionToken,
            actions=actions,
            **fields,
        )
        await self._door.hub("CompleteOrchestratorTask", response)

    async def result(self, item: Any, text: str | None) -> None:
        """Answer an activity."""
        request = item.activityRequest
        response = self._family.ActivityResponse(
            instanceId=request.workflowInstance.instanceId,
            taskId=request.taskId,
            completionToken=item.completionToken,
        )
        if text is not None:
            response.result.value = text
        await self._door.hub("CompleteActivityTask", response)

    async def finish_next(self, result: str = '"done"', status: int = COMPLETED) -> None:
        """Complete whatever workflow has the next turn."""
        await self.answer(await self.turn(), complete(1, result, status))


@asynccontextmanager
async def worker(
    door: Door, opening: Any = b"", metadata: Metadata = (), family: Any = None
) -> AsyncIterator[Worker]:
    """Connect a worker, and let it go."""
    connected = Worker(door, opening, metadata, family or released.dapr())
    await connected.connected()
    try:
        yield connected
    finally:
        connected.stream.cancel()


def schedule(action_id: int, name: str, text: str | None = None) -> Any:
    """The action that runs an activity."""
    action = released.dapr().WorkflowAction(id=action_id)
    action.scheduleTask.name = name
    action.scheduleTask.taskExecutionId = f"task-{action_id}"
    if text is not None:
        action.scheduleTask.input.value = text
    return action


def child(action_id: int, name: str, instance_id: str = "") -> Any:
    """The action that starts a child."""
    action = released.dapr().WorkflowAction(id=action_id)
    action.createChildWorkflow.name = name
    action.createChildWorkflow.instanceId = instance_id
    return action


def timer(action_id: int, seconds: int) -> Any:
    """The action that sets a timer, in seconds since 1970."""
    action = released.dapr().WorkflowAction(id=action_id)
    action.createTimer.fireAt.seconds = seconds
    return action


def complete(action_id: int, result: str | None, status: int = COMPLETED) -> Any:
    """The action that ends a workflow."""
    action = released.dapr().WorkflowAction(id=action_id)
    action.completeWorkflow.workflowStatus = status
    if result is not None:
        action.completeWorkflow.result.value = result
    return action
