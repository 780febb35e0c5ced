"""The workflows of the bridge behind the interface that the doors ask (`components.port`)."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse

from perdure.base.errors import CallerFault
from perdure.base.limits import HISTORY_PAGE_ROWS_MAX, LIST_IDS_PAGE_DEFAULT, PAGE_ROWS_MAX
from perdure.base.time import SECOND_US, Clock
from perdure.bridge.changes import Changes
from perdure.bridge.envelope import queue_of
from perdure.bridge.histories import RunHistories
from perdure.bridge.listing import listing_of
from perdure.bridge.options import LOOK_AGAIN_S
from perdure.bridge.purges import LiveRuns, Purges
from perdure.bridge.settings import BridgeSettings
from perdure.bridge.starts import Starts
from perdure.bridge.tasks import task_views
from perdure.bridge.views import described_view, status_of_run, view_in_list
from perdure.components.catalog import EMBEDDED
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
from perdure.components.temporal.attributes import SearchAttributes
from perdure.components.temporal.bounds import HEALTH_CHECK_S, NAMES_LOOKED_AT, READS_AT_ONCE
from perdure.components.temporal.connection import Connection
from perdure.components.temporal.filters import names_tags
from perdure.components.temporal.histories import Histories
from perdure.components.temporal.settings import KIND
from perdure.components.temporal.views import Ends
from perdure.components.temporal.waiting import Waiting
from perdure.core.requests import (
    Purge,
    RaiseEvent,
    Refusal,
    Rerun,
    Resume,
    Start,
    Suspend,
    Terminate,
)
from perdure.core.status import Status
from perdure.store.query import InstanceQuery


class BridgeComponent:
    """The instances of one app on a Temporal cluster.

    Every call may raise ComponentUnavailable, within seconds, and ComponentError.
    """

    name = EMBEDDED
    kind = KIND
    deliveries = None  # a message's receipt would be here and its effect there, in no one commit

    def __init__(self, settings: BridgeSettings, clock: Clock) -> None:
        """Take the settings; nothing is connected before the first call."""
        self._settings = settings
        self._connection = Connection(settings.cluster, clock)
        self._runs = LiveRuns(self._connection)
        self._temporals = Histories(self._connection)
        self._histories = RunHistories(self._connection)
        self._attributes = SearchAttributes(self._connection, clock)
        self._purges = Purges(self._connection, self._runs, self._temporals)
        self._waiting = Waiting(self._connection, self._runs)
        self._changes = Changes(self._connection, self._runs, self._waiting, clock)
        self._starts = Starts(settings, self._connection, self._runs, self._histories, clock)
        self._watching: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Begin to look, now and then, whether the cluster answers."""
        self._watching = asyncio.create_task(self._watch())

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
        answer = await self._starts.start(request)
        return answer if isinstance(answer, Refusal) else Started(answer)

    async def raise_event(self, request: RaiseEvent) -> Done | Refusal:
        return await self._changes.raise_event(request)

    async def terminate(self, request: Terminate) -> Done | Refusal:
        return await self._changes.terminate(request)

    async def suspend(self, request: Suspend) -> Done | Refusal:
        return await self._changes.suspend(request)

    async def resume(self, request: Resume) -> Done | Refusal:
        return await self._changes.resume(request)

    async def purge(self, request: Purge) -> Purged | Refusal:
        return await self._purges.purge(request)

    async def rerun(self, request: Rerun) -> Started | Refusal:
        answer = await self._starts.rerun(request)
        return answer if isinstance(answer, Refusal) else Started(answer)

    # ---- reads

    async def get(self, instance_id: str, *, payloads: bool = True) -> InstanceView | None:
        return await self._view(await self._runs.described(instance_id), payloads=payloads)

    async def wait(
        self, instance_id: str, *, finished: bool, timeout_us: int | None, payloads: bool = True
    ) -> InstanceView | None:
        if finished:
            described = await self._waiting.arrived(
                instance_id, finished=True, timeout_us=timeout_us
            )
        else:
            described = await self._begun(instance_id, timeout_us)
        return await self._view(described, payloads=payloads)

    async def _begun(
        self, instance_id: str, timeout_us: int | None
    ) -> DescribeWorkflowExecutionResponse | None:
        loop = asyncio.get_running_loop()
        end_s = None if timeout_us is None else loop.time() + timeout_us / SECOND_US
        while True:
            described = await self._runs.described(instance_id)
            is_over = end_s is not None and loop.time() >= end_s
            if is_over or (described is not None and _has_begun(described)):
                return described
            await asyncio.sleep(LOOK_AGAIN_S)

    async def _view(
        self, described: DescribeWorkflowExecutionResponse | None, *, payloads: bool
    ) -> InstanceView | None:
        if described is None:
            return None
        run = described.workflow_execution_info.execution
        ends = await self._ends(run) if payloads else Ends()
        return self._placed(described_view(self.name, described, ends))

    def _placed(self, view: InstanceView) -> InstanceView:
        """Return a view with its app; what a tool of Temporal's started is of this bridge's."""
        return view if view.app_id else replace(view, app_id=self._settings.app_id)

    async def _ends(self, run: WorkflowExecution) -> Ends:
        first, last = await asyncio.gather(self._temporals.first(run), self._temporals.last(run))
        return Ends(first, last)

    async def history(
        self, instance_id: str, *, after_seq: int = 0, limit: int | None = None
    ) -> HistoryPage | None:
        described = await self._runs.described(instance_id)
        if described is None:
            return None
        wanted = HISTORY_PAGE_ROWS_MAX if limit is None else min(limit, HISTORY_PAGE_ROWS_MAX)
        run = described.workflow_execution_info.execution
        events = (await self._histories.after(run, after_seq))[:wanted]
        last = after_seq + len(events)
        more = bool(events) and bool(await self._histories.after(run, last))
        return HistoryPage(tuple(events), after_seq + 1, last if more else None)

    async def tasks(self, instance_id: str) -> Sequence[TaskView] | None:
        described = await self._runs.described(instance_id)
        if described is None:
            return None
        events = self._temporals.all(described.workflow_execution_info.execution)
        return await task_views(events, described.pending_activities)

    async def find(self, query: InstanceQuery, *, payloads: bool = False) -> InstancePage:
        if not 1 <= query.limit <= PAGE_ROWS_MAX:
            raise CallerFault(f"a page has from 1 to {PAGE_ROWS_MAX} instances")
        found, token = await self._listed(query)
        reads = asyncio.Semaphore(READS_AT_ONCE)

        async def view(info: WorkflowExecutionInfo) -> InstanceView:
            if not payloads:
                return self._placed(view_in_list(self.name, info, Ends()))
            async with reads:
                ends = await self._ends(info.execution)
            return self._placed(view_in_list(self.name, info, ends))

        return InstancePage(tuple(await asyncio.gather(*map(view, found))), token)

    async def list_ids(self, token: str | None, limit: int) -> IdPage:
        query = InstanceQuery(limit=limit or LIST_IDS_PAGE_DEFAULT, token=token)
        found, following = await self._listed(query)
        return IdPage(tuple(info.execution.workflow_id for info in found), following)

    async def known_names(self) -> Sequence[str]:
        found, _ = await self._listed(InstanceQuery(limit=NAMES_LOOKED_AT))
        counts = Counter(info.type.name for info in found)
        return sorted(counts, key=lambda name: (-counts[name], name))

    async def _listed(
        self, query: InstanceQuery
    ) -> tuple[Sequence[WorkflowExecutionInfo], str | None]:
        registered = await self._attributes.registered() if names_tags(query.where) else {}
        queue = queue_of(self._settings.queues, self._settings.app_id)
        visibility = listing_of(query, registered, queue)
        return await self._runs.listed(visibility, query.limit, query.token)


def _has_begun(described: DescribeWorkflowExecutionResponse) -> bool:
    return status_of_run(described.workflow_execution_info) is not Status.PENDING
