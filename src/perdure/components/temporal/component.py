"""A Temporal cluster behind the interface of `components.port`; promises as written there."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import structlog
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionResponse,
)
from temporalio.service import WorkflowService

from perdure.base.errors import CallerFault
from perdure.base.limits import HISTORY_PAGE_ROWS_MAX, LIST_IDS_PAGE_DEFAULT, PAGE_ROWS_MAX
from perdure.base.time import Clock
from perdure.components.port import (
    Done,
    HistoryPage,
    IdPage,
    InstancePage,
    InstanceView,
    Purged,
    Started,
    TaskView,
)
from perdure.components.temporal import refusals
from perdure.components.temporal.activities import tasks_of
from perdure.components.temporal.attributes import SearchAttributes
from perdure.components.temporal.bounds import (
    HEALTH_CHECK_S,
    NAMES_LOOKED_AT,
    READS_AT_ONCE,
)
from perdure.components.temporal.changing import Changing
from perdure.components.temporal.connection import Connection
from perdure.components.temporal.events import shown_event
from perdure.components.temporal.filters import id_of, names_tags, visibility_of
from perdure.components.temporal.histories import Histories
from perdure.components.temporal.options import read_options
from perdure.components.temporal.purging import Purging
from perdure.components.temporal.rerunning import Rerunning
from perdure.components.temporal.runs import Runs
from perdure.components.temporal.settings import KIND, TemporalSettings
from perdure.components.temporal.starting import request_of
from perdure.components.temporal.views import Ends, listed_view, view_of
from perdure.components.temporal.waiting import Waiting
from perdure.core.requests import (
    Purge,
    RaiseEvent,
    Reason,
    Refusal,
    Rerun,
    Resume,
    Start,
    Suspend,
    Terminate,
)
from perdure.store.query import InstanceQuery

_log = structlog.get_logger("perdure.temporal")


class TemporalComponent:
    """One namespace of a Temporal cluster.

    Every call may raise ComponentUnavailable, within seconds, and ComponentError.
    """

    kind = KIND
    deliveries = None  # a message's receipt is here and its effect there: that is no one commit

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
        self._changing = Changing(self._connection, self._runs)
        self._purging = Purging(self._connection, self._runs)
        self._rerunning = Rerunning(self._connection, self._runs, self._histories)
        self._waiting = Waiting(self._connection, self._runs)
        self._watching: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Begin to look, now and then, whether the cluster answers. It may be away."""
        self._watching = asyncio.ensure_future(self._watch())
        self._watching.add_done_callback(_tell_of_end)

    async def close(self) -> None:
        """Stop looking."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    def trouble(self) -> str | None:
        return self._connection.trouble

    async def _watch(self) -> None:
        while True:
            await self._connection.check()
            await asyncio.sleep(HEALTH_CHECK_S)

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

    async def raise_event(self, request: RaiseEvent) -> Done | Refusal:
        return await self._changing.raise_event(request)

    async def terminate(self, request: Terminate) -> Done | Refusal:
        return await self._changing.terminate(request)

    async def suspend(self, request: Suspend) -> Done | Refusal:
        return await self._changing.suspend(request)

    async def resume(self, request: Resume) -> Done | Refusal:
        return await self._changing.resume(request)

    async def purge(self, request: Purge) -> Purged | Refusal:
        return await self._purging.purge(request)

    async def rerun(self, request: Rerun) -> Started | Refusal:
        return await self._rerunning.rerun(request)

    # ---- reads

    async def get(self, instance_id: str, *, payloads: bool = True) -> InstanceView | None:
        return await self._view(await self._runs.described(instance_id), payloads=payloads)

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

    async def history(
        self, instance_id: str, *, after_seq: int = 0, limit: int | None = None
    ) -> HistoryPage | None:
        described = await self._runs.described(instance_id)
        if described is None:
            return None
        wanted = HISTORY_PAGE_ROWS_MAX if limit is None else min(limit, HISTORY_PAGE_ROWS_MAX)
        run = described.workflow_execution_info.execution
        found = await self._histories.after(run, after_seq, wanted)
        if found is None:
            return None
        events, more = found
        return HistoryPage(
            events=tuple(shown_event(event) for event in events),
            first_seq=events[0].event_id if events else after_seq + 1,
            next_after=events[-1].event_id if more else None,
        )

    async def tasks(self, instance_id: str) -> Sequence[TaskView] | None:
        described = await self._runs.described(instance_id)
        if described is None:
            return None
        events = self._histories.all(described.workflow_execution_info.execution)
        return await tasks_of(events, described.pending_activities)

    async def find(self, query: InstanceQuery, *, payloads: bool = False) -> InstancePage:
        if not 1 <= query.limit <= PAGE_ROWS_MAX:
            raise CallerFault(f"a page has from 1 to {PAGE_ROWS_MAX} instances")
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


def _tell_of_end(watching: asyncio.Task[None]) -> None:
    if not watching.cancelled():
        _log.error("a Temporal cluster is not looked after", exc_info=watching.exception())
