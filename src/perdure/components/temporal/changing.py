"""What changes a running workflow of Temporal: signals, its end, pauses."""

from typing import Final
from uuid import uuid4

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import ParentClosePolicy
from temporalio.api.workflowservice.v1 import (
    PauseWorkflowExecutionRequest,
    SignalWorkflowExecutionRequest,
    TerminateWorkflowExecutionRequest,
    UnpauseWorkflowExecutionRequest,
)
from temporalio.service import WorkflowService

from perdure.components.port import Done
from perdure.components.temporal import refusals
from perdure.components.temporal.bounds import REASON_CHARS_MAX
from perdure.components.temporal.connection import Connection
from perdure.components.temporal.payloads import to_payloads
from perdure.components.temporal.runs import Runs
from perdure.components.temporal.standing import status_of
from perdure.core.requests import RaiseEvent, Reason, Refusal, Resume, Suspend, Terminate
from perdure.core.status import TERMINAL, Status

_KEPT: Final = ParentClosePolicy.PARENT_CLOSE_POLICY_ABANDON


class Changing:
    """Changes running workflows."""

    def __init__(self, connection: Connection, runs: Runs) -> None:
        """Change through `connection`."""
        self._connection = connection
        self._runs = runs

    async def raise_event(self, request: RaiseEvent) -> Done | Refusal:
        """Signal a workflow."""
        answer = await self._connection.ask(
            WorkflowService.signal_workflow_execution,
            SignalWorkflowExecutionRequest(
                namespace=self._connection.namespace,
                workflow_execution=WorkflowExecution(workflow_id=request.instance_id),
                signal_name=request.name,
                input=to_payloads(request.input),
                identity=self._connection.identity,
                request_id=str(uuid4()),
            ),
        )
        return await self._changed(request.instance_id, answer)

    async def terminate(self, request: Terminate) -> Done | Refusal:
        """End a workflow; its children go by the policy that each was started with."""
        if not request.recursive:
            doomed = await self._child_that_ends(request.instance_id)
            if doomed is not None:
                return refusals.unsupported(
                    f"its child '{doomed}' was started to end with it, which Temporal does not "
                    "take back: terminate it with its children"
                )
        reason = "terminated" if request.output is None else request.output
        answer = await self._connection.ask(
            WorkflowService.terminate_workflow_execution,
            TerminateWorkflowExecutionRequest(
                namespace=self._connection.namespace,
                workflow_execution=WorkflowExecution(workflow_id=request.instance_id),
                reason=reason[:REASON_CHARS_MAX],
                details=to_payloads(request.output),
                identity=self._connection.identity,
            ),
        )
        return await self._changed(request.instance_id, answer)

    async def suspend(self, request: Suspend) -> Done | Refusal:
        """Pause a workflow, where the server can."""
        answer = await self._connection.ask(
            WorkflowService.pause_workflow_execution,
            PauseWorkflowExecutionRequest(
                namespace=self._connection.namespace,
                workflow_id=request.instance_id,
                identity=self._connection.identity,
                reason=(request.reason or "")[:REASON_CHARS_MAX],
                request_id=str(uuid4()),
            ),
        )
        done = await self._changed(request.instance_id, answer, unless=Status.SUSPENDED)
        if isinstance(done, Refusal) and done.reason is Reason.UNSUPPORTED:
            return refusals.no_pause(done.text)
        return done

    async def resume(self, request: Resume) -> Done | Refusal:
        """Let a paused workflow go on."""
        answer = await self._connection.ask(
            WorkflowService.unpause_workflow_execution,
            UnpauseWorkflowExecutionRequest(
                namespace=self._connection.namespace,
                workflow_id=request.instance_id,
                identity=self._connection.identity,
                reason=(request.reason or "")[:REASON_CHARS_MAX],
                request_id=str(uuid4()),
            ),
        )
        return await self._changed(request.instance_id, answer, unless=Status.RUNNING)

    async def _changed(
        self, instance_id: str, answer: object, *, unless: Status | None = None
    ) -> Done | Refusal:
        """Return what came of a change; one to `unless` is none if it stands there already.

        To Temporal a workflow that has finished is as little there as one that never was.
        """
        if not isinstance(answer, Refusal):
            return Done()
        described = await self._runs.described(instance_id)
        if described is None:
            return refusals.missing()
        status = status_of(described.workflow_execution_info, described)
        if status in TERMINAL:
            return refusals.finished(instance_id)
        is_there = status is unless or (unless is Status.RUNNING and status is Status.PENDING)
        return Done() if is_there else answer

    async def _child_that_ends(self, instance_id: str) -> str | None:
        described = await self._runs.described(instance_id)
        children = () if described is None else described.pending_children
        return next((c.workflow_id for c in children if c.parent_close_policy != _KEPT), None)
