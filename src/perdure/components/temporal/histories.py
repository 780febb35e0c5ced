"""Histories as the cluster hands them out: from either end, and from any event on."""

from collections import OrderedDict
from collections.abc import AsyncIterator
from typing import Final

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import (
    GetWorkflowExecutionHistoryRequest,
    GetWorkflowExecutionHistoryResponse,
    GetWorkflowExecutionHistoryReverseRequest,
)
from temporalio.service import WorkflowService

from perdure.base.errors import ComponentError
from perdure.components.temporal.bounds import EVENTS_MAX, EVENTS_PAGE, PLACES_MAX
from perdure.components.temporal.connection import Connection
from perdure.components.temporal.faults import fault_of
from perdure.core.requests import Reason, Refusal

_FROM_THE_START: Final = b""


class Histories:
    """Reads the histories of runs.

    The cluster pages by tokens of its own, and readers of ours go on from an event's number. So
    it is kept for a while with which token the page began that holds an event; without that a
    reader's page is looked for from the start.
    """

    def __init__(self, connection: Connection) -> None:
        """Read through `connection`."""
        self._connection = connection
        self._places: OrderedDict[tuple[str, int], bytes] = OrderedDict()

    async def first(self, run: WorkflowExecution) -> HistoryEvent | None:
        """Return the first event of a run, or None if the run is gone."""
        page = await self._page(run, _FROM_THE_START, page_size=1)
        return page.history.events[0] if page is not None and page.history.events else None

    async def last(self, run: WorkflowExecution) -> HistoryEvent | None:
        """Return the last event of a run, or None if the run is gone."""
        answer = await self._connection.ask(
            WorkflowService.get_workflow_execution_history_reverse,
            GetWorkflowExecutionHistoryReverseRequest(
                namespace=self._connection.namespace, execution=run, maximum_page_size=1
            ),
        )
        if isinstance(answer, Refusal):
            self._check_gone(answer)
            return None
        return answer.history.events[0] if answer.history.events else None

    async def after(
        self, run: WorkflowExecution, event_id: int, limit: int
    ) -> tuple[list[HistoryEvent], bool] | None:
        """Return up to `limit` events after `event_id`, at least 1, and whether there are more.

        None if the run is gone; where events after the first are asked for, it has none then.
        """
        assert limit > 0, limit
        found: list[HistoryEvent] = []
        start = self._places.get((run.run_id, event_id), _FROM_THE_START)
        async for token, events in self._pages(run, start):
            for event in events:
                if event.event_id <= event_id:
                    continue
                if len(found) == limit:
                    self._keep(run.run_id, found[-1].event_id, token)
                    return found, True
                found.append(event)
        # Every run has a first event: without it, it is gone.
        return (found, False) if found or event_id else None

    async def all(self, run: WorkflowExecution) -> AsyncIterator[HistoryEvent]:
        """Yield every event of a run; none if it is gone."""
        async for _, events in self._pages(run, _FROM_THE_START):
            for event in events:
                yield event

    async def _pages(
        self, run: WorkflowExecution, token: bytes
    ) -> AsyncIterator[tuple[bytes, list[HistoryEvent]]]:
        """Yield pages with the token that each began with."""
        for _ in range(EVENTS_MAX // EVENTS_PAGE):
            page = await self._page(run, token, page_size=EVENTS_PAGE)
            if page is None:
                return
            yield token, list(page.history.events)
            token = page.next_page_token
            if not token:
                return
        raise ComponentError(
            f"{self._connection.where}: a history has more than {EVENTS_MAX} events"
        )

    async def _page(
        self, run: WorkflowExecution, token: bytes, *, page_size: int
    ) -> GetWorkflowExecutionHistoryResponse | None:
        answer = await self._connection.ask(
            WorkflowService.get_workflow_execution_history,
            GetWorkflowExecutionHistoryRequest(
                namespace=self._connection.namespace,
                execution=run,
                maximum_page_size=page_size,
                next_page_token=token,
            ),
        )
        if isinstance(answer, Refusal):
            self._check_gone(answer)
            return None
        return answer

    def _check_gone(self, refusal: Refusal) -> None:
        if refusal.reason is not Reason.NOT_FOUND:
            raise fault_of(refusal, self._connection.where)

    def _keep(self, run_id: str, event_id: int, token: bytes) -> None:
        self._places[run_id, event_id] = token
        self._places.move_to_end((run_id, event_id))
        while len(self._places) > PLACES_MAX:
            self._places.popitem(last=False)
