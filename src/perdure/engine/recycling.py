"""An instance overwritten by another under its id: ended, deleted and begun anew in one commit."""

from collections.abc import Iterable
from dataclasses import replace

from perdure.base.limits import DELIVERY_ATTEMPTS_MAX
from perdure.core.notes import NoteAdd, NoteEnd
from perdure.core.requests import Start, Terminate
from perdure.core.status import TERMINAL, Status
from perdure.core.turn import Closed
from perdure.engine.entries import Prepared
from perdure.engine.ground import Ground
from perdure.engine.inboxes import Inboxes
from perdure.engine.moves import Moves
from perdure.engine.proposals import Proposal, Proposals
from perdure.engine.reports import report_finished, subject_of
from perdure.engine.residents import Resident, Residents, resident_of
from perdure.engine.rows import Newborn, lifecycle, terminate_order
from perdure.engine.turns import Turns
from perdure.store.port import Entry, Message, Outcome, Require, Snapshot, Verdict
from perdure.wire.events import decode


class Recycling:
    """Overwrites instances."""

    def __init__(
        self,
        ground: Ground,
        residents: Residents,
        inboxes: Inboxes,
        turns: Turns,
        moves: Moves,
        proposals: Proposals,
    ) -> None:
        """Reach everybody who may still hold the old life."""
        self._clock = ground.clock
        self._observer = ground.observer
        self._reader = ground.reader
        self._landing = ground.landing
        self._owner = ground.owner
        self._residents = residents
        self._inboxes = inboxes
        self._turns = turns
        self._moves = moves
        self._proposals = proposals

    async def recycle(
        self,
        request: Start,
        existing: Snapshot,
        notes: Iterable[NoteAdd],
        ended: Iterable[NoteEnd],
    ) -> Outcome | None:
        """Overwrite an instance; None if it is not there any more or is busy, so look again."""
        if Status(existing.status) in TERMINAL:
            proposal = await self._over_finished(request, existing)
        else:
            resident = await self._residents.get(existing.key) or await self._elsewhere(existing)
            if resident is None or not await self._stands_still(resident):
                return None
            proposal = await self._over_running(request, resident)
        proposal = proposal.noting(notes, ended)
        return await self._landing.once(proposal.entry, proposal.apply, proposal.fail)

    async def _elsewhere(self, existing: Snapshot) -> Resident | None:
        """Return an instance that another node owns; what that does meanwhile makes it stale."""
        if self._owner.alone:
            return None
        loaded = await self._reader.read(lambda store: store.load(existing.key))
        return None if loaded is None else resident_of(loaded)

    async def _over_finished(self, request: Start, existing: Snapshot) -> Proposal:
        newborn = self._proposals.newborn(request, existing.key)
        now_us = newborn.started.at_us
        children = await self._reader.read(lambda store: store.children(existing.key))
        order = terminate_order(None, now_us)
        entry = Entry(
            key=existing.key,
            require=Require.EXISTS,
            births=(newborn.birth,),
            messages=tuple(
                Message(child.key, order)
                for child in children
                if Status(child.status) not in TERMINAL
            ),
            lifecycle=(newborn.lifecycle,),
            epitaph=(lifecycle("purged", now_us, existing.identity),),
        )

        def apply(outcome: Outcome) -> None:
            if outcome.verdict is Verdict.LANDED:
                self._overwritten(existing, newborn, entry, outcome)

        return Proposal(entry, apply)

    async def _stands_still(self, resident: Resident) -> bool:
        """Wait until no move of an instance is under way; it may be that there is always one."""
        for _ in range(DELIVERY_ATTEMPTS_MAX):
            if resident.gone or resident.finished:
                return False
            if not resident.moving:
                return True
            # A move first reads, or not, and then lands; what is handed in now lands after it.
            await self._reader.read(lambda _: None)
            await self._landing.once(Entry(key=None), lambda _: None)
        return False

    async def _over_running(self, request: Start, resident: Resident) -> Proposal:
        # Nobody else may move it: its children are to be all that there are. An answer to a turn
        # that is out is dropped from here on.
        resident.moving = True
        try:
            order = self._proposals.event(Terminate(instance_id=resident.instance_id))
            prepared, closed = await self._moves.ending(resident, order, patiently=False)
        except BaseException:
            self._goes_on(resident)
            raise
        newborn = self._proposals.newborn(request, resident.key)
        ended = prepared.entry
        entry = replace(
            ended,
            births=(newborn.birth,),
            lifecycle=(newborn.lifecycle,),
            epitaph=(
                *ended.lifecycle,
                lifecycle("purged", newborn.started.at_us, resident.identity),
            ),
        )

        def apply(outcome: Outcome) -> None:
            if outcome.verdict is not Verdict.LANDED:
                self._goes_on(resident)
                return
            self._over(resident, prepared, closed)
            self._overwritten(resident.snapshot(), newborn, entry, outcome)

        return Proposal(entry, apply, lambda _: self._goes_on(resident))

    def _goes_on(self, resident: Resident) -> None:
        """Let the old life go on; the answer to its turn may have been dropped meanwhile."""
        resident.moving = False
        self._turns.release(resident)
        self._inboxes.consider(resident)

    def _over(self, resident: Resident, prepared: Prepared, closed: Closed) -> None:
        self._turns.forget(resident)
        resident.turn = None
        resident.moving = False
        resident.head = prepared.head
        report_finished(self._observer, resident, closed.state, closed.state.phase.name)

    def _overwritten(self, old: Snapshot, newborn: Newborn, entry: Entry, outcome: Outcome) -> None:
        self._observer.instance_purged(
            subject_of(old.identity), at_us=newborn.started.at_us, by_retention=False
        )
        # The old life is let go of, its activities too, and the new one taken in.
        self._proposals.born(newborn, outcome)
        for message, landed in zip(entry.messages, outcome.messages, strict=True):
            if landed is not None:
                self._inboxes.deliver(*landed, message.add, decode(message.add.event))
