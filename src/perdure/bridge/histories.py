"""Histories of instances, as their runs hold them: the run is asked for its own."""

from temporalio.api.common.v1 import Payloads, WorkflowExecution
from temporalio.api.query.v1 import WorkflowQuery
from temporalio.api.workflowservice.v1 import QueryWorkflowRequest
from temporalio.service import WorkflowService

from perdure.bridge import names
from perdure.bridge.options import QUERY_TIMEOUT_S
from perdure.bridge.texts import raw_text
from perdure.components.temporal.connection import Connection
from perdure.components.temporal.faults import fault_of
from perdure.core.requests import Reason, Refusal
from perdure.wire.generated.management_pb2 import StoredEvents


class RunHistories:
    """Reads the events of an instance's present generation."""

    def __init__(self, connection: Connection) -> None:
        """Ask through `connection`; a bridge that polls the run's task queue answers."""
        self._connection = connection

    async def after(self, run: WorkflowExecution, count: int) -> list[bytes]:
        """Return events after the first `count`, as many as fit; none if there are no more."""
        answer = await self._connection.ask(
            WorkflowService.query_workflow,
            QueryWorkflowRequest(
                namespace=self._connection.namespace,
                execution=run,
                query=WorkflowQuery(
                    query_type=names.HISTORY,
                    query_args=Payloads(payloads=[raw_text(str(count)).payload]),
                ),
            ),
            timeout_s=QUERY_TIMEOUT_S,
        )
        if isinstance(answer, Refusal):
            if answer.reason is not Reason.NOT_FOUND:
                raise fault_of(answer, self._connection.where)
            return []
        page = answer.query_result.payloads
        return list(StoredEvents.FromString(page[0].data).events) if page else []

    async def all_of(self, run: WorkflowExecution) -> list[bytes]:
        """Return every event."""
        found: list[bytes] = []
        while page := await self.after(run, len(found)):
            found += page
        return found
