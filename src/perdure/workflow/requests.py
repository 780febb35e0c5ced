"""The requests of a client, as TaskHub's messages, checked as far as the SDK checks them."""

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, Protocol, TypeVar

from perdure.authoring.payloads import to_json
from perdure.authoring.registry import name_of
from perdure.hosting.instances import microseconds_of
from perdure.wire.fields import set_time
from perdure.wire.generated import history_pb2 as history_pb
from perdure.wire.generated import management_pb2 as pb
from perdure.wire.work_items import varint
from perdure.workflow.workflow_management import UNSET

AnyWorkflow = Callable[..., Any] | str

_UINT32_MAX: Final = 2**32 - 1
_PURGE_ROUTE: Final = b"\x2a"  # PurgeInstancesRequest.router, field 5


def start(
    workflow: AnyWorkflow,
    value: object,
    instance_id: str | None,
    start_at: datetime | None,
    app_id: str | None,
) -> pb.CreateInstanceRequest:
    """Return the request that starts a workflow; without an id it gets one by chance."""
    request = pb.CreateInstanceRequest(
        name=workflow if isinstance(workflow, str) else name_of(workflow),
        instance_id=instance_id or uuid.uuid4().hex,
    )
    request.version.value = ""
    if value is not None:
        request.input.value = to_json(value)
    if start_at is not None:
        set_time(request.scheduled_start_timestamp, microseconds_of(start_at))
    return _routed(request, app_id)


def one(instance_id: str, app_id: str | None, *, payloads: bool) -> pb.GetInstanceRequest:
    """Return the request that asks for an instance."""
    request = pb.GetInstanceRequest(instance_id=instance_id, get_inputs_and_outputs=payloads)
    return _routed(request, app_id)


def raise_event(
    instance_id: str, name: str, data: object, app_id: str | None
) -> pb.RaiseEventRequest:
    """Return the request that raises an event; None is no data."""
    request = pb.RaiseEventRequest(instance_id=instance_id, name=name)
    if data is not None:
        request.input.value = to_json(data)
    return _routed(request, app_id)


def terminate(
    instance_id: str, output: object, app_id: str | None, *, recursive: bool
) -> pb.TerminateRequest:
    """Return the request that ends an instance; None is no output."""
    request = pb.TerminateRequest(instance_id=instance_id, recursive=recursive)
    if output is not None:
        request.output.value = to_json(output)
    return _routed(request, app_id)


def suspend(instance_id: str, app_id: str | None) -> pb.SuspendRequest:
    """Return the request that lets an instance take no new work."""
    return _routed(pb.SuspendRequest(instance_id=instance_id), app_id)


def resume(instance_id: str, app_id: str | None) -> pb.ResumeRequest:
    """Return the request that lets an instance go on."""
    return _routed(pb.ResumeRequest(instance_id=instance_id), app_id)


def purge(instance_id: str, app_id: str | None, *, recursive: bool) -> pb.PurgeInstancesRequest:
    """Return the request that deletes an instance that has ended."""
    request = pb.PurgeInstancesRequest(instance_id=instance_id, recursive=recursive)
    if app_id is not None:
        # Dapr's route is a field that means something else to Microsoft, and has no name here.
        route = history_pb.Route(target_app=app_id).SerializeToString()
        request.MergeFromString(b"".join((_PURGE_ROUTE, varint(len(route)), route)))
    return request


def list_ids(page_size: int | None, token: str | None) -> pb.ListInstanceIDsRequest:
    """Return the request for a page of ids. Raises ValueError for a size that makes no sense."""
    if page_size is not None and not 1 <= page_size <= _UINT32_MAX:
        raise ValueError(
            f"page_size must be between 1 and {_UINT32_MAX}, got {page_size}. Pass None rather "
            "than 0 to leave the limit to the runtime."
        )
    return pb.ListInstanceIDsRequest(page_size=page_size, continuation_token=token)


def history(instance_id: str) -> pb.GetInstanceHistoryRequest:
    """Return the request for an instance's history."""
    return pb.GetInstanceHistoryRequest(instance_id=instance_id)


def rerun(
    instance_id: str,
    event_id: int,
    *,
    new_id: str | None,
    value: object,
    new_child_id: str | None,
    app_id: str | None,
) -> pb.RerunWorkflowFromEventRequest:
    """Return the request that runs an instance again from an event.

    Raises ValueError for an id that the wire cannot carry, or that is empty and not None.
    """
    if not 0 <= event_id <= _UINT32_MAX:
        hint = "; events without an id of their own have -1" if event_id < 0 else ""
        raise ValueError(f"event_id must be between 0 and {_UINT32_MAX}, got {event_id}{hint}")
    ids = {"new_instance_id": new_id, "new_child_instance_id": new_child_id}
    for name, given in ids.items():
        if given == "":
            raise ValueError(f"{name} must be a non-empty ID or None, got an empty string")
    request = pb.RerunWorkflowFromEventRequest(
        source_instance_id=instance_id,
        event_id=event_id,
        new_instance_id=new_id,
        overwrite_input=value is not UNSET,
        new_child_workflow_instance_id=new_child_id,
    )
    if value is not UNSET and value is not None:
        request.input.value = to_json(value)
    return _routed(request, app_id)


class _HasRoute(Protocol):
    """A request that can be routed to another app."""

    @property
    def router(self) -> history_pb.Route: ...


Routed = TypeVar("Routed", bound=_HasRoute)


def _routed(request: Routed, app_id: str | None) -> Routed:
    if app_id is not None:
        request.router.target_app = app_id
    return request
