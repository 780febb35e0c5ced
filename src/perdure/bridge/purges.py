"""Deleting instances: every run of each, and with `recursive` those of their descendants.

The cluster deletes runs one at a time, and some seconds after it was asked to. What was accepted
is done, so readers here are told at once that the instance is gone.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import (
    DeleteWorkflowExecutionRequest,
    DescribeWorkflowExecutionResponse,
)
from temporalio.service import WorkflowService
from typing_extensions import override

from perdure.base.errors import ComponentError
from perdure.base.limits import DESCENDANTS_MAX
from perdure.bridge.memos import origin_in
from perdure.bridge.views import status_of_run
from perdure.components.port import Purged
from perdure.components.temporal import refusals
from perdure.components.temporal.connection import Connection
from perdure.components.temporal.faults import fault_of
from perdure.components.temporal.histories import Histories
from perdure.components.temporal.runs import Runs
from perdure.core.requests import Purge, Reason, Refusal

# Deletions take seconds: so many have been asked for last.
_FORGOTTEN_MAX: Final = 10_000


class LiveRuns(Runs):
    """The runs of a cluster without those that are being deleted."""

    def __init__(self, connection: Connection) -> None:
        """Ask through `connection`."""
        super().__init__(connection)
        self._forgotten: OrderedDict[str, None] = OrderedDict()

    def forget(self, run_id: str) -> None:
        """Leave a run out from now on."""
        self._forgotten[run_id] = None
        while len(self._forgotten) > _FORGOTTEN_MAX:
            self._forgotten.popitem(last=False)

    @override
    async def described(
        self, instance_id: str, run_id: str = ""
    ) -> DescribeWorkflowExecutionResponse | None:
        found = await super().described(instance_id, run_id)
        if found is None or found.workflow_execution_info.execution.run_id in self._forgotten:
            return None
        return found

    @override
    async def listed(
        self, visibility: str, limit: int, token: str | None = None
    ) -> tuple[Sequence[WorkflowExecutionInfo], str | None]:
        found, following = await super().listed(visibility, limit, token)
        kept = [info for info in found if info.execution.run_id not in self._forgotten]
        return kept, following


class Purges:
    """Deletes instances."""

    def __init__(self, connection: Connection, runs: LiveRuns, histories: Histories) -> None:
        """Delete through `connection`."""
        self._connection = connection
        self._runs = runs
        self._histories = histories

    async def purge(self, request: Purge) -> Purged | Refusal:
        """Delete an instance, with `recursive` those below it first; an active one if forced."""
        doomed: dict[str, list[WorkflowExecution]] = {}
        named = [request.instance_id]
        while named:
            instance_id = named.pop()
            described = await self._runs.described(instance_id)
            if described is None or instance_id in doomed:
                continue
            info = described.workflow_execution_info
            if status_of_run(info) is not None and not request.force:
                above = instance_id == request.instance_id
                return refusals.not_finished(None if above else instance_id)
            doomed[instance_id] = await self._chain(info.execution)
            named += await self._below(doomed[instance_id]) if request.recursive else []
            if len(doomed) > DESCENDANTS_MAX:
                raise ComponentError(f"more than {DESCENDANTS_MAX} descendants are meant")
        # The last run goes last: if one cannot be deleted now, the instance is still found again.
        for run in [run for runs in reversed(doomed.values()) for run in reversed(runs)]:
            await self._delete(run)
        return Purged(len(doomed)) if doomed else refusals.missing()

    async def _chain(self, last: WorkflowExecution) -> list[WorkflowExecution]:
        """Return the runs that an instance has gone through, the last one first."""
        chain = [last]
        while (first := await self._histories.first(chain[-1])) is not None:
            began = first.workflow_execution_started_event_attributes
            if not began.continued_execution_run_id:
                break
            run_id = began.continued_execution_run_id
            chain.append(WorkflowExecution(workflow_id=last.workflow_id, run_id=run_id))
        return chain

    async def _below(self, runs: Sequence[WorkflowExecution]) -> list[str]:
        return [
            child
            for run in runs
            async for event in self._histories.all(run)
            if (child := child_in(event)) is not None
        ]

    async def _delete(self, run: WorkflowExecution) -> None:
        answer = await self._connection.ask(
            WorkflowService.delete_workflow_execution,
            DeleteWorkflowExecutionRequest(
                namespace=self._connection.namespace, workflow_execution=run
            ),
        )
        if isinstance(answer, Refusal) and answer.reason is not Reason.NOT_FOUND:
            raise fault_of(answer, self._connection.where)
        self._runs.forget(run.run_id)


def child_in(event: HistoryEvent) -> str | None:
    """Return the id of the child that a run began with an event; None if it began none.

    Workflows that it began and that are no children of its instance live on: detached ones, and
    activities that nobody awaits.
    """
    begun = event.start_child_workflow_execution_initiated_event_attributes
    is_child = origin_in(begun.memo.fields).get("parentInstanceID") is not None
    return begun.workflow_id if is_child else None
