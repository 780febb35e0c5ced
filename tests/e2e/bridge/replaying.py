"""Every history on a cluster, replayed with the bridge's workflow: it has to decide the same."""

from collections.abc import AsyncIterator

from temporalio.client import Client, WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from perdure.bridge.lone_activity import LoneActivity
from perdure.bridge.workflow import DaprWorkflow


async def replay_all(hostport: str) -> tuple[int, list[str]]:
    """Return how many histories there are, and what went wrong in which."""
    client = await Client.connect(hostport)
    replayer = Replayer(
        workflows=[DaprWorkflow, LoneActivity], workflow_runner=UnsandboxedWorkflowRunner()
    )
    count, problems = 0, []
    async with replayer.workflow_replay_iterator(_histories(client)) as results:
        async for result in results:
            count += 1
            if result.replay_failure is not None:
                problems.append(f"{result.history.workflow_id}: {result.replay_failure!r}")
    return count, problems


async def _histories(client: Client) -> AsyncIterator[WorkflowHistory]:
    """Yield what can still be read: what was purged is listed for a while, and is not there."""
    async for execution in client.list_workflows():
        handle = client.get_workflow_handle(execution.id, run_id=execution.run_id)
        try:
            yield await handle.fetch_history()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
