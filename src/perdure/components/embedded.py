"""The embedded workflow component: the engine of this process, as the doors ask for it."""

import asyncio
from collections.abc import Sequence
from typing import Final

from perdure.base.errors import CallerFault
from perdure.base.limits import HISTORY_PAGE_ROWS_MAX, LIST_IDS_PAGE_DEFAULT, PAGE_ROWS_MAX
from perdure.base.observer import Observer, Operation
from perdure.base.time import SECOND_US, Clock
from perdure.components.catalog import EMBEDDED
from perdure.components.deliveries import Deliveries
from perdure.components.embedded_deliveries import EmbeddedDeliveries
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
from perdure.components.views import payloads_of, task_view, view_of
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
from perdure.core.status import TERMINAL, Status
from perdure.engine.service import Engine
from perdure.store.port import Snapshot, Store
from perdure.store.query import InstanceQuery

# How long a terminate is waited for before it is reported as accepted and not yet in force.
_TERMINATE_WAIT_US: Final = 2 * SECOND_US
_KEY_DIGITS_MAX: Final = 18  # every number of so many digits is one that a store can hold


class EmbeddedComponent:
    """The engine behind the interface of `components.port`; promises as written there."""

    name = EMBEDDED
    kind = "workflow.dapr"

    def __init__(self, engine: Engine, clock: Clock, observer: Observer) -> None:
        """Stand before `engine`."""
        self._engine = engine
        self._clock = clock
        self._observer = observer
        self.deliveries: Deliveries = EmbeddedDeliveries(engine, clock, observer)

    def trouble(self) -> str | None:
        return None  # the engine is in this process

    # ---- requests

    async def start(self, request: Start) -> Started | Refusal:
        began_us = self._clock.now_us()
        result = await self._engine.begin(request)
        self._measure("create_workflow", began_us, refused=isinstance(result, Refusal))
        return result if isinstance(result, Refusal) else Started(result)

    async def raise_event(self, request: RaiseEvent) -> Done | Refusal:
        return await self._change(request)

    async def terminate(self, request: Terminate) -> Done | Refusal:
        met = await self._engine.change(request)
        if isinstance(met, Refusal):
            return met
        until_us = self._clock.now_us() + _TERMINATE_WAIT_US
        in_force = await self._ended(request.instance_id, until_us)
        if in_force and request.recursive:
            in_force = await self._ended_below(request.instance_id, until_us)
        return Done(in_force=in_force)

    async def _ended(self, instance_id: str, until_us: int) -> bool:
        left_us = max(until_us - self._clock.now_us(), 0)
        after = await self._engine.wait(instance_id, finished=True, timeout_us=left_us)
        return after is None or Status(after.status) in TERMINAL

    async def _ended_below(self, instance_id: str, until_us: int) -> bool:
        """Return whether all that were open beneath an instance that has ended have ended, too."""
        waiting, seen = self._open_below(instance_id), {instance_id}
        while waiting:
            part, waiting = waiting[:PAGE_ROWS_MAX], waiting[PAGE_ROWS_MAX:]
            if not all(await asyncio.gather(*(self._is_over(each, until_us) for each in part))):
                return False
            # A child whose id was taken is open until its parent hears of it: it may be anybody.
            seen.update(part)
            below = dict.fromkeys(below for each in part for below in self._open_below(each))
            waiting += [each for each in below if each not in seen]
        return True

    async def _is_over(self, instance_id: str, until_us: int) -> bool:
        # Who is not there was purged: a child is born in the commit in which its parent is told.
        snapshot = await self._engine.snapshot(instance_id)
        return snapshot is None or await self._ended(instance_id, until_us)

    def _open_below(self, instance_id: str) -> list[str]:
        # What has just ended is still in memory, and knows what was open then.
        resident = self._engine.resident(instance_id)
        children = () if resident is None else resident.state.open_children.values()
        return [child.instance_id for child in children]

    async def suspend(self, request: Suspend) -> Done | Refusal:
        return await self._change(request)

    async def resume(self, request: Resume) -> Done | Refusal:
        return await self._change(request)

    async def purge(self, request: Purge) -> Purged | Refusal:
        began_us = self._clock.now_us()
        result = await self._engine.purge(request)
        self._measure("purge_workflow", began_us, refused=isinstance(result, Refusal))
        return result if isinstance(result, Refusal) else Purged(result)

    async def rerun(self, request: Rerun) -> Started | Refusal:
        result = await self._engine.rerun(request)
        return result if isinstance(result, Refusal) else Started(result)

    async def _change(self, request: RaiseEvent | Suspend | Resume) -> Done | Refusal:
        began_us = self._clock.now_us()
        met = await self._engine.change(request)
        if isinstance(request, RaiseEvent):
            self._measure("add_event", began_us, refused=isinstance(met, Refusal))
        return met if isinstance(met, Refusal) else Done()

    # ---- reads

    async def get(self, instance_id: str, *, payloads: bool = True) -> InstanceView | None:
        began_us = self._clock.now_us()
        snapshot = await self._engine.snapshot(instance_id)
        self._measure("get_workflow", began_us, refused=snapshot is None)
        return await self._view(snapshot, payloads=payloads)

    async def wait(
        self, instance_id: str, *, finished: bool, timeout_us: int | None, payloads: bool = True
    ) -> InstanceView | None:
        snapshot = await self._engine.wait(instance_id, finished=finished, timeout_us=timeout_us)
        return await self._view(snapshot, payloads=payloads)

    async def _view(self, snapshot: Snapshot | None, *, payloads: bool) -> InstanceView | None:
        if snapshot is None:
            return None
        if not payloads:
            return view_of(snapshot, None)
        resident = self._engine.resident(snapshot.identity.instance_id)
        # A snapshot from the disk may be of a moment that the memory has still to hear of.
        if (
            resident is not None
            and resident.state.started is not None
            and (resident.key, resident.version) == (snapshot.key, snapshot.version)
        ):
            found = payloads_of(resident.state.started, resident.state.completed)
            return view_of(snapshot, found)
        key = snapshot.key
        started, completed = await self._engine.read(lambda store: store.payload_events(key))
        return view_of(snapshot, payloads_of(started, completed))

    async def history(
        self, instance_id: str, *, after_seq: int = 0, limit: int | None = None
    ) -> HistoryPage | None:
        snapshot = await self._engine.snapshot(instance_id)
        if snapshot is None:
            return None
        wanted = HISTORY_PAGE_ROWS_MAX if limit is None else min(limit, HISTORY_PAGE_ROWS_MAX)
        rows = await self._engine.read(lambda store: store.history(snapshot.key, after_seq, wanted))
        more = len(rows) == wanted and rows[-1].seq < snapshot.head.history_length
        return HistoryPage(
            events=tuple(row.event for row in rows),
            first_seq=rows[0].seq if rows else after_seq + 1,
            next_after=rows[-1].seq if more else None,
        )

    async def tasks(self, instance_id: str) -> Sequence[TaskView] | None:
        snapshot = await self._engine.snapshot(instance_id)
        if snapshot is None:
            return None
        rows = await self._engine.read(lambda store: store.tasks_of(snapshot.key))
        return [task_view(row) for row in rows]

    async def find(self, query: InstanceQuery, *, payloads: bool = False) -> InstancePage:
        if not 1 <= query.limit <= PAGE_ROWS_MAX:
            msg = f"a page has from 1 to {PAGE_ROWS_MAX} instances"
            raise CallerFault(msg)

        def ask(store: Store) -> InstancePage:
            page = store.find(query)
            views = []
            for snapshot in page.rows:
                found = payloads_of(*store.payload_events(snapshot.key)) if payloads else None
                views.append(view_of(snapshot, found))
            return InstancePage(tuple(views), page.next_token)

        return await self._engine.read(ask)

    async def list_ids(self, token: str | None, limit: int) -> IdPage:
        wanted = limit or LIST_IDS_PAGE_DEFAULT
        if token is not None and not _is_key(token):
            msg = "the continuation token is not one of ours"
            raise CallerFault(msg)
        after = int(token) if token else 0
        rows = await self._engine.read(lambda store: store.list_ids(after, wanted + 1))
        page = rows[:wanted]
        more = len(rows) > wanted
        return IdPage(tuple(row[1] for row in page), str(page[-1][0]) if more else None)

    async def known_names(self) -> Sequence[str]:
        counts = await self._engine.read(lambda store: store.name_counts())
        return sorted(counts, key=lambda name: (-counts[name], name))

    def _measure(self, kind: Operation, began_us: int, *, refused: bool) -> None:
        self._observer.operation(
            kind,
            app_id=self._engine.settings.app_id,
            succeeded=not refused,
            latency_us=max(0, self._clock.now_us() - began_us),
        )


def _is_key(token: str) -> bool:
    return token.isascii() and token.isdigit() and len(token) <= _KEY_DIGITS_MAX
