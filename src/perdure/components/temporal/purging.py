"""Deleting an instance: every run of its id, and with that its descendants.

Temporal deletes single runs, and goes on with it after it has answered. Older runs and children
are found through visibility, which may be a moment behind.
"""

import asyncio

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.service import WorkflowService

from perdure.base.errors import ComponentError
from perdure.base.limits import DESCENDANTS_MAX
from perdure.components.port import Purged
from perdure.components.temporal import refusals
from perdure.components.temporal.bounds import DELETION_LOOKS_MAX, LOOK_AGAIN_S
from perdure.components.temporal.connection import Connection
from perdure.components.temporal.faults import fault_of
from perdure.components.temporal.filters import quoted
from perdure.components.temporal.runs import Runs
from perdure.components.temporal.standing import status_of
from perdure.core.requests import Purge, Reason, Refusal
from perdure.core.status import TERMINAL


class Purging:
    """Deletes instances."""

    def __init__(self, connection: Connection, runs: Runs) -> None:
        """Delete through `connection` what `runs` finds."""
        self._connection = connection
        self._runs = runs

    async def purge(self, request: Purge) -> Purged | Refusal:
        """Delete an instance, with `recursive` those below it first; wait a moment for the end."""
        described = await self._runs.described(request.instance_id)
        if described is None:
            return refusals.missing()
        info = described.workflow_execution_info
        if status_of(info) not in TERMINAL and not request.force:
            return refusals.not_finished()
        newest = info.execution.run_id
        doomed: dict[str, set[str]] = {request.instance_id: {newest}}
        await self._add_runs(request.instance_id, doomed)
        if request.recursive:
            active = await self._add_descendants(request.instance_id, doomed)
            if active is not None and not request.force:
                return refusals.not_finished(active)
        for instance_id, run_ids in reversed(doomed.items()):
            # The newest run goes last: if one cannot be deleted now, the instance is still found.
            for run_id in sorted(run_ids, key=lambda run_id: (run_id == newest, run_id)):
                await self._delete(WorkflowExecution(workflow_id=instance_id, run_id=run_id))
        return Purged(len(doomed), in_force=await self._is_gone(request.instance_id))

    async def _add_runs(self, instance_id: str, doomed: dict[str, set[str]]) -> None:
        async for info in self._runs.all_of(f"WorkflowId = {quoted(instance_id)}"):
            doomed.setdefault(instance_id, set()).add(info.execution.run_id)

    async def _add_descendants(self, root: str, doomed: dict[str, set[str]]) -> str | None:
        """Add all below `root`, and return one of them that has not finished, if there is one."""
        active: str | None = None
        parents = [root]
        while parents:
            parent = parents.pop()
            async for info in self._runs.all_of(f"ParentWorkflowId = {quoted(parent)}"):
                child = info.execution.workflow_id
                if child not in doomed:
                    parents.append(child)
                doomed.setdefault(child, set()).add(info.execution.run_id)
                # A run that went on as a new one is not what is running.
                if info.close_time.seconds <= 0:
                    active = child
                if len(doomed) > DESCENDANTS_MAX:
                    raise ComponentError(f"more than {DESCENDANTS_MAX} descendants of '{root}'")
        return active

    async def _delete(self, run: WorkflowExecution) -> None:
        answer = await self._connection.ask(
            WorkflowService.delete_workflow_execution,
            DeleteWorkflowExecutionRequest(
                namespace=self._connection.namespace, workflow_execution=run
            ),
        )
        if isinstance(answer, Refusal) and answer.reason is not Reason.NOT_FOUND:
            raise fault_of(answer, self._connection.where)

    async def _is_gone(self, instance_id: str) -> bool:
        """Tell whether the instance cannot be found any more, after a moment's patience.

        The deletion was accepted and will be done: what has only just finished, Temporal keeps for
        half a minute more.
        """
        for _ in range(DELETION_LOOKS_MAX):
            if await self._runs.described(instance_id) is None:
                return True
            await asyncio.sleep(LOOK_AGAIN_S)
        return False
