"""Starts that wait for the present instance of their id to end, and are begun one after another.

A parked start is a note about its instance id. Once that instance has ended, or is gone, the
first of them is born in the commit that removes its note; the next waits for that one's end.
"""

import asyncio
from typing import Final

from perdure.base.limits import (
    DELIVERY_ATTEMPTS_MAX,
    LAND_RETRY_LONGEST_US,
    PARKED_STARTS_MAX,
    PARKED_STARTS_OF_ONE_MAX,
)
from perdure.base.time import HOUR_US, SECOND_US
from perdure.core.notes import NoteRow, Shelf
from perdure.core.requests import Start
from perdure.core.status import TERMINAL, Status
from perdure.engine.ground import Ground
from perdure.engine.kept import Kept
from perdure.engine.lookup import Lookup
from perdure.engine.parcels import pack_start, unpack_start
from perdure.engine.proposals import Proposal, Proposals
from perdure.store.port import Outcome, Verdict

_WHERE: Final = "starting what was parked"
# How soon a start is tried again that waits for descendants of the instance before it.
_DESCENDANTS_PAUSE_US: Final = 1 * SECOND_US


class Parking:
    """Parks starts, and begins them in their turn."""

    def __init__(self, ground: Ground, lookup: Lookup, proposals: Proposals) -> None:
        """Begin with none."""
        self._clock = ground.clock
        self._observer = ground.observer
        self._reader = ground.reader
        self._landing = ground.landing
        self._lookup = lookup
        self._proposals = proposals
        self.kept = Kept(
            ground, Shelf.PARKED, most_of_one=PARKED_STARTS_OF_ONE_MAX, most=PARKED_STARTS_MAX
        )
        self._due: dict[str, None] = {}  # a set that keeps its order
        self._changed = asyncio.Event()

    async def waits_for(self, instance_id: str) -> bool:
        """Tell whether a start waits for an instance."""
        return await self.kept.waits_for(instance_id)

    async def full(self, instance_id: str) -> bool:
        """Tell whether no more starts are parked behind an instance."""
        return await self.kept.full(instance_id)

    def park(self, request: Start) -> Proposal:
        """Return the parking of a start; it is to be landed at once."""
        instance_id, now_us = request.instance_id, self._clock.now_us()

        def look() -> None:
            self.look(instance_id)

        body = pack_start(request, now_us)
        return self.kept.keep(instance_id, now_us, body, kept=look, unsure=look)

    async def discard(self, key: str) -> bool:
        """Remove one parked start; tell whether it was still there."""
        return await self.kept.discard(key)

    # ---- beginning

    def look(self, instance_id: str) -> None:
        """Begin the next start of an instance's id, if there is one and it has ended."""
        if instance_id in self.kept:
            self._due[instance_id] = None
            self._changed.set()

    async def recover(self) -> None:
        """Learn what waits."""
        for instance_id in await self.kept.find():
            self.look(instance_id)

    async def heard(self) -> None:
        """Look at what others may have parked."""
        for instance_id in await self.kept.heard():
            self.look(instance_id)

    async def run(self) -> None:
        """Begin what may begin until cancelled."""
        while True:
            self._changed.clear()
            pause_us = HOUR_US
            for instance_id in list(self._due):
                # What ends from here on is looked at again.
                del self._due[instance_id]
                again_us = await self._look_at(instance_id)
                if again_us is not None:
                    self._due[instance_id] = None
                    pause_us = min(pause_us, again_us)
            try:
                async with asyncio.timeout(pause_us / SECOND_US):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def _look_at(self, instance_id: str) -> int | None:
        """Begin the next start of an id if that can be; return how soon to look again."""
        try:
            for _ in range(DELIVERY_ATTEMPTS_MAX):
                existing = await self._lookup.snapshot(instance_id)
                if existing is not None and Status(existing.status) not in TERMINAL:
                    return None  # its end will tell
                if existing is not None and await self._lookup.active_descendant(existing.key):
                    return _DESCENDANTS_PAUSE_US
                rows = await self.kept.first(instance_id, 1)
                if not rows:
                    return None
                if await self._begin(rows[0], None if existing is None else existing.key):
                    return None
        except Exception as error:  # noqa: BLE001 - one id's trouble is not the others'
            self._observer.fault(_WHERE, error)
        return LAND_RETRY_LONGEST_US

    async def _begin(self, row: NoteRow, replaces: int | None) -> bool:
        start, _ = unpack_start(row.body)
        proposal = self._proposals.start(start, replaces)
        proposal = proposal.noting((), self.kept.ends([row.key]))

        def apply(outcome: Outcome) -> None:
            if outcome.verdict is Verdict.LANDED:
                self.kept.removed(start.instance_id)
            proposal.apply(outcome)

        outcome = await self._landing.once(proposal.entry, apply)
        return outcome.verdict is Verdict.LANDED
