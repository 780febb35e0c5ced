"""The workloads on Temporal: `temporal_application.py worker` or `temporal_application.py load`."""

import asyncio
import os
import sys
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.client import Client as Connection
from temporalio.worker import Worker

with workflow.unsafe.imports_passed_through():
    from driving import serve

QUEUE = "bench"
PATIENCE = timedelta(minutes=1)


@activity.defn
async def echo(value: Any) -> Any:
    return value


@workflow.defn(name="hello")
class Hello:
    """One activity."""

    @workflow.run
    async def run(self, value: Any) -> Any:
        return await workflow.execute_activity(echo, value, start_to_close_timeout=PATIENCE)


@workflow.defn(name="chain")
class Chain:
    """Activities one after the other."""

    @workflow.run
    async def run(self, count: int) -> int:
        for number in range(count):
            await workflow.execute_activity(echo, number, start_to_close_timeout=PATIENCE)
        return count


@workflow.defn(name="fanout")
class Fanout:
    """Activities at once."""

    @workflow.run
    async def run(self, count: int) -> int:
        calls = [
            workflow.execute_activity(echo, number, start_to_close_timeout=PATIENCE)
            for number in range(count)
        ]
        return len(await asyncio.gather(*calls))


@workflow.defn(name="wait")
class Wait:
    """Waits for a signal."""

    def __init__(self) -> None:
        """Begin without the signal."""
        self._value: Any = None

    @workflow.signal
    def go(self, value: Any) -> None:
        self._value = value

    @workflow.run
    async def run(self, _value: Any) -> Any:
        await workflow.wait_condition(lambda: self._value is not None)
        return self._value


class Client:
    """Starts and awaits workflows."""

    def __init__(self, connection: Connection) -> None:
        """Call through this connection."""
        self._connection = connection

    async def run(self, instance_id: str, workflow: str, value: Any) -> Any:
        return await self._connection.execute_workflow(
            workflow, value, id=instance_id, task_queue=QUEUE
        )

    async def begin(self, instance_id: str) -> None:
        await self._connection.start_workflow("wait", None, id=instance_id, task_queue=QUEUE)

    async def wake(self, instance_id: str) -> Any:
        handle = self._connection.get_workflow_handle(instance_id)
        await handle.signal("go", "gone")
        return await handle.result()


async def main() -> None:
    """Work until standard input closes, or serve orders."""
    target = f"127.0.0.1:{os.environ['TEMPORAL_PORT']}"
    connection = await Connection.connect(target, lazy=sys.argv[1] == "load")
    if sys.argv[1] == "load":
        await serve(Client(connection))
        return
    workflows = [Hello, Chain, Fanout, Wait]
    async with Worker(connection, task_queue=QUEUE, workflows=workflows, activities=[echo]):
        print('{"ready": true}', flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
