"""Waiting for an instance: the cluster holds a question back until there is an answer."""

import asyncio
from typing import Final

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import HistoryEventFilterType
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionResponse,
    GetWorkflowExecutionHistoryRequest,
)
from temporalio.service import WorkflowService

from perdure.base.time import SECOND_US
from perdure.components.temporal.bounds import LONG_POLL_S, LOOK_AGAIN_S
from perdure.components.temporal.connection import Connection
from perdure.components.temporal.runs import Runs
from perdure.components.temporal.standing import status_of
from perdure.core.requests import Refusal
from perdure.core.status import TERMINAL, Status

_NEVER_S: Final = float("inf")


class Waiting:
    """Waits for instances."""

    def __init__(self, connection: Connection, runs: Runs) -> None:
        """Wait through `connection`."""
        self._connection = connection
        self._runs = runs

    async def arrived(
        self, instance_id: str, *, finished: bool, timeout_us: int | None
    ) -> DescribeWorkflowExecutionResponse | None:
        """Return the description once it has started, or finished, or the time is over.

        None if there is still no such instance then. A run that goes on as a new one has not
        finished: the next one is waited for.
        """
        loop = asyncio.get_running_loop()
        end_s = _NEVER_S if timeout_us is None else loop.time() + timeout_us / SECOND_US
        while True:
            described = await self._runs.described(instance_id)
            left_s = end_s - loop.time()
            if _has_arrived(described, finished=finished) or left_s <= 0:
                return described
            if described is None or not finished:
                await asyncio.sleep(min(LOOK_AGAIN_S, left_s))
            else:
                await self._end_of(described.workflow_execution_info.execution, left_s)

    async def _end_of(self, run: WorkflowExecution, left_s: float) -> None:
        """Return when the run has ended, or when it is time to look again."""
        answer = await self._connection.poll(
            WorkflowService.get_workflow_execution_history,
            GetWorkflowExecutionHistoryRequest(
                namespace=self._connection.namespace,
                execution=run,
                wait_new_event=True,
                history_event_filter_type=(
                    HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT
                ),
                skip_archival=True,
            ),
            timeout_s=min(LONG_POLL_S, left_s),
        )
        if isinstance(answer, Refusal):
            # Whatever it is that the cluster does not hold back, it is not asked for in haste.
            await asyncio.sleep(min(LOOK_AGAIN_S, left_s))


def _has_arrived(described: DescribeWorkflowExecutionResponse | None, *, finished: bool) -> bool:
    if described is None:
        return False
    status = status_of(described.workflow_execution_info, described)
    return status in TERMINAL if finished else status is not Status.PENDING
