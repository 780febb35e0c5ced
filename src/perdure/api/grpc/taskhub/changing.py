"""Changing an instance that is there: event, terminate, suspend, resume. None needs a worker."""

from perdure.api.grpc.calls import Call, checked_name
from perdure.api.grpc.taskhub.instances import Instances
from perdure.api.grpc.taskhub.refusals import of_change
from perdure.api.grpc.waits import Waits
from perdure.base.errors import CallerFault
from perdure.components.port import Done
from perdure.core.requests import RaiseEvent, Refusal, Resume, Suspend, Terminate
from perdure.wire.generated import management_pb2 as pb
from perdure.wire.generated.work_pb2 import Nothing
from perdure.wire.management import text_of


class Changing:
    """RaiseEvent, TerminateInstance, SuspendInstance and ResumeInstance."""

    def __init__(self, instances: Instances, waits: Waits) -> None:
        """Change those of `instances` that a caller may change."""
        self._instances = instances
        self._waits = waits

    async def raise_event(self, request: pb.RaiseEventRequest, call: Call) -> Nothing:
        """Give an instance an event; one that has finished drops it."""
        component = self._instances.seen_by(call, request.router)
        if not request.name:
            msg = "missing workflow event name"
            raise CallerFault(msg)
        checked_name(request.name, "event name")
        event = RaiseEvent(
            instance_id=request.instance_id, name=request.name, input=text_of(request, "input")
        )
        return _taken(await component.raise_event(event))

    async def terminate(self, request: pb.TerminateRequest, call: Call) -> Nothing:
        """End an instance; it has ended when this answers."""
        component = self._instances.seen_by(call, request.router)
        answer = await component.terminate(
            Terminate(
                instance_id=request.instance_id,
                output=text_of(request, "output"),
                recursive=request.recursive,
            )
        )
        if isinstance(answer, Done) and not answer.in_force:
            await self._waits.until(
                component.wait(request.instance_id, finished=True, timeout_us=None, payloads=False)
            )
        return _taken(answer, "failed to submit termination request: ")

    async def suspend(self, request: pb.SuspendRequest, call: Call) -> Nothing:
        """Let an instance take no new work."""
        component = self._instances.seen_by(call, request.router)
        reason = text_of(request, "reason")
        suspend = Suspend(instance_id=request.instance_id, reason=reason)
        return _taken(await component.suspend(suspend))

    async def resume(self, request: pb.ResumeRequest, call: Call) -> Nothing:
        """Let an instance go on."""
        component = self._instances.seen_by(call, request.router)
        reason = text_of(request, "reason")
        resume = Resume(instance_id=request.instance_id, reason=reason)
        return _taken(await component.resume(resume))


def _taken(answer: Done | Refusal, prefix: str = "") -> Nothing:
    if isinstance(answer, Refusal):
        rejected = of_change(answer, prefix)
        if rejected is not None:
            raise rejected
    return Nothing()
