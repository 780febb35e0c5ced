"""The clients of `perdure.workflow` for programs that run on asyncio."""

from perdure.workflow.aio.dapr_workflow_client import DaprWorkflowClient
from perdure.workflow.aio.mcp import DaprMCPClient
from perdure.workflow.mcp import MCPToolDef

__all__ = ["DaprMCPClient", "DaprWorkflowClient", "MCPToolDef"]
