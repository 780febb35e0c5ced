"""Deliveries: what a message leads to, landed with its receipt and notes in one commit.

The receipt is a note that must be new. A message that comes again finds it, and then nothing of
its entry changes, whatever the entry would do; so it does not matter at which moment its source
lost track of it. What is refused leaves no receipt, and may come again.
"""

from dataclasses import dataclass

from perdure.base.errors import StoreUnavailable
from perdure.base.limits import DELIVERY_ATTEMPTS_MAX
from perdure.core.admit import NO_SUCH_INSTANCE, Known, admit_change
from perdure.core.deliveries import (
    Delivered,
    Delivery,
    Fate,
    OnExisting,
    OnMissing,
    RaiseStep,
    StartOrRaiseStep,
    StartStep,
    TerminateStep,
)
from perdure.core.notes import ENGINE_SHELVES, NoteAdd, NoteEnd, Shelf
from perdure.core.requests import RaiseEvent, Reason, Refusal, Start, Terminate
from perdure.core.status import Status
from perdure.engine.ground import Ground
from perdure.engine.lookup import Lookup
from perdure.engine.mailbox import Mailbox
from perdure.engine.parking import Parking
from perdure.engine.proposals import Proposal, Proposals
from perdure.engine.recycling import Recycling
from perdure.store.port import Entry, Outcome, Snapshot, Verdict

_NOTHING = Proposal(Entry(key=None), lambda _: None)
_AGAIN = frozenset({Verdict.MISSING, Verdict.FINISHED, Verdict.ID_TAKEN, Verdict.STALE})


@dataclass(frozen=True, slots=True)
class _Post:
    """A delivery under way: everything that lands beside its step."""

    receipt: str | None
    notes: tuple[NoteAdd, ...]
    ended: tuple[NoteEnd, ...]


