"""The workflows of the bridge behind the interface that the doors ask (`components.port`)."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse
from typing_extensions import override

from perdure.base.limits import LIST_IDS_PAGE_DEFAULT
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
    HistoryPage,
    IdPage,
    InstancePage,
    InstanceView,
    Started,
)
from perdure.components.temporal.attributes import SearchAttributes
from perdure.components.temporal.bounds import NAMES_LOOKED_AT, READS_AT_ONCE
from perdure.components.temporal.connection import Connection
from perdure.components.temporal.filters import names_tags
from perdure.components.temporal.histories import Histories
from perdure.components.temporal.on_cluster import OnCluster, Parts, check_page
from perdure.components.temporal.views import Ends
from perdure.components.temporal.waiting import Waiting
from perdure.core.requests import (
    Refusal,
    Rerun,
    Start,
)
from perdure.core.status import Status
from perdure.store.query import InstanceQuery


class BridgeComponent(OnCluster):
    """The instances of one app on a Temporal cluster.

    Every call may raise ComponentUnavailable, within seconds, and ComponentError.
    """

    name = EMBEDDED

    def __init__(self, settings: BridgeSettings, clock: Clock) -> None:
        """Take the settings; nothing is connected before the first call."""
        self._settings = settings
        connection = Connection(settings.cluster, clock)
        self._runs = LiveRuns(connection)
        self._temporals = Histories(connection)
        self._histories = RunHistories(connection)
        self._attributes = SearchAttributes(connection, clock)
        self._waiting = Waiting(connection, self._runs)
        self._starts = Starts(settings, connection, self._runs, self._histories, clock)
        super().__init__(
            Parts(
                connection=connection,
                runs=self._runs,
                events=self._temporals,
                changes=Changes(connection, self._runs, self._waiting, clock),
                purges=Purges(connection, self._runs, self._temporals),
                tasks=task_views,
            )
        )

    # ---- requests

    async def start(self, request: Start) -> Started | Refusal:
        answer = await self._starts.start(request)
        return answer if isinstance(answer, Refusal) else Started(answer)

    async def rerun(self, request: Rerun) -> Started | Refusal:
        answer = await self._starts.rerun(request)
        return answer if isinstance(answer, Refusal) else Started(answer)

    # ---- reads

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

    @override
    async def _page(
        self, run: WorkflowExecution, after_seq: int, wanted: int
    ) -> HistoryPage | None:
        found = await self._histories.after(run, after_seq)
        events = found[:wanted]
        last = after_seq + len(events)
        more = len(found) > wanted or (found and await self._histories.after(run, last))
        return HistoryPage(tuple(events), after_seq + 1, last if more else None)

    async def find(self, query: InstanceQuery, *, payloads: bool = False) -> InstancePage:
        check_page(query)
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
