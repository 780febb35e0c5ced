"""`import perdure.workflow as wf` in place of `import dapr.ext.workflow as wf`.

The names are those of Dapr's Workflow SDK for Python, 1.18 and 1.19, and do what they do there.
Where it runs is configuration: in this process, in the file that `PERDURE_STORE` names (or else
`perdure.db`), or at an address, `DAPR_GRPC_ENDPOINT`, of a perdure server or a Dapr sidecar.

Beside those names there are what coroutine workflows need: `gather`, `wait_for`, `as_completed` and
`sleep`, in the shape of asyncio's.
"""

from perdure.authoring.activities import ActivityContext as WorkflowActivityContext
from perdure.authoring.context import WorkflowContext as DaprWorkflowContext
from perdure.authoring.failures import (
    FailureDetails,
    ForeignAwaitable,
    NonRetryableError,
    TaskFailedError,
)
from perdure.authoring.joins import as_completed, gather, sleep, wait_for
from perdure.authoring.propagation import (
    ActivityResult,
    ChildWorkflowResult,
    PropagatedHistory,
    PropagationNotFoundError,
    WorkflowResult,
)
from perdure.authoring.retry import RetryPolicy
from perdure.authoring.tasks import Task, when_all, when_any
from perdure.core.events import PropagationScope
from perdure.workflow.dapr_workflow_client import DaprWorkflowClient
from perdure.workflow.faults import OrchestrationFailedError, WorkflowRpcError
from perdure.workflow.mcp import DaprMCPClient, MCPToolDef
from perdure.workflow.workflow_management import (
    UNSET,
    WorkflowHistoryEvent,
    WorkflowHistoryEventType,
    WorkflowInstanceIdPage,
)
from perdure.workflow.workflow_runtime import WorkflowRuntime, alternate_name
from perdure.workflow.workflow_state import WorkflowState, WorkflowStatus

__all__ = [
    "UNSET",
    "ActivityResult",
    "ChildWorkflowResult",
    "DaprMCPClient",
    "DaprWorkflowClient",
    "DaprWorkflowContext",
    "FailureDetails",
    "ForeignAwaitable",
    "MCPToolDef",
    "NonRetryableError",
    "OrchestrationFailedError",
    "PropagatedHistory",
    "PropagationNotFoundError",
    "PropagationScope",
    "RetryPolicy",
    "Task",
    "TaskFailedError",
    "WorkflowActivityContext",
    "WorkflowHistoryEvent",
    "WorkflowHistoryEventType",
    "WorkflowInstanceIdPage",
    "WorkflowResult",
    "WorkflowRpcError",
    "WorkflowRuntime",
    "WorkflowState",
    "WorkflowStatus",
    "alternate_name",
    "as_completed",
    "gather",
    "sleep",
    "wait_for",
    "when_all",
    "when_any",
]