class Deliveries:
    """Takes deliveries in."""

    def __init__(
        self,
        ground: Ground,
        lookup: Lookup,
        proposals: Proposals,
        mailbox: Mailbox,
        parking: Parking,
        recycling: Recycling,
    ) -> None:
        """Land deliveries through the rooms given."""
        self._clock = ground.clock
        self._reader = ground.reader
        self._landing = ground.landing
        self._lookup = lookup
        self._proposals = proposals
        self._mailbox = mailbox
        self._parking = parking
        self._recycling = recycling

    async def deliver(self, delivery: Delivery) -> Delivered | Refusal:
        """Land a delivery (see `components.deliveries`)."""
        post = self._post(delivery)
        match delivery.step:
            case None:
                return await self._settle(post, Fate.NOTED)
            case StartStep(start=start, on_existing=on_existing):
                return await self._start(post, start, on_existing)
            case RaiseStep(event=event, on_missing=on_missing, keep_us=keep_us):
                return await self._raise(post, event, on_missing, keep_us)
            case StartOrRaiseStep(start=start, event=event):
                return await self._start_or_raise(post, start, event)
            case TerminateStep(terminate=terminate):
                return await self._terminate(post, terminate)

    def _post(self, delivery: Delivery) -> _Post:
        notes = delivery.notes
        shelves = {note.shelf for note in notes} | {end.shelf for end in delivery.ended_notes}
        assert not shelves & ENGINE_SHELVES, f"{shelves} are not all a caller's to change"
        if delivery.receipt is not None:
            receipt = NoteAdd(
                shelf=Shelf.RECEIPTS, key=delivery.receipt, at_us=self._clock.now_us()
            )
            notes = (receipt, *notes)
        return _Post(delivery.receipt, notes, delivery.ended_notes)

    # ---- steps

    async def _start(
        self, post: _Post, start: Start, on_existing: OnExisting
    ) -> Delivered | Refusal:
        replaces: int | None = None
        for _ in range(DELIVERY_ATTEMPTS_MAX):
            is_next = on_existing is OnExisting.START_NEXT
            if is_next and await self._parking.waits_for(start.instance_id):
                return await self._park(post, start)
            told = await self._land(post, self._proposals.start(start, replaces), Fate.STARTED)
            if told is not None:
                return told
            replaces = None
            existing = await self._lookup.snapshot(start.instance_id)
            if existing is None:
                continue
            if on_existing is OnExisting.START_NEXT and await self._has_ended(existing):
                replaces = existing.key
                continue
            met = await self._met(post, start, on_existing, existing)
            if met is not None:
                return met
        raise _restless(start.instance_id)

    async def _met(
        self, post: _Post, start: Start, on_existing: OnExisting, existing: Snapshot
    ) -> Delivered | Refusal | None:
        """Deal with a start whose instance is there; None if it has changed, so look again."""
        match on_existing:
            case OnExisting.DISCARD:
                return await self._settle(post, Fate.DISCARDED)
            case OnExisting.REJECT:
                text = f"a workflow with ID '{start.instance_id}' already exists"
                return await self._refuse(post, Refusal(Reason.ALREADY_EXISTS, text))
            case OnExisting.START_NEXT:
                return await self._park(post, start)
            case OnExisting.RECYCLE:
                outcome = await self._recycling.recycle(start, existing, post.notes, post.ended)
                return None if outcome is None else _told(outcome, Fate.RECYCLED)

    async def _park(self, post: _Post, start: Start) -> Delivered | Refusal:
        if await self._parking.full(start.instance_id):
            text = (
                f"a workflow with ID '{start.instance_id}' already exists, "
                "and no more starts can wait for its end"
            )
            return await self._refuse(post, Refusal(Reason.ALREADY_EXISTS, text))
        return await self._surely(post, self._parking.park(start), Fate.PARKED)

    async def _raise(
        self, post: _Post, event: RaiseEvent, on_missing: OnMissing, keep_us: int
    ) -> Delivered | Refusal:
        for _ in range(DELIVERY_ATTEMPTS_MAX):
            snapshot = await self._lookup.snapshot_in_order(event.instance_id)
            refusal = admit_change(event, _known(snapshot))
            if refusal is None and snapshot is not None:
                proposal = self._proposals.change(event, snapshot)
                told = await self._land(post, proposal, Fate.RAISED)
                if told is not None:
                    return told
            elif refusal is not None and refusal.reason is Reason.STALLED:
                return await self._refuse(post, refusal)
            else:
                return await self._missed(post, event, on_missing, keep_us, refusal)
        raise _restless(event.instance_id)

    async def _missed(
        self,
        post: _Post,
        event: RaiseEvent,
        on_missing: OnMissing,
        keep_us: int,
        refusal: Refusal | None,
    ) -> Delivered | Refusal:
        """Deal with an event that no running instance can take."""
        match on_missing:
            case OnMissing.DISCARD:
                return await self._settle(post, Fate.DISCARDED)
            case OnMissing.DEAD_LETTER:
                return await self._refuse(post, refusal or NO_SUCH_INSTANCE)
            case OnMissing.KEEP if await self._mailbox.full(event.instance_id):
                text = f"{NO_SUCH_INSTANCE.text}, and no more events can be kept for it"
                return await self._refuse(post, Refusal(Reason.NOT_FOUND, text))
            case OnMissing.KEEP:
                return await self._surely(post, self._mailbox.keep(event, keep_us), Fate.KEPT)

    async def _start_or_raise(
        self, post: _Post, start: Start, event: RaiseEvent
    ) -> Delivered | Refusal:
        for _ in range(DELIVERY_ATTEMPTS_MAX):
            snapshot = await self._lookup.snapshot_in_order(event.instance_id)
            refusal = admit_change(event, _known(snapshot))
            if refusal is None and snapshot is not None:
                proposal = self._proposals.change(event, snapshot)
                told = await self._land(post, proposal, Fate.RAISED)
            elif refusal is not None and refusal.reason is Reason.STALLED:
                return await self._refuse(post, refusal)
            else:
                if snapshot is not None and not await self._has_ended(snapshot):
                    text = f"a descendant of the workflow '{start.instance_id}' is still active"
                    return await self._refuse(post, Refusal(Reason.DESCENDANT_ACTIVE, text))
                replaces = None if snapshot is None else snapshot.key
                proposal = self._proposals.start(start, replaces)
                told = await self._land(post, proposal, Fate.STARTED)
            if told is not None:
                return told
        raise _restless(event.instance_id)

    async def _terminate(self, post: _Post, request: Terminate) -> Delivered | Refusal:
        for _ in range(DELIVERY_ATTEMPTS_MAX):
            snapshot = await self._lookup.snapshot_in_order(request.instance_id)
            if snapshot is None or admit_change(request, _known(snapshot)) is not None:
                return await self._settle(post, Fate.DISCARDED)
            proposal = self._proposals.change(request, snapshot)
            told = await self._land(post, proposal, Fate.TERMINATED)
            if told is not None:
                return told
        raise _restless(request.instance_id)

    async def _has_ended(self, snapshot: Snapshot) -> bool:
        """Tell whether an instance may be replaced: it has ended, and everybody below it."""
        if not Known(snapshot.identity.name, Status(snapshot.status)).finished:
            return False
        return await self._lookup.active_descendant(snapshot.key) is None

    # ---- landing

    async def _settle(self, post: _Post, fate: Fate) -> Delivered:
        """Land the receipt and the notes alone."""
        return await self._surely(post, _NOTHING, fate)

    async def _surely(self, post: _Post, proposal: Proposal, fate: Fate) -> Delivered:
        """Land what meets nobody that could be in its way."""
        told = await self._land(post, proposal, fate)
        assert told is not None, "notes alone land or are there already"
        return told

    async def _land(self, post: _Post, proposal: Proposal, fate: Fate) -> Delivered | None:
        """Land a proposal; None if the instance has changed meanwhile, so look again."""
        proposal = proposal.noting(post.notes, post.ended)
        outcome = await self._landing.once(proposal.entry, proposal.apply, proposal.fail)
        return _told(outcome, fate)

    async def _refuse(self, post: _Post, refusal: Refusal) -> Delivered | Refusal:
        """Refuse, unless it is a message that was taken in before."""
        receipt = post.receipt
        if receipt is not None:
            known = await self._reader.read(lambda store: store.note(Shelf.RECEIPTS, receipt))
            if known is not None:
                return Delivered(Fate.DUPLICATE)
        return refusal


def _told(outcome: Outcome, fate: Fate) -> Delivered | None:
    if outcome.verdict is Verdict.LANDED:
        return Delivered(fate)
    if outcome.verdict in {Verdict.NOTED, Verdict.ENDED}:
        return Delivered(Fate.DUPLICATE)
    assert outcome.verdict in _AGAIN, outcome
    return None


def _known(snapshot: Snapshot | None) -> Known | None:
    return None if snapshot is None else Known(snapshot.identity.name, Status(snapshot.status))


def _restless(instance_id: str) -> StoreUnavailable:
    return StoreUnavailable(f"workflow '{instance_id}' changes too often to be delivered to")
