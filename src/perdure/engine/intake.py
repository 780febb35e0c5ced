"""Requests from outside, admitted by the core and landed; none of them needs a worker."""

from perdure.base.errors import StoreUnavailable
from perdure.base.limits import START_ATTEMPTS_MAX
from perdure.core import requests as rq
from perdure.core.admit import Known, admit_change, admit_start
from perdure.core.requests import Reason, Refusal
from perdure.core.status import TERMINAL, Status
from perdure.engine.births import Births
from perdure.engine.ground import Ground
from perdure.engine.lookup import Lookup
from perdure.engine.proposals import Change, Proposals
from perdure.store.port import Snapshot, Verdict


class Intake:
    """Takes requests in."""

    def __init__(
        self, ground: Ground, lookup: Lookup, proposals: Proposals, births: Births
    ) -> None:
        """Stand between the doors and the committer."""
        self._landing = ground.landing
        self._lookup = lookup
        self._proposals = proposals
        self._births = births

    # ---- start

    async def start(self, request: rq.Start) -> str | Refusal:
        """Start an instance, and return its id once that is on disk."""
        replaces: int | None = None
        for _ in range(START_ATTEMPTS_MAX):
            if await self._born(request, replaces):
                return request.instance_id
            existing = await self._lookup.snapshot(request.instance_id)
            if existing is None:
                replaces = None
                continue
            status = Status(existing.status)
            if status in request.ignore_existing:
                return request.instance_id
            if status in request.terminate_existing and status not in TERMINAL:
                await self.change(rq.Terminate(instance_id=request.instance_id))
                await self._lookup.finished(existing.key)
                continue
            refusal = await self._refused(request, existing)
            if refusal is not None:
                return refusal
            replaces = existing.key
        text = f"an active workflow with ID '{request.instance_id}' already exists"
        return Refusal(Reason.ALREADY_EXISTS, text)

    async def _refused(self, request: rq.Start, existing: Snapshot) -> Refusal | None:
        known = Known(existing.identity.name, Status(existing.status))
        refusal = admit_start(request, known, None)
        if refusal is not None:
            return refusal
        return admit_start(request, known, await self._lookup.active_descendant(existing.key))

    async def _born(self, request: rq.Start, replaces: int | None) -> bool:
        proposal = await self._births.propose(request, replaces)
        outcome = await self._landing.once(proposal.entry, proposal.apply, proposal.fail)
        assert outcome.verdict in {Verdict.LANDED, Verdict.ID_TAKEN}, outcome
        return outcome.verdict is Verdict.LANDED

    # ---- changes

    async def change(self, request: Change) -> Snapshot | Refusal:
        """Land an event, a terminate, a suspend or a resume, and return what it met.

        Changes of one instance land in the order in which they come.
        """
        snapshot = await self._lookup.snapshot_in_order(request.instance_id)
        known = None
        if snapshot is not None:
            known = Known(snapshot.identity.name, Status(snapshot.status))
        refusal = admit_change(request, known)
        if refusal is not None:
            return refusal
        assert snapshot is not None, "what is not there is refused"
        match request:
            case rq.Suspend() if snapshot.suspended:
                return snapshot
            case rq.Resume() if not snapshot.suspended:
                return snapshot
            case _:
                return await self._land(request, snapshot)

    async def _land(self, request: Change, snapshot: Snapshot) -> Snapshot | Refusal:
        proposal = self._proposals.change(request, snapshot)
        landing = self._landing.once(proposal.entry, proposal.apply, proposal.fail)
        proposal.handed_in()
        outcome = await landing
        match outcome.verdict:
            case Verdict.LANDED:
                return snapshot
            case Verdict.FINISHED:
                text = f"workflow '{request.instance_id}' has already finished"
                return Refusal(Reason.ALREADY_FINISHED, text)
            case Verdict.MISSING:
                return Refusal(Reason.NOT_FOUND, "no such instance exists")
            case _:
                msg = f"a change came out as {outcome.verdict.name}"
                raise StoreUnavailable(msg)
