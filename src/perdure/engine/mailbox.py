"""Events for instances that are not there yet: kept on disk, delivered once they are born.

Theory of operation. A kept event is a note about its instance id. Whoever is born, by whichever
door, is looked at here: what waits for that id goes into the inbox in the order in which it was
kept, each event in the commit that removes its note. Until then whoever changes that instance
waits, so that what came first is first. Where that cannot be (the store is away, the server goes
down between) it is delivered as soon as can be, once all the same.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from perdure.base.errors import StoreError
from perdure.base.limits import (
    LAND_RETRY_LONGEST_US,
    MAIL_BATCH_EVENTS_MAX,
    MAILBOX_EVENTS_MAX,
    MAILBOX_EVENTS_OF_ONE_MAX,
    NOTES_PER_SWEEP_MAX,
)
from perdure.base.time import SECOND_US
from perdure.core.notes import NoteRow, Shelf
from perdure.core.requests import RaiseEvent
from perdure.core.status import TERMINAL, Status
from perdure.engine.ground import Ground
from perdure.engine.inboxes import Inboxes
from perdure.engine.kept import Kept
from perdure.engine.lookup import Lookup
from perdure.engine.parcels import pack_event, unpack_event
from perdure.engine.proposals import Proposal, Proposals
from perdure.engine.rows import inbox_add
from perdure.store.port import Entry, Outcome, Require, Store, Verdict

_WHERE: Final = "handing over kept events"


class Mailbox:
    """Keeps events and hands them over."""

    def __init__(
        self, ground: Ground, lookup: Lookup, inboxes: Inboxes, proposals: Proposals
    ) -> None:
        """Begin with nothing; `on_kept` is told when an event will expire."""
        self.on_kept: Callable[[int], None] = lambda expires_us: None  # noqa: ARG005 - nobody listens yet
        self._clock = ground.clock
        self._observer = ground.observer
        self._reader = ground.reader
        self._landing = ground.landing
        self._lookup = lookup
        self._inboxes = inboxes
        self._proposals = proposals
        self.kept = Kept(
            ground, Shelf.MAILBOX, most_of_one=MAILBOX_EVENTS_OF_ONE_MAX, most=MAILBOX_EVENTS_MAX
        )
        self._handing: set[str] = set()
        self._again: set[str] = set()
        self._resting: set[str] = set()  # a store that is away holds nobody up

    async def recover(self) -> None:
        """Learn what waits, and hand over what the process before did not come to."""
        counts = await self.kept.find()
        there = await self._reader.read(
            lambda store: [each for each in counts if _is_there(store, each)]
        )
        for instance_id in there:
            self.look(instance_id)

    async def heard(self) -> None:
        """Look at what others may have kept."""
        for instance_id in await self.kept.heard():
            self.look(instance_id)

    async def full(self, instance_id: str) -> bool:
        """Tell whether no more events are kept for an instance."""
        return await self.kept.full(instance_id)

    # ---- keeping

    def keep(self, request: RaiseEvent, keep_us: int) -> Proposal:
        """Return the keeping of an event; it is to be landed at once."""
        instance_id, now_us = request.instance_id, self._clock.now_us()
        expires_us = now_us + keep_us

        def kept() -> None:
            self.on_kept(expires_us)
            self.look(instance_id)

        return self.kept.keep(instance_id, expires_us, pack_event(request, now_us), kept=kept)

    # ---- handing over

    def look(self, instance_id: str) -> None:
        """Hand over what waits for an instance if it is there; who changes it waits for that."""
        if instance_id not in self.kept:
            return
        if instance_id not in self._resting:
            self._lookup.shut(instance_id)
        if instance_id in self._handing:
            self._again.add(instance_id)
        else:
            self._handing.add(instance_id)
            self._landing.spawn(self._hand_over(instance_id), _WHERE)

    async def _hand_over(self, instance_id: str) -> None:
        try:
            looks = True
            while looks:
                self._again.discard(instance_id)
                try:
                    await self._hand_over_all(instance_id)
                except StoreError as error:
                    self._observer.fault(_WHERE, error)
                    await self._rest(instance_id)
                else:
                    looks = instance_id in self._again
        finally:
            self._handing.discard(instance_id)
            self._again.discard(instance_id)
            self._lookup.open(instance_id)

    async def _rest(self, instance_id: str) -> None:
        """Wait a moment, and hold nobody up meanwhile."""
        self._resting.add(instance_id)
        self._lookup.open(instance_id)
        try:
            await asyncio.sleep(LAND_RETRY_LONGEST_US / SECOND_US)
        finally:
            self._resting.discard(instance_id)

    async def _hand_over_all(self, instance_id: str) -> None:
        while True:
            snapshot = await self._lookup.snapshot(instance_id)
            if snapshot is None or Status(snapshot.status) in TERMINAL:
                return
            rows = await self.kept.first(instance_id, MAIL_BATCH_EVENTS_MAX)
            if not rows:
                return
            # One that was removed meanwhile, or an end, makes it nothing: then look again.
            await self._hand_over_some(instance_id, snapshot.key, rows)

    async def _hand_over_some(self, instance_id: str, key: int, rows: Sequence[NoteRow]) -> None:
        now_us = self._clock.now_us()
        events = [
            self._proposals.event(unpack_event(row.body)[0]) for row in rows if row.at_us > now_us
        ]
        adds = tuple(inbox_add(event) for event in events)
        entry = Entry(
            key=key,
            require=Require.UNFINISHED,
            inbox=adds,
            ended_notes=self.kept.ends(r.key for r in rows),
        )

        def apply(outcome: Outcome) -> None:
            if outcome.verdict is not Verdict.LANDED:
                return
            self.kept.removed(instance_id, len(rows))
            for seq, add, event in zip(outcome.inbox_seqs, adds, events, strict=True):
                assert seq is not None, "an unfinished instance takes what it is told"
                self._inboxes.deliver(key, seq, add, event)

        await self._landing.once(entry, apply)

    # ---- removing

    async def expire(self) -> int | None:
        """Remove what has waited long enough; return when there is more to remove."""
        now_us = self._clock.now_us()
        due = await self._reader.read(
            lambda store: store.notes_before(Shelf.MAILBOX, now_us + 1, NOTES_PER_SWEEP_MAX)
        )
        if due:
            # If one has been handed over meanwhile, none is removed: the rest is due again.
            await self.kept.remove([(key, about) for key, about in due if about is not None])
        return await self._reader.read(lambda store: store.oldest_note_us(Shelf.MAILBOX))

    async def discard(self, key: str) -> bool:
        """Remove one kept event; tell whether it was still there."""
        return await self.kept.discard(key)


def _is_there(store: Store, instance_id: str) -> bool:
    found = store.snapshot(instance_id)
    return found is not None and Status(found.status) not in TERMINAL
