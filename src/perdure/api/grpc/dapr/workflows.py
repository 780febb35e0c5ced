"""The seven workflow methods of Dapr's own service."""

from collections.abc import Mapping
from typing import Final
from uuid import uuid4

from google.protobuf.empty_pb2 import Empty

from perdure.api.grpc.calls import Call, checked_name
from perdure.api.grpc.dapr import refusals
from perdure.api.grpc.dapr.states import reply_of
from perdure.api.grpc.faults import Rejected
from perdure.api.grpc.settings import GrpcSettings
from perdure.base.errors import CallerFault
from perdure.base.ids import is_legal_instance_id
from perdure.base.limits import OPTIONS_MAX
from perdure.base.rfc3339 import parse as parse_time
from perdure.components.catalog import EMBEDDED, Catalog
from perdure.components.port import WorkflowComponent
from perdure.core.requests import (
    Purge,
    RaiseEvent,
    Refusal,
    Resume,
    Start,
    Suspend,
    Terminate,
)
from perdure.wire.generated import runtime_pb2 as pb
from perdure.wire.management import utf8_of

START_TIME_OPTION: Final = "dapr.workflow.start_time"

_BAD_START_TIME: Final = 'start times must be in RFC3339 format (e.g. "2009-11-10T23:00:00Z")'

_Request = (
    pb.StartWorkflowRequest
    | pb.GetWorkflowRequest
    | pb.RaiseEventWorkflowRequest
    | pb.InstanceRequest
)


class Workflows:
    """The methods, each behind three names."""

    def __init__(self, catalog: Catalog, settings: GrpcSettings, app_id: str) -> None:
        """Ask the component that a request names, and the embedded one if there is none such."""
        self._catalog = catalog
        self._settings = settings
        self._app_id = app_id

    async def start(self, request: pb.StartWorkflowRequest, call: Call) -> pb.StartWorkflowResponse:
        """Start an instance; it is on disk when this answers, and needs no worker."""
        instance_id = self._checked_new_id(request.instance_id)
        name = self._checked_workflow_name(request.workflow_name)
        start = Start(
            instance_id=instance_id,
            name=name,
            app_id=call.asker(self._app_id, request.app_id).starts_in,
            input=utf8_of(request.input),
            scheduled_start_us=_start_time(name, request.options.get(START_TIME_OPTION, "")),
            tags=call.tags(),
            options=_options(request.options),
        )
        component = self._component(request, call)
        with refusals.doing(f"error starting workflow '{name}'"):
            answer = await component.start(start)
        if isinstance(answer, Refusal):
            raise refusals.of_start(name, answer)
        return pb.StartWorkflowResponse(instance_id=answer.instance_id)

    async def get(self, request: pb.GetWorkflowRequest, call: Call) -> pb.GetWorkflowResponse:
        """Return what may be seen; of a missing instance that is its id."""
        instance_id = _given_id(request.instance_id)
        component = self._component(request, call)
        with refusals.doing(f"error while getting workflow info on instance '{instance_id}'"):
            view = await component.get(instance_id)
        if view is None:
            return pb.GetWorkflowResponse(instance_id=instance_id)
        return reply_of(view)

    async def raise_event(self, request: pb.RaiseEventWorkflowRequest, call: Call) -> Empty:
        """Give an instance an event; without data there is none, not even an empty one."""
        instance_id = _given_id(request.instance_id)
        if not request.event_name:
            msg = "missing workflow event name"
            raise CallerFault(msg)
        event = RaiseEvent(
            instance_id=instance_id,
            name=checked_name(request.event_name, "event name"),
            input=utf8_of(request.event_data) if request.event_data else None,
        )
        component = self._component(request, call)
        with refusals.doing(f"error raising event on workflow '{instance_id}'"):
            answer = await component.raise_event(event)
        if isinstance(answer, Refusal):
            return _ended(refusals.of_event(instance_id, request.event_name, answer))
        return Empty()

    async def pause(self, request: pb.InstanceRequest, call: Call) -> Empty:
        """Let an instance take no new work."""
        instance_id = _given_id(request.instance_id)
        component = self._component(request, call)
        with refusals.doing(f"error pausing workflow {instance_id}"):
            answer = await component.suspend(Suspend(instance_id=instance_id))
        if isinstance(answer, Refusal):
            return _ended(refusals.of_pause(instance_id, answer))
        return Empty()

    async def resume(self, request: pb.InstanceRequest, call: Call) -> Empty:
        """Let an instance go on."""
        instance_id = _given_id(request.instance_id)
        component = self._component(request, call)
        with refusals.doing(f"error resuming workflow {instance_id}"):
            answer = await component.resume(Resume(instance_id=instance_id))
        if isinstance(answer, Refusal):
            return _ended(refusals.of_resume(instance_id, answer))
        return Empty()

    async def terminate(self, request: pb.InstanceRequest, call: Call) -> Empty:
        """End an instance and its descendants."""
        instance_id = _given_id(request.instance_id)
        component = self._component(request, call)
        with refusals.doing(f"error terminating workflow '{instance_id}'"):
            answer = await component.terminate(Terminate(instance_id=instance_id))
        if isinstance(answer, Refusal):
            return _ended(refusals.of_terminate(instance_id, answer))
        return Empty()

    async def purge(self, request: pb.InstanceRequest, call: Call) -> Empty:
        """Delete a finished instance and its descendants."""
        instance_id = _given_id(request.instance_id)
        component = self._component(request, call)
        with refusals.doing(f"error purging workflow {instance_id}"):
            answer = await component.purge(Purge(instance_id=instance_id))
        if isinstance(answer, Refusal):
            raise refusals.of_purge(instance_id, answer)
        return Empty()

    def _component(self, request: _Request, call: Call) -> WorkflowComponent:
        catalog = self._catalog.seen_by(call.asker(self._app_id, request.app_id))
        # Dapr takes any name here and looks at none.
        return catalog.named(request.workflow_component) or catalog.components[EMBEDDED]

    def _checked_new_id(self, instance_id: str) -> str:
        if not instance_id:
            return str(uuid4())
        longest = self._settings.instance_id_bytes_max
        if len(instance_id.encode()) > longest:
            raise CallerFault(
                f"workflow instance ID exceeds the max length of {longest} characters"
            )
        if not is_legal_instance_id(instance_id, self._settings.instance_id_extra_characters):
            raise CallerFault(
                f"workflow instance ID '{instance_id}' is invalid: "
                "only alphanumeric and underscore characters are allowed"
            )
        return instance_id

    def _checked_workflow_name(self, name: str) -> str:
        if not name:
            msg = "workflow name is not configured"
            raise CallerFault(msg)
        if self._catalog.named(name) is not None:
            raise CallerFault(
                f"a workflow cannot be named '{name}': that is a workflow component, and paths "
                "could not tell the two apart; give the workflow another name"
            )
        return checked_name(name, "workflow name")


def _given_id(instance_id: str) -> str:
    if not instance_id:
        msg = "no instance ID was provided"
        raise CallerFault(msg)
    return instance_id


def _options(given: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    found = [(name, value) for name, value in given.items() if name != START_TIME_OPTION]
    if len(found) > OPTIONS_MAX:
        raise CallerFault(f"a start has at most {OPTIONS_MAX} options")
    return tuple(found)


def _start_time(name: str, text: str) -> int | None:
    if not text:
        return None
    at_us = parse_time(text)
    if at_us is None:
        raise refusals.start_failed(name, _BAD_START_TIME)
    return at_us


def _ended(rejected: Rejected | None) -> Empty:
    if rejected is not None:
        raise rejected
    return Empty()
