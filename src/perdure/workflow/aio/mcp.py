"""Tools of MCP servers, for programs that run on asyncio."""

import asyncio
import time
import uuid

from perdure.workflow.aio.dapr_workflow_client import DaprWorkflowClient
from perdure.workflow.faults import WorkflowRpcError
from perdure.workflow.mcp import Catalogue, pause_after


class DaprMCPClient(Catalogue):
    """Asks MCP servers for their tools, by the workflows that a Dapr sidecar has for each."""

    def __init__(
        self,
        *,
        timeout_in_seconds: int = 60,
        allowed_tools: set[str] | None = None,
        wf_client: DaprWorkflowClient | None = None,
    ) -> None:
        """Ask through a client, or through one of its own."""
        super().__init__(timeout_in_seconds=timeout_in_seconds, allowed_tools=allowed_tools)
        self._wf_client = DaprWorkflowClient() if wf_client is None else wf_client

    async def connect(self, mcpserver_name: str) -> None:
        """Ask a server for its tools and keep them.

        Raises WorkflowRpcError if it cannot be asked, TimeoutError if it does not tell them in
        time, and RuntimeError if it does not tell them at all.
        """
        name, instance_id = self._listing(mcpserver_name), str(uuid.uuid4())
        end_s, attempt = time.monotonic() + self._timeout_s, 0
        while True:
            try:
                await self._wf_client.schedule_new_workflow(
                    name, input={"mcpServerName": mcpserver_name}, instance_id=instance_id
                )
                break
            except WorkflowRpcError as error:
                attempt += 1
                pause_s = pause_after(error, attempt, end_s)
                if pause_s is None:
                    raise
                await asyncio.sleep(pause_s)
        left_s = max(int(end_s - time.monotonic()), 1)
        state = await self._wf_client.wait_for_workflow_completion(
            instance_id, timeout_in_seconds=left_s, fetch_payloads=True
        )
        self._keep(mcpserver_name, state)
