"""Changes of instances that are there: each is a signal, which the cluster keeps until it is taken.

None of them needs a worker of an SDK. Whether a suspend or a terminate is in force, the run says
itself when it has taken the signal.
"""

import asyncio
from uuid import uuid4

from temporalio.api.common.v1 import Payloads, WorkflowExecution
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import SignalWorkflowExecutionRequest
from temporalio.service import WorkflowService

from perdure.base.time import SECOND_US, Clock
from perdure.bridge.names import is_reserved
from perdure.bridge.options import IN_FORCE_WAIT_US, LOOK_AGAIN_S
from perdure.bridge.signals import signal_of
from perdure.bridge.texts import PAYLOAD_BYTES_MAX, is_too_large
from perdure.bridge.views import is_suspended, status_of_run
from perdure.components.port import Done
from perdure.components.temporal import refusals
from perdure.components.temporal.connection import Connection
from perdure.components.temporal.runs import Runs
from perdure.components.temporal.waiting import Waiting
from perdure.core.events import (
    Event,
    EventRaised,
    ExecutionResumed,
    ExecutionSuspended,
    ExecutionTerminated,
)
from perdure.core.requests import (
    RaiseEvent,
    Reason,
    Refusal,
    Resume,
    Suspend,
    Terminate,
)
from perdure.core.status import Status


class Changes:
    """Changes instances."""

    def __init__(self, connection: Connection, runs: Runs, waiting: Waiting, clock: Clock) -> None:
        """Change through `connection`."""
        self._connection = connection
        self._runs = runs
        self._waiting = waiting
        self._clock = clock

    async def raise_event(self, request: RaiseEvent) -> Done | Refusal:
        """Give an instance an event; the cluster has it when this returns."""
        if is_reserved(request.name):
            text = f"an event cannot be named '{request.name}' on the bridge"
            return Refusal(Reason.INVALID, text)
        met = await self._met(request.instance_id)
        if isinstance(met, Refusal):
            return met
        if status_of_run(met) is Status.STALLED:
            return Refusal(Reason.STALLED, "workflow is stalled")
        event = EventRaised(at_us=self._clock.now_us(), name=request.name, input=request.input)
        return await self._signal(request.instance_id, event, request.input)

    async def terminate(self, request: Terminate) -> Done | Refusal:
        """End an instance and, with `recursive`, those below it."""
        order = ExecutionTerminated(
            at_us=self._clock.now_us(), input=request.output, recurse=request.recursive
        )
        answer = await self._signal(request.instance_id, order, request.output)
        if isinstance(answer, Refusal):
            return answer
        described = await self._waiting.arrived(
            request.instance_id, finished=True, timeout_us=IN_FORCE_WAIT_US
        )
        if described is None:
            return Done()
        return Done(in_force=status_of_run(described.workflow_execution_info) is None)

    async def suspend(self, request: Suspend) -> Done | Refusal:
        """Let an instance take no new work."""
        event = ExecutionSuspended(at_us=self._clock.now_us(), reason=request.reason)
        return await self._switch(request.instance_id, event, request.reason, suspended=True)

    async def resume(self, request: Resume) -> Done | Refusal:
        """Let an instance go on."""
        event = ExecutionResumed(at_us=self._clock.now_us(), reason=request.reason)
        return await self._switch(request.instance_id, event, request.reason, suspended=False)

    async def _switch(
        self, instance_id: str, event: Event, reason: str | None, *, suspended: bool
    ) -> Done | Refusal:
        answer = await self._signal(instance_id, event, reason)
        if isinstance(answer, Refusal):
            return answer
        loop = asyncio.get_running_loop()
        end_s = loop.time() + IN_FORCE_WAIT_US / SECOND_US
        while loop.time() < end_s:
            met = await self._met(instance_id)
            # An instance that has ended meanwhile is changed no more.
            if isinstance(met, Refusal) or is_suspended(met) is suspended:
                return Done()
            await asyncio.sleep(LOOK_AGAIN_S)
        return Done(in_force=False)

    async def _met(self, instance_id: str) -> WorkflowExecutionInfo | Refusal:
        """Return the run of an instance that goes on."""
        described = await self._runs.described(instance_id)
        if described is None:
            return refusals.missing()
        info = described.workflow_execution_info
        return refusals.finished(instance_id) if status_of_run(info) is None else info

    async def _signal(self, instance_id: str, event: Event, text: str | None) -> Done | Refusal:
        if is_too_large(text):
            said = f"the payload is larger than {PAYLOAD_BYTES_MAX} bytes, which Temporal takes"
            return Refusal(Reason.INVALID, said)
        name, arguments = signal_of(event)
        answer = await self._connection.ask(
            WorkflowService.signal_workflow_execution,
            SignalWorkflowExecutionRequest(
                namespace=self._connection.namespace,
                workflow_execution=WorkflowExecution(workflow_id=instance_id),
                signal_name=name,
                input=Payloads(payloads=[each.payload for each in arguments]),
                identity=self._connection.identity,
                request_id=str(uuid4()),
            ),
        )
        if not isinstance(answer, Refusal):
            return Done()
        # To Temporal an instance that has finished is as little there as one that never was.
        met = await self._met(instance_id)
        return met if isinstance(met, Refusal) else answer
