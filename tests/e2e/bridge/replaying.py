"""Every history on a cluster, replayed with the bridge's workflow: it has to decide the same."""

from temporalio.client import Client
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from perdure.bridge.lone_activity import LoneActivity
from perdure.bridge.workflow import DaprWorkflow


async def replay_all(hostport: str) -> tuple[int, list[str]]:
    """Return how many histories there are, and what went wrong in which."""
    client = await Client.connect(hostport)
    replayer = Replayer(
        workflows=[DaprWorkflow, LoneActivity], workflow_runner=UnsandboxedWorkflowRunner()
    )
    histories = client.list_workflows().map_histories()
    count, problems = 0, []
    async with replayer.workflow_replay_iterator(histories) as results:
        async for result in results:
            count += 1
            if result.replay_failure is not None:
                problems.append(f"{result.history.workflow_id}: {result.replay_failure!r}")
    return count, problems
