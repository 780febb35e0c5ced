"""What every engine on a Temporal cluster has alike: it is looked after, asked and described.

How it starts instances, what it shows of them and how it lists them is its own.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import structlog
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse

from perdure.base.errors import CallerFault
from perdure.base.limits import HISTORY_PAGE_ROWS_MAX, PAGE_ROWS_MAX
from perdure.components.port import Done, HistoryPage, InstanceView, Purged, TaskView
from perdure.components.temporal.bounds import HEALTH_CHECK_S
from perdure.components.temporal.connection import Connection
from perdure.components.temporal.settings import KIND
from perdure.core.requests import Purge, RaiseEvent, Refusal, Resume, Suspend, Terminate
from perdure.store.query import InstanceQuery

_log = structlog.get_logger("perdure.temporal")

Tasks: TypeAlias = Callable[
    [AsyncIterator[HistoryEvent], Sequence[PendingActivityInfo]], Awaitable[Sequence[TaskView]]
]


class Changes(Protocol):
    """Changes running instances."""

    async def raise_event(self, request: RaiseEvent) -> Done | Refusal:
        """Give an instance an event."""
        ...

    async def terminate(self, request: Terminate) -> Done | Refusal:
        """End an instance."""
        ...

    async def suspend(self, request: Suspend) -> Done | Refusal:
        """Let an instance take no new work."""
        ...

    async def resume(self, request: Resume) -> Done | Refusal:
        """Let an instance go on."""
        ...


class Purges(Protocol):
    """Deletes instances."""

    async def purge(self, request: Purge) -> Purged | Refusal:
        """Delete everything about an instance."""
        ...


class Described(Protocol):
    """Knows which run an instance id means."""

    async def described(self, instance_id: str) -> DescribeWorkflowExecutionResponse | None:
        """Return the run of an instance, or None if there is none."""
        ...


class Events(Protocol):
    """Reads what the cluster has written of a run."""

    def all(self, run: WorkflowExecution) -> AsyncIterator[HistoryEvent]:
        """Yield its events from the first to the last."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What an engine on a cluster is made of, as far as it is alike."""

    connection: Connection
    runs: Described
    events: Events
    changes: Changes
    purges: Purges
    tasks: Tasks


class OnCluster(ABC):
    """An engine on a Temporal cluster. Its calls raise ComponentUnavailable and ComponentError."""

    kind = KIND
    deliveries = None  # a message's receipt is here and its effect there: that is no one commit

    def __init__(self, parts: Parts) -> None:
        """Nothing is connected before `open` or the first call."""
        self._parts = parts
        self._watching: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Begin to look, now and then, whether the cluster answers. It may be away."""
        self._watching = asyncio.ensure_future(self._watch())

    async def close(self) -> None:
        """Stop looking."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    def trouble(self) -> str | None:
        """Return why the cluster cannot be asked just now."""
        return self._parts.connection.trouble

    async def _watch(self) -> None:
        while True:
            try:
                await self._parts.connection.check()
            except Exception:  # noqa: BLE001 - whatever it is, it is told, and looked at again
                # The next look may tell more; if there were none, nobody would ever know.
                _log.exception("a Temporal cluster could not be looked at")
            await asyncio.sleep(HEALTH_CHECK_S)

    # ---- requests

    async def raise_event(self, request: RaiseEvent) -> Done | Refusal:
        """Give an instance an event; the cluster has it when this returns."""
        return await self._parts.changes.raise_event(request)

    async def terminate(self, request: Terminate) -> Done | Refusal:
        """End an instance, and with `recursive` its descendants."""
        return await self._parts.changes.terminate(request)

    async def suspend(self, request: Suspend) -> Done | Refusal:
        """Let an instance take no new work."""
        return await self._parts.changes.suspend(request)

    async def resume(self, request: Resume) -> Done | Refusal:
        """Let an instance go on."""
        return await self._parts.changes.resume(request)

    async def purge(self, request: Purge) -> Purged | Refusal:
        """Delete everything about an instance."""
        return await self._parts.purges.purge(request)

    # ---- reads

    @abstractmethod
    async def _view(
        self, described: DescribeWorkflowExecutionResponse | None, *, payloads: bool
    ) -> InstanceView | None:
        """Return what readers may see of a run."""
        ...

    async def get(self, instance_id: str, *, payloads: bool = True) -> InstanceView | None:
        """Return what readers may see, or None if there is no such instance."""
        described = await self._parts.runs.described(instance_id)
        return await self._view(described, payloads=payloads)

    @abstractmethod
    async def _page(
        self, run: WorkflowExecution, after_seq: int, wanted: int
    ) -> HistoryPage | None:
        """Return up to `wanted` events of a run after one, or None if the run is gone."""
        ...

    async def history(
        self, instance_id: str, *, after_seq: int = 0, limit: int | None = None
    ) -> HistoryPage | None:
        """Return a page of the history, or None if there is no such instance."""
        described = await self._parts.runs.described(instance_id)
        if described is None:
            return None
        most = HISTORY_PAGE_ROWS_MAX
        wanted = most if limit is None else min(limit, most)
        return await self._page(described.workflow_execution_info.execution, after_seq, wanted)

    async def tasks(self, instance_id: str) -> Sequence[TaskView] | None:
        """Return the activities of an instance, or None if there is none."""
        described = await self._parts.runs.described(instance_id)
        if described is None:
            return None
        events = self._parts.events.all(described.workflow_execution_info.execution)
        return await self._parts.tasks(events, described.pending_activities)


def check_page(query: InstanceQuery) -> None:
    """Raise CallerFault if a listing asks for pages of a size that there is not."""
    if not 1 <= query.limit <= PAGE_ROWS_MAX:
        raise CallerFault(f"a page has from 1 to {PAGE_ROWS_MAX} instances")
