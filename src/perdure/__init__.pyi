from perdure.authoring.activities import ActivityContext
from perdure.authoring.context import WorkflowContext
from perdure.authoring.failures import NonRetryableError, TaskFailedError
from perdure.authoring.registry import Registry
from perdure.authoring.retry import RetryPolicy
from perdure.base.errors import ConfigurationError, PerdureError, StoreError, StoreLocked
from perdure.core.status import Status
from perdure.hosting.engine import Engine
from perdure.hosting.handles import Handle
from perdure.hosting.instances import Instance
from perdure.hosting.refusals import (
    InstanceExists,
    InstanceFinished,
    InstanceNotFinished,
    InstanceNotFound,
    InstanceStalled,
    Refused,
    WorkflowEnded,
    WorkflowFailed,
    WorkflowTerminated,
)
from perdure.hosting.sync import SyncEngine
from perdure.hosting.sync_handles import SyncHandle
from perdure.worker.runs import ActivityCancelled

__all__ = [
    "ActivityCancelled",
    "ActivityContext",
    "ConfigurationError",
    "Engine",
    "Handle",
    "Instance",
    "InstanceExists",
    "InstanceFinished",
    "InstanceNotFinished",
    "InstanceNotFound",
    "InstanceStalled",
    "NonRetryableError",
    "PerdureError",
    "Refused",
    "Registry",
    "RetryPolicy",
    "Status",
    "StoreError",
    "StoreLocked",
    "SyncEngine",
    "SyncHandle",
    "TaskFailedError",
    "WorkflowContext",
    "WorkflowEnded",
    "WorkflowFailed",
    "WorkflowTerminated",
    "__version__",
]

__version__: str
