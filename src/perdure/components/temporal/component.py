"""A Temporal cluster behind the interface of `components.port`; promises as written there."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionResponse,
)
from temporalio.service import WorkflowService
from typing_extensions import override

from perdure.base.errors import CallerFault
from perdure.base.limits import LIST_IDS_PAGE_DEFAULT
from perdure.base.time import Clock
from perdure.components.port import (
    HistoryPage,
    IdPage,
    InstancePage,
    InstanceView,
    Started,
)
from perdure.components.temporal import refusals
from perdure.components.temporal.activities import tasks_of
from perdure.components.temporal.attributes import SearchAttributes
from perdure.components.temporal.bounds import (
    NAMES_LOOKED_AT,
    READS_AT_ONCE,
)
from perdure.components.temporal.changing import Changing
from perdure.components.temporal.connection import Connection
from perdure.components.temporal.events import shown_event
from perdure.components.temporal.filters import id_of, names_tags, visibility_of
from perdure.components.temporal.histories import Histories
from perdure.components.temporal.on_cluster import OnCluster, Parts, check_page
from perdure.components.temporal.options import read_options
from perdure.components.temporal.purging import Purging
from perdure.components.temporal.rerunning import Rerunning
from perdure.components.temporal.runs import Runs
from perdure.components.temporal.settings import TemporalSettings
from perdure.components.temporal.starting import request_of
from perdure.components.temporal.views import Ends, listed_view, view_of
from perdure.components.temporal.waiting import Waiting
from perdure.core.requests import (
    Reason,
    Refusal,
    Rerun,
    Start,
)
from perdure.store.query import InstanceQuery


class TemporalComponent(OnCluster):
    """One namespace of a Temporal cluster.

    Every call may raise ComponentUnavailable, within seconds, and ComponentError.
    """

    def __init__(self, settings: TemporalSettings, clock: Clock, *, app_id: str) -> None:
        """Take the settings; nothing is connected before `open` or the first call.

        Its instances are those of the app whose server this is: policies of access ask for that.
        """
        self._app_id = app_id
        self.name = settings.name
        self._settings = settings
        self._clock = clock
        self._connection = Connection(settings, clock)
        self._runs = Runs(self._connection)
        self._histories = Histories(self._connection)
        self._attributes = SearchAttributes(self._connection, clock)
        self._rerunning = Rerunning(self._connection, self._runs, self._histories)
        self._waiting = Waiting(self._connection, self._runs)
        super().__init__(
            Parts(
                connection=self._connection,
                runs=self._runs,
                events=self._histories,
                changes=Changing(self._connection, self._runs),
                purges=Purging(self._connection, self._runs),
                tasks=tasks_of,
            )
        )

    # ---- requests

    async def start(self, request: Start) -> Started | Refusal:
        try:
            options = read_options(request.options)
            tagged = request.tags or options.search_attributes
            registered = await self._attributes.registered() if tagged else {}
            now_us = self._clock.now_us()
            asked = request_of(request, options, self._settings, registered, now_us)
        except CallerFault as fault:
            return Refusal(Reason.INVALID, str(fault))
        answer = await self._connection.ask(WorkflowService.start_workflow_execution, asked)
        if not isinstance(answer, Refusal):
            return Started(request.instance_id)
        return refusals.taken(request) if answer.reason is Reason.ALREADY_EXISTS else answer

    async def rerun(self, request: Rerun) -> Started | Refusal:
        return await self._rerunning.rerun(request)

    # ---- reads

    async def wait(
        self, instance_id: str, *, finished: bool, timeout_us: int | None, payloads: bool = True
    ) -> InstanceView | None:
        described = await self._waiting.arrived(
            instance_id, finished=finished, timeout_us=timeout_us
        )
        return await self._view(described, payloads=payloads)

    async def _view(
        self, described: DescribeWorkflowExecutionResponse | None, *, payloads: bool
    ) -> InstanceView | None:
        if described is None:
            return None
        run = described.workflow_execution_info.execution
        view = view_of(self.name, described, await self._ends(run, payloads=payloads))
        return replace(view, app_id=self._app_id)

    async def _ends(self, run: WorkflowExecution, *, payloads: bool) -> Ends:
        if not payloads:
            return Ends(None, await self._histories.last(run))
        first, last = await asyncio.gather(self._histories.first(run), self._histories.last(run))
        return Ends(first, last)

    @override
    async def _page(
        self, run: WorkflowExecution, after_seq: int, wanted: int
    ) -> HistoryPage | None:
        found = await self._histories.after(run, after_seq, wanted)
        if found is None:
            return None
        events, more = found
        return HistoryPage(
            events=tuple(shown_event(event) for event in events),
            first_seq=events[0].event_id if events else after_seq + 1,
            next_after=events[-1].event_id if more else None,
        )

    async def find(self, query: InstanceQuery, *, payloads: bool = False) -> InstancePage:
        check_page(query)
        only = id_of(query.where)
        if only is not None and query.token is None:
            found = await self.get(only, payloads=payloads)
            return InstancePage(() if found is None else (found,), None)
        registered = await self._attributes.registered() if names_tags(query.where) else {}
        visibility = visibility_of(query, registered)
        page, token = await self._runs.listed(visibility, query.limit, query.token)
        reads = asyncio.Semaphore(READS_AT_ONCE)

        async def view(info: WorkflowExecutionInfo) -> InstanceView:
            ends = Ends()
            if payloads:
                async with reads:
                    ends = await self._ends(info.execution, payloads=True)
            return replace(listed_view(self.name, info, ends), app_id=self._app_id)

        return InstancePage(tuple(await asyncio.gather(*map(view, page))), token)

    async def list_ids(self, token: str | None, limit: int) -> IdPage:
        query = InstanceQuery(limit=limit or LIST_IDS_PAGE_DEFAULT)
        found, following = await self._runs.listed(visibility_of(query, {}), query.limit, token)
        return IdPage(tuple(info.execution.workflow_id for info in found), following)

    async def known_names(self) -> Sequence[str]:
        visibility = visibility_of(InstanceQuery(), {})
        found, _ = await self._runs.listed(visibility, NAMES_LOOKED_AT)
        counts = Counter(info.type.name for info in found)
        counts.update(dict.fromkeys(self._settings.workflow_types, 0))
        return sorted(counts, key=lambda name: (-counts[name], name))
