"""Finding instances: in memory if they are there, else in the store."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import partial

from perdure.base.errors import CallerFault
from perdure.base.limits import DESCENDANTS_MAX
from perdure.base.time import SECOND_US
from perdure.core.status import STATUSES, TERMINAL, Status
from perdure.engine.ownership import Ownership
from perdure.engine.reading import Reader
from perdure.engine.residents import Residents
from perdure.engine.waiters import Waiters
from perdure.store.port import Snapshot, Store


@dataclass(slots=True)
class _Line:
    """Those who ask for one instance that is not in memory."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    length: int = 0


class Lookup:
    """Finds instances."""

    def __init__(
        self, reader: Reader, residents: Residents, waiters: Waiters, owner: Ownership
    ) -> None:
        """Look into `residents` first, unless others than their `owner` may have changed them."""
        self._reader = reader
        self._owner = owner
        self._residents = residents
        self._waiters = waiters
        self._lines: dict[str, _Line] = {}
        self._shut: dict[str, asyncio.Event] = {}

    async def snapshot(self, instance_id: str) -> Snapshot | None:
        """Return an instance by id."""
        resident = self._residents.peek(instance_id)
        if resident is not None and self._owner.alone:
            return resident.snapshot()
        return await self._reader.read(lambda store: store.snapshot(instance_id))

    async def snapshot_in_order(self, instance_id: str) -> Snapshot | None:
        """Return an instance; who asks first for one of that id has it first.

        Reads of the store come back in any order, and events are to keep theirs (P6).
        """
        while (gate := self._shut.get(instance_id)) is not None:
            await gate.wait()
        line = self._lines.get(instance_id)
        if line is None:
            resident = self._residents.peek(instance_id)
            if resident is not None and self._owner.alone:
                return resident.snapshot()
            line = self._lines[instance_id] = _Line()
        line.length += 1
        try:
            # Let go before it is returned: whoever is next comes to run after the caller.
            async with line.turn:
                return await self.snapshot(instance_id)
        finally:
            line.length -= 1
            if not line.length:
                del self._lines[instance_id]

    def shut(self, instance_id: str) -> None:
        """Let those who ask in order wait until `open`: somebody else is to be first."""
        self._shut.setdefault(instance_id, asyncio.Event())

    def open(self, instance_id: str) -> None:
        """Let everybody go on who was shut out."""
        gate = self._shut.pop(instance_id, None)
        if gate is not None:
            gate.set()

    async def finished(self, key: int) -> None:
        """Return once the instance has ended or is gone."""
        if not self._owner.alone:
            await self._finished_anywhere(key)
            return
        resident = await self._residents.get(key)
        if resident is None:
            return
        with self._waiters.waiting(resident.instance_id, finished=True) as future:
            if not resident.finished and not resident.gone:
                await future

    async def _finished_anywhere(self, key: int) -> None:
        while True:
            snapshot = await self._reader.surely(lambda store: store.snapshot(key))
            if snapshot is None or Status(snapshot.status) in TERMINAL:
                return
            with self._waiters.waiting(snapshot.identity.instance_id, finished=True) as future:
                # It may have ended before we listened.
                snapshot = await self._reader.surely(lambda store: store.snapshot(key))
                if snapshot is None or Status(snapshot.status) in TERMINAL:
                    return
                await future

    async def reached(
        self, instance_id: str, *, finished: bool, timeout_us: int | None
    ) -> Snapshot | None:
        """Return an instance once it has started, or with `finished` ended, or time is up."""
        until = None
        if timeout_us is not None:
            until = asyncio.get_running_loop().time() + timeout_us / SECOND_US
        told = False
        while True:
            future = self._waiters.add(instance_id, finished=finished)
            try:
                if not self._is_on_its_way(instance_id, finished=finished):
                    snapshot = await self.snapshot(instance_id)
                    if told and snapshot is None:
                        return None  # it is gone, and that is an end
                    if snapshot and _is_reached(STATUSES[snapshot.status], finished=finished):
                        return snapshot
                try:
                    told |= await (future if until is None else _by(until, future))
                except TimeoutError:
                    return await self.snapshot(instance_id)
            finally:
                self._waiters.remove(instance_id, future)
            # Another life of the id may have begun meanwhile; then that one is waited for.

    def _is_on_its_way(self, instance_id: str, *, finished: bool) -> bool:
        """Tell whether it is in memory, and has not come so far."""
        resident = self._residents.peek(instance_id) if self._owner.alone else None
        return resident is not None and not _is_reached(resident.status, finished=finished)

    def tell_gone(self, instance_id: str) -> None:
        """Wake everybody who waits for an instance that is gone: that is an end, too."""
        self._waiters.tell(instance_id, Status.TERMINATED)

    async def active_descendant(self, key: int) -> str | None:
        """Return the id of an unfinished instance below one; None if all have ended."""
        below_it = await self.descendants(key, DESCENDANTS_MAX)
        active = next((s for s in below_it if Status(s.status) not in TERMINAL), None)
        return None if active is None else active.identity.instance_id

    async def descendants(self, key: int, most: int) -> list[Snapshot]:
        """Return everybody below an instance, parents before their children.

        Raises CallerFault if there are more than `most`.
        """
        found: list[Snapshot] = []
        generation = [key]
        while generation:
            rows = await self._reader.read(partial(_children, keys=generation))
            found += rows
            generation = [row.key for row in rows]
            if len(found) > most:
                msg = f"the workflow has more than {most} descendants"
                raise CallerFault(msg)
        return found


def _children(store: Store, keys: Collection[int]) -> list[Snapshot]:
    return [child for key in keys for child in store.children(key)]


async def _by(moment: float, future: asyncio.Future[bool]) -> bool:
    async with asyncio.timeout_at(moment):
        return await future


def _is_reached(status: Status, *, finished: bool) -> bool:
    return status in TERMINAL if finished else status is not Status.PENDING
