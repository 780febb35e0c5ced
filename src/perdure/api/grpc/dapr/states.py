"""What readers may see of an instance, in the shape of Dapr's own GetWorkflowResponse."""

from collections.abc import Iterator

from perdure.components.port import InstanceView
from perdure.core.status import Status
from perdure.wire.fields import set_time
from perdure.wire.generated import runtime_pb2 as pb


def reply_of(view: InstanceView) -> pb.GetWorkflowResponse:
    """Return a view as Dapr answers it: payloads stay the strings they are stored as."""
    reply = pb.GetWorkflowResponse(
        instance_id=view.instance_id,
        workflow_name=view.name,
        runtime_status=_status_name(view.status),
        properties=dict(_properties(view)),
    )
    set_time(reply.created_at, view.created_at_us)
    set_time(reply.last_updated_at, view.updated_at_us)
    return reply


def _status_name(status: Status) -> str:
    # Dapr's table of names ends before STALLED.
    return "UNKNOWN" if status is Status.STALLED else status.name


def _properties(view: InstanceView) -> Iterator[tuple[str, str]]:
    yield from view.properties
    payloads = {
        "custom_status": view.custom_status,
        "input": view.input,
        "output": view.output,
    }
    for key, text in payloads.items():
        if text is not None:
            yield f"dapr.workflow.{key}", text
    if view.failure is not None:
        yield "dapr.workflow.failure.error_type", view.failure.error_type
        yield "dapr.workflow.failure.error_message", view.failure.message
        if view.failure.stack_trace is not None:
            yield "dapr.workflow.failure.stack_trace", view.failure.stack_trace
