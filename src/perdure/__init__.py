"""Durable workflows behind the Dapr Workflow API: a server, or an engine in your own process.

The names are loaded when they are first used, so that `import perdure` costs next to nothing. What
they are stands in `__init__.pyi`.
"""

from importlib import import_module

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

__version__ = "0.1.0"

_ROOMS = {
    "authoring.activities": ("ActivityContext",),
    "authoring.context": ("WorkflowContext",),
    "authoring.failures": ("NonRetryableError", "TaskFailedError"),
    "authoring.registry": ("Registry",),
    "authoring.retry": ("RetryPolicy",),
    "base.errors": ("ConfigurationError", "PerdureError", "StoreError", "StoreLocked"),
    "core.status": ("Status",),
    "hosting.engine": ("Engine",),
    "hosting.handles": ("Handle",),
    "hosting.instances": ("Instance",),
    "hosting.refusals": (
        "InstanceExists",
        "InstanceFinished",
        "InstanceNotFinished",
        "InstanceNotFound",
        "InstanceStalled",
        "Refused",
        "WorkflowEnded",
        "WorkflowFailed",
        "WorkflowTerminated",
    ),
    "hosting.sync": ("SyncEngine",),
    "hosting.sync_handles": ("SyncHandle",),
    "worker.runs": ("ActivityCancelled",),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> object:
    room = _ROOM_OF.get(name)
    if room is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{room}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
