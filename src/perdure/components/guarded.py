"""A component as one caller sees it: only what policies allow, and only of the app that it names.

An instance is looked at before it is changed. Of an app that the caller does not name there are no
instances. What is denied raises AccessDenied; a listing leaves it out, so that a page may be
shorter than was asked for.
"""

from collections.abc import Sequence
from dataclasses import replace

from perdure.base.errors import AccessDenied
from perdure.components.asking import Asker
from perdure.components.deliveries import Deliveries
from perdure.components.port import (
    Done,
    HistoryPage,
    IdPage,
    InstancePage,
    InstanceView,
    Purged,
    Started,
    TaskView,
    WorkflowComponent,
)
from perdure.core.access import Access, Operation
from perdure.core.admit import NO_SUCH_INSTANCE
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
from perdure.core.rerun import no_source
from perdure.store.query import InstanceQuery


class Guarded:
    """Stands before a component for the length of one call; promises as `components.port`."""

    def __init__(self, inner: WorkflowComponent, access: Access, asker: Asker) -> None:
        """Let `asker` through where `access` allows it."""
        self._inner = inner
        self._access = access
        self._asker = asker
        self.name = inner.name
        self.kind = inner.kind

    @property
    def deliveries(self) -> Deliveries | None:
        return self._inner.deliveries

    def trouble(self) -> str | None:
        return self._inner.trouble()

    # ---- requests

    async def start(self, request: Start) -> Started | Refusal:
        self._check(request.app_id, Operation.SCHEDULE, request.name)
        await self._check_place(request)
        return await self._inner.start(request)

    async def raise_event(self, request: RaiseEvent) -> Done | Refusal:
        if await self._seen(request.instance_id, Operation.RAISE) is None:
            return NO_SUCH_INSTANCE
        return await self._inner.raise_event(request)

    async def terminate(self, request: Terminate) -> Done | Refusal:
        if await self._seen(request.instance_id, Operation.TERMINATE) is None:
            return NO_SUCH_INSTANCE
        return await self._inner.terminate(request)

    async def suspend(self, request: Suspend) -> Done | Refusal:
        if await self._seen(request.instance_id, Operation.PAUSE) is None:
            return NO_SUCH_INSTANCE
        return await self._inner.suspend(request)

    async def resume(self, request: Resume) -> Done | Refusal:
        if await self._seen(request.instance_id, Operation.RESUME) is None:
            return NO_SUCH_INSTANCE
        return await self._inner.resume(request)

    async def purge(self, request: Purge) -> Purged | Refusal:
        if await self._seen(request.instance_id, Operation.PURGE) is None:
            return NO_SUCH_INSTANCE
        return await self._inner.purge(request)

    async def rerun(self, request: Rerun) -> Started | Refusal:
        view = await self._inner.get(request.source_id, payloads=False)
        if view is not None and self._shown(view, Operation.RERUN) is None:
            return no_source(request)
        return await self._inner.rerun(request)

    # ---- reads

    async def get(self, instance_id: str, *, payloads: bool = True) -> InstanceView | None:
        return self._shown(await self._inner.get(instance_id, payloads=payloads), Operation.GET)

    async def wait(
        self, instance_id: str, *, finished: bool, timeout_us: int | None, payloads: bool = True
    ) -> InstanceView | None:
        await self._seen(instance_id, Operation.GET)
        view = await self._inner.wait(
            instance_id, finished=finished, timeout_us=timeout_us, payloads=payloads
        )
        return self._shown(view, Operation.GET)

    async def history(
        self, instance_id: str, *, after_seq: int = 0, limit: int | None = None
    ) -> HistoryPage | None:
        if await self._seen(instance_id, Operation.GET) is None:
            return None
        return await self._inner.history(instance_id, after_seq=after_seq, limit=limit)

    async def tasks(self, instance_id: str) -> Sequence[TaskView] | None:
        if await self._seen(instance_id, Operation.GET) is None:
            return None
        return await self._inner.tasks(instance_id)

    async def find(self, query: InstanceQuery, *, payloads: bool = False) -> InstancePage:
        page = await self._inner.find(query, payloads=payloads)
        return replace(page, instances=tuple(filter(self._may_see, page.instances)))

    async def list_ids(self, token: str | None, limit: int) -> IdPage:
        page = await self._inner.list_ids(token, limit)
        views = [await self._inner.get(each, payloads=False) for each in page.instance_ids]
        seen = tuple(view.instance_id for view in views if view and self._may_see(view))
        return replace(page, instance_ids=seen)

    async def known_names(self) -> Sequence[str]:
        return await self._inner.known_names()

    # ---- who may what

    async def _seen(self, instance_id: str, operation: Operation) -> InstanceView | None:
        """Return the instance if there is one for the caller, who may do the operation to it."""
        return self._shown(await self._inner.get(instance_id, payloads=False), operation)

    def _shown(self, view: InstanceView | None, operation: Operation) -> InstanceView | None:
        if view is None or self._asker.owner not in {None, view.app_id}:
            return None
        self._check(view.app_id, operation, view.name)
        return view

    async def _check_place(self, request: Start) -> None:
        """Look at who has the id: a start may end and delete what it finds there."""
        if self._access.is_open:
            return
        found = await self._inner.get(request.instance_id, payloads=False)
        if found is None:
            return
        ends = found.status in request.terminate_existing
        if ends and not found.finished:
            self._check(found.app_id, Operation.TERMINATE, found.name)
        if ends or (found.finished and request.replace_finished):
            self._check(found.app_id, Operation.PURGE, found.name)

    def _may_see(self, view: InstanceView) -> bool:
        asker = self._asker
        if asker.owner not in {None, view.app_id}:
            return False
        return self._access.denies(asker.app_id, view.app_id, Operation.GET, view.name) is None

    def _check(self, app_id: str, operation: Operation, name: str) -> None:
        denied = self._access.denies(self._asker.app_id, app_id, operation, name)
        if denied is not None:
            raise AccessDenied(denied)
