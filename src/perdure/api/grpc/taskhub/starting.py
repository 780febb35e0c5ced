"""Starting an instance, again or from an event of another one."""

from typing import Final
from uuid import uuid4

import grpc

from perdure.api.grpc.calls import Call, checked_id, checked_name
from perdure.api.grpc.faults import Rejected
from perdure.api.grpc.taskhub.instances import Instances
from perdure.api.grpc.taskhub.refusals import of_rerun, of_start
from perdure.base.errors import CallerFault
from perdure.components.port import WorkflowComponent
from perdure.core.requests import Refusal, Rerun, Start
from perdure.wire.fields import microseconds, trace_of
from perdure.wire.generated import management_pb2 as pb
from perdure.wire.management import reuse_of, text_of

_NO_NAME: Final = "workflow name is not configured"


class Starting:
    """StartInstance, RestartInstance and RerunWorkflowFromEvent."""

    def __init__(self, instances: Instances, component_names: frozenset[str]) -> None:
        """Start instances where a caller may; no workflow may have a component's name."""
        self._instances = instances
        self._component_names = component_names

    async def start(
        self, request: pb.CreateInstanceRequest, call: Call
    ) -> pb.CreateInstanceResponse:
        """Start an instance; it is on disk when this answers, and needs no worker."""
        self._check_name(request.name)
        component = self._instances.seen_by(call, request.router)
        ignored, ended = reuse_of(request.orchestration_id_reuse_policy)
        scheduled = request.HasField("scheduled_start_timestamp")
        trace = request.HasField("parent_trace_context")
        start = Start(
            instance_id=checked_id(request.instance_id) or str(uuid4()),
            name=request.name,
            app_id=self._instances.asker(call, request.router).starts_in,
            input=text_of(request, "input"),
            version=text_of(request, "version"),
            scheduled_start_us=microseconds(request.scheduled_start_timestamp)
            if scheduled
            else None,
            tags=call.tags(request.tags.items()),
            trace=trace_of(request.parent_trace_context) if trace else None,
            replace_finished=not request.enforce_unique_instance_id,
            terminate_existing=ended,
            ignore_existing=ignored,
        )
        return pb.CreateInstanceResponse(instance_id=await self._begin(component, start))

    async def restart(
        self, request: pb.RestartInstanceRequest, call: Call
    ) -> pb.RestartInstanceResponse:
        """Start a finished instance again with what it was started with."""
        component = self._instances.seen_by(call)
        view = await component.get(request.instance_id)
        if view is None:
            text = f"workflow instance '{request.instance_id}' not found"
            raise Rejected(grpc.StatusCode.NOT_FOUND, text)
        if not view.finished:
            text = f"workflow instance '{request.instance_id}' has not finished"
            raise Rejected(grpc.StatusCode.FAILED_PRECONDITION, text)
        anew = str(uuid4()) if request.restart_with_new_instance_id else view.instance_id
        start = Start(
            instance_id=anew,
            name=view.name,
            app_id=view.app_id,
            input=view.input,
            version=view.version,
            tags=view.tags,
        )
        return pb.RestartInstanceResponse(instance_id=await self._begin(component, start))

    async def rerun(
        self, request: pb.RerunWorkflowFromEventRequest, call: Call
    ) -> pb.RerunWorkflowFromEventResponse:
        """Begin a new instance from an event of a finished one."""
        component = self._instances.seen_by(call, request.router)
        new_child = request.HasField("new_child_workflow_instance_id")
        answer = await component.rerun(
            Rerun(
                source_id=checked_id(request.source_instance_id),
                event_id=request.event_id,
                new_id=checked_id(request.new_instance_id) or str(uuid4()),
                input=text_of(request, "input"),
                overwrite_input=request.overwrite_input,
                new_child_id=checked_id(request.new_child_workflow_instance_id)
                if new_child
                else None,
            )
        )
        if isinstance(answer, Refusal):
            raise of_rerun(answer)
        return pb.RerunWorkflowFromEventResponse(new_instance_id=answer.instance_id)

    @staticmethod
    async def _begin(component: WorkflowComponent, start: Start) -> str:
        answer = await component.start(start)
        if isinstance(answer, Refusal):
            raise of_start(answer)
        return answer.instance_id

    def _check_name(self, name: str) -> None:
        if not name:
            raise CallerFault(_NO_NAME)
        checked_name(name, "workflow name")
        if name in self._component_names:
            raise CallerFault(
                f"a workflow cannot be named '{name}': that is a workflow component, and paths "
                "could not tell the two apart; give the workflow another name"
            )
