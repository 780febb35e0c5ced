"""Tools of MCP servers, as workflows of a server's own offer them by name."""

import json
import logging
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import grpc

from perdure.workflow.dapr_workflow_client import DaprWorkflowClient
from perdure.workflow.faults import WorkflowRpcError
from perdure.workflow.workflow_state import WorkflowState, WorkflowStatus

PREFIX: Final = "dapr.internal.mcp."
_PAUSE_FIRST_S: Final = 0.25
_PAUSE_LONGEST_S: Final = 4.0
_PASSING: Final = {grpc.StatusCode.CANCELLED, grpc.StatusCode.UNAVAILABLE}
_log = logging.getLogger("perdure.worker")


@dataclass(frozen=True)
class MCPToolDef:
    """A tool: what it is called and takes, and the workflow that calls it."""

    name: str
    description: str
    input_schema: dict[str, Any] = field(default_factory=dict)
    server_name: str = ""
    call_tool_workflow: str = ""


class Catalogue:
    """The tools of the servers that were asked for theirs."""

    def __init__(
        self, *, timeout_in_seconds: int = 60, allowed_tools: set[str] | None = None
    ) -> None:
        """Keep only allowed tools, or all. Raises ValueError for a timeout of nothing."""
        if timeout_in_seconds <= 0:
            raise ValueError("timeout_in_seconds must be a positive integer")
        self._timeout_s = timeout_in_seconds
        self._allowed_tools = allowed_tools
        self._server_tools: dict[str, list[MCPToolDef]] = {}

    def get_all_tools(self) -> list[MCPToolDef]:
        """Return the tools of all servers."""
        return [tool for tools in self._server_tools.values() for tool in tools]

    def get_server_tools(self, server_name: str) -> list[MCPToolDef]:
        """Return the tools of a server; none if it was not asked."""
        return list(self._server_tools.get(server_name, []))

    def get_connected_servers(self) -> list[str]:
        """Return the servers that were asked."""
        return list(self._server_tools)

    def _listing(self, server: str) -> str:
        if not server.strip():
            raise ValueError("mcpserver_name must be a non-empty string")
        return f"{PREFIX}{server}.ListTools"

    def _keep(self, server: str, state: WorkflowState | None) -> None:
        listing = f"ListTools workflow for MCPServer '{server}'"
        if state is None:
            raise RuntimeError(f"{listing} timed out after {self._timeout_s}s")
        if state.runtime_status is not WorkflowStatus.COMPLETED:
            raise RuntimeError(
                f"{listing} ended with status {state.runtime_status.name!r}: "
                f"{state.serialized_output or ''}"
            )
        try:
            told = json.loads(state.serialized_output or "{}")
        except json.JSONDecodeError as error:
            raise RuntimeError(f"{listing} returned malformed JSON: {error}") from error
        tools = [_tool(server, one) for one in told.get("tools", [])]
        allowed = self._allowed_tools
        self._server_tools[server] = [t for t in tools if allowed is None or t.name in allowed]


def _tool(server: str, told: Mapping[str, Any]) -> MCPToolDef:
    name = told.get("name", "")
    return MCPToolDef(
        name=name,
        description=told.get("description", ""),
        input_schema=told.get("inputSchema") or {},
        server_name=server,
        call_tool_workflow=f"{PREFIX}{server}.CallTool.{name}",
    )


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

    def connect(self, mcpserver_name: str) -> None:
        """Ask a server for its tools and keep them.

        Raises WorkflowRpcError if it cannot be asked, TimeoutError if it does not tell them in
        time, and RuntimeError if it does not tell them at all.
        """
        name, instance_id = self._listing(mcpserver_name), str(uuid.uuid4())
        end_s, attempt = time.monotonic() + self._timeout_s, 0
        while True:
            try:
                self._wf_client.schedule_new_workflow(
                    name, input={"mcpServerName": mcpserver_name}, instance_id=instance_id
                )
                break
            except WorkflowRpcError as error:
                attempt += 1
                pause_s = pause_after(error, attempt, end_s)
                if pause_s is None:
                    raise
                # This client blocks its caller by its nature; the pause is bounded and logged.
                time.sleep(pause_s)
        left_s = max(int(end_s - time.monotonic()), 1)
        state = self._wf_client.wait_for_workflow_completion(
            instance_id, timeout_in_seconds=left_s, fetch_payloads=True
        )
        self._keep(mcpserver_name, state)


def pause_after(error: WorkflowRpcError, attempt: int, end_s: float) -> float | None:
    """Return how long to wait before a call is made again, or None if that is of no use.

    The pause doubles with each attempt, counted from 1; no call is made after `end_s`.
    """
    pause_s = min(_PAUSE_FIRST_S * 2.0 ** (attempt - 1), _PAUSE_LONGEST_S)
    if error.code() not in _PASSING or time.monotonic() + pause_s >= end_s:
        return None
    _log.warning("asking for tools, attempt %d: %s; again in %g s", attempt, error, pause_s)
    return pause_s
