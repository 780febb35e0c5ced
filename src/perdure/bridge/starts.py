"""Starts of instances as Temporal's requests, fresh ones and those from an event of another."""

from typing import Final
from uuid import uuid4

from temporalio.api.common.v1 import Memo, Payloads, WorkflowType
from temporalio.api.enums.v1 import WorkflowIdConflictPolicy, WorkflowIdReusePolicy
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import StartWorkflowExecutionRequest
from temporalio.common import RawValue
from temporalio.converter import default as default_converter
from temporalio.service import WorkflowService

from perdure.base.time import Clock
from perdure.bridge.complaints import complaint_of
from perdure.bridge.envelope import arguments_of_rerun, arguments_of_start, queue_of
from perdure.bridge.histories import RunHistories
from perdure.bridge.memos import memo_of_start, origin_in
from perdure.bridge.settings import BridgeSettings
from perdure.bridge.views import status_of_run
from perdure.components.temporal import refusals
from perdure.components.temporal.connection import Connection
from perdure.components.temporal.runs import Runs
from perdure.components.temporal.standing import STATUSES
from perdure.core.events import ExecutionStarted, Router
from perdure.core.requests import Reason, Refusal, Rerun, Start
from perdure.core.rerun import check_request, no_source, rerun, source_goes_on
from perdure.core.status import Status
from perdure.core.tracing import workflow_span
from perdure.wire.events import decode

_Conflict = WorkflowIdConflictPolicy
_FAIL: Final = _Conflict.WORKFLOW_ID_CONFLICT_POLICY_FAIL


class Starts:
    """Starts instances."""

    def __init__(
        self,
        settings: BridgeSettings,
        connection: Connection,
        runs: Runs,
        histories: RunHistories,
        clock: Clock,
    ) -> None:
        """Start through `connection`."""
        self._settings = settings
        self._connection = connection
        self._runs = runs
        self._histories = histories
        self._clock = clock

    async def start(self, request: Start) -> str | Refusal:
        """Start an instance; its id, once the cluster has it."""
        complaint = complaint_of(request.name, "a workflow", request.input)
        if complaint is not None:
            return Refusal(Reason.INVALID, complaint.message)
        conflict = await self._conflict(request)
        started = self._started(request)
        arguments = arguments_of_start(started, request.app_id, self._settings.queues)
        answer = await self._ask(
            started, request.app_id, arguments, conflict, only_once=not request.replace_finished
        )
        if isinstance(answer, Refusal) and answer.reason is Reason.ALREADY_EXISTS:
            return refusals.taken(request)
        return answer

    async def rerun(self, request: Rerun) -> str | Refusal:
        """Begin a new instance from an event of a finished one."""
        refused = check_request(request)
        if refused is not None:
            return refused
        described = await self._runs.described(request.source_id)
        if described is None:
            return no_source(request)
        info = described.workflow_execution_info
        if status_of_run(info) is not None:
            return source_goes_on(request)
        app_id = origin_in(info.memo.fields).get("appID") or self._settings.app_id
        history = [decode(event) for event in await self._histories.all_of(info.execution)]
        found = rerun(request, history, app_id, self._clock.now_us())
        if isinstance(found, Refusal):
            return found
        arguments = arguments_of_rerun(found, app_id, self._settings.queues)
        answer = await self._ask(found.started, app_id, arguments, _FAIL, only_once=True)
        if isinstance(answer, Refusal) and answer.reason is Reason.ALREADY_EXISTS:
            text = f"workflow '{request.new_id}' has already been created"
            return Refusal(Reason.ALREADY_EXISTS, text)
        return answer

    def _started(self, request: Start) -> ExecutionStarted:
        execution_id = str(uuid4())
        return ExecutionStarted(
            at_us=self._clock.now_us(),
            router=Router(request.app_id),
            name=request.name,
            instance_id=request.instance_id,
            execution_id=execution_id,
            version=request.version,
            input=request.input,
            scheduled_start_us=request.scheduled_start_us,
            trace=request.trace,
            span_id=workflow_span(request.trace, execution_id),
            tags=request.tags,
        )

    async def _conflict(self, request: Start) -> _Conflict.ValueType:
        """Return what becomes of an active instance of that id, which its status may decide."""
        if not request.terminate_existing and not request.ignore_existing:
            return _FAIL
        described = await self._runs.described(request.instance_id)
        if described is None:
            return _FAIL
        info = described.workflow_execution_info
        status = status_of_run(info) or STATUSES.get(info.status, Status.RUNNING)
        if status in request.ignore_existing:
            return _Conflict.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING
        if status in request.terminate_existing:
            return _Conflict.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING
        return _FAIL

    async def _ask(
        self,
        started: ExecutionStarted,
        app_id: str,
        arguments: list[RawValue],
        conflict: _Conflict.ValueType,
        *,
        only_once: bool,
    ) -> str | Refusal:
        reuse = WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
        if only_once:
            reuse = WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE
        to_payload = default_converter().payload_converter.to_payload
        memo = {key: to_payload(each) for key, each in memo_of_start(started, app_id).items()}
        answer = await self._connection.ask(
            WorkflowService.start_workflow_execution,
            StartWorkflowExecutionRequest(
                namespace=self._connection.namespace,
                workflow_id=started.instance_id,
                workflow_type=WorkflowType(name=started.name),
                task_queue=TaskQueue(name=queue_of(self._settings.queues, app_id)),
                input=Payloads(payloads=[each.payload for each in arguments]),
                identity=self._connection.identity,
                request_id=str(uuid4()),
                workflow_id_reuse_policy=reuse,
                workflow_id_conflict_policy=conflict,
                memo=Memo(fields=memo),
            ),
        )
        return answer if isinstance(answer, Refusal) else started.instance_id
