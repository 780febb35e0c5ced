"""What readers may see of an instance, as the wire's WorkflowState."""

from typing import Any, cast

from perdure.components.port import InstanceView
from perdure.wire.fields import set_time
from perdure.wire.generated import management_pb2 as pb


def reply_of(view: InstanceView | None, *, payloads: bool) -> pb.GetInstanceResponse:
    """Return the answer to a question about one instance; a missing one is no error."""
    reply = pb.GetInstanceResponse(exists=view is not None)
    if view is not None:
        fill(reply.workflow_state, view, payloads=payloads)
    return reply


def fill(state: pb.WorkflowState, view: InstanceView, *, payloads: bool) -> None:
    """Write a view, with input, output, custom status and failure only where asked for."""
    state.instance_id = view.instance_id
    state.name = view.name
    state.workflow_status = cast("pb.OrchestrationStatus", int(view.status))
    state.tags.update(view.tags)
    _texts(
        state,
        version=view.version,
        execution_id=view.execution_id or None,
        parent_instance_id=view.parent_id,
        parent_app_id=view.parent_app_id,
    )
    _times(
        state,
        created_timestamp=view.created_at_us,
        last_updated_timestamp=view.updated_at_us,
        started_at=view.started_at_us,
        scheduled_start_timestamp=view.scheduled_start_us,
        completed_timestamp=view.completed_at_us,
    )
    if payloads:
        _texts(state, input=view.input, output=view.output, custom_status=view.custom_status)
        if view.failure_wire is not None:
            state.failure_details.MergeFromString(view.failure_wire)


def _texts(state: Any, **fields: str | None) -> None:
    for name, text in fields.items():
        if text is not None:
            getattr(state, name).value = text


def _times(state: Any, **fields: int | None) -> None:
    for name, at_us in fields.items():
        if at_us is not None:
            set_time(getattr(state, name), at_us)
