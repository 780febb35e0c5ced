"""Requests from outside, admitted by the core and landed; none of them needs a worker."""

from dataclasses import replace
from uuid import UUID

from perdure.base.errors import StoreUnavailable
from perdure.base.ids import derived_span_id
from perdure.base.limits import DESCENDANTS_MAX, START_ATTEMPTS_MAX
from perdure.core import requests as rq
from perdure.core.admit import Known, admit_change, admit_start
from perdure.core.events import (
    Event,
    EventRaised,
    ExecutionResumed,
    ExecutionStarted,
    ExecutionSuspended,
    ExecutionTerminated,
    Router,
)
from perdure.core.requests import Reason, Refusal
from perdure.core.status import TERMINAL, Status
from perdure.core.tracing import TraceContext, below, root, workflow_span
from perdure.engine.aftermath import Aftermath
from perdure.engine.ground import Ground
from perdure.engine.inboxes import Inboxes
from perdure.engine.lookup import Lookup
from perdure.engine.queueing import TaskQueues
from perdure.engine.reports import report_created, subject_of
from perdure.engine.residents import Resident, Residents
from perdure.engine.rows import birth, inbox_add, lifecycle
from perdure.store.port import Birth, Entry, LifecycleAdd, Outcome, Require, Snapshot, Verdict

Change = rq.RaiseEvent | rq.Terminate | rq.Suspend | rq.Resume


class Intake:
    """Takes requests in."""

    def __init__(
        self,
        ground: Ground,
        lookup: Lookup,
        residents: Residents,
        inboxes: Inboxes,
        tasks: TaskQueues,
        aftermath: Aftermath,
    ) -> None:
        """Stand between the doors and the committer."""
        self._settings = ground.settings
        self._clock = ground.clock
        self._observer = ground.observer
        self._landing = ground.landing
        self._crew = ground.crew
        self._lookup = lookup
        self._residents = residents
        self._inboxes = inboxes
        self._tasks = tasks
        self._aftermath = aftermath
        self._last_raised_us = 0

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
        below_it = await self._lookup.descendants(existing.key, DESCENDANTS_MAX)
        active = next((s for s in below_it if Status(s.status) not in TERMINAL), None)
        if active is None:
            return None
        return admit_start(request, known, active.identity.instance_id)

    async def _born(self, request: rq.Start, replaces: int | None) -> bool:
        now_us = self._clock.now_us()
        execution_id = str(UUID(self._crew.fresh_id()))
        trace = self._trace(request, execution_id)
        started = ExecutionStarted(
            at_us=now_us,
            router=Router(request.app_id),
            name=request.name,
            instance_id=request.instance_id,
            execution_id=execution_id,
            version=request.version,
            input=request.input,
            scheduled_start_us=request.scheduled_start_us,
            trace=trace,
            span_id=workflow_span(trace, execution_id),
            tags=request.tags,
        )
        made = birth(started, app_id=request.app_id, now_us=now_us)
        made = replace(made, replaces=replaces)
        entry = Entry(
            key=None, births=(made,), lifecycle=(lifecycle("created", now_us, made.identity),)
        )
        parent_span = None if request.trace is None else request.trace.span_id

        def apply(outcome: Outcome) -> None:
            if outcome.verdict is Verdict.LANDED:
                self._taken_in(made, started, parent_span, outcome)

        outcome = await self._landing.once(entry, apply)
        assert outcome.verdict in {Verdict.LANDED, Verdict.ID_TAKEN}, outcome
        return outcome.verdict is Verdict.LANDED

    def _taken_in(
        self, made: Birth, started: ExecutionStarted, parent_span: str | None, outcome: Outcome
    ) -> None:
        key = outcome.births[0].key
        assert key is not None, "a birth that has landed has a key"
        self._aftermath.born(made, started, key, outcome.births[0].inbox_seqs)
        report_created(self._observer, made.identity, started, parent_span)

    def _trace(self, request: rq.Start, execution_id: str) -> TraceContext | None:
        if request.trace is not None:
            return below(request.trace, execution_id, "create")
        if not self._settings.trace_all:
            return None
        trace = root(execution_id)
        return replace(trace, span_id=derived_span_id(execution_id, "create"))

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
        event = self._event(request)
        add = inbox_add(event)
        suspended = _suspends(request)
        rows: tuple[LifecycleAdd, ...] = ()
        if suspended is not None:
            kind = "suspended" if suspended else "resumed"
            rows = (lifecycle(kind, event.at_us, snapshot.identity),)
        entry = Entry(
            key=snapshot.key,
            require=Require.UNFINISHED,
            inbox=(add,),
            suspended=suspended,
            lifecycle=rows,
        )

        def apply(outcome: Outcome) -> None:
            if outcome.verdict is not Verdict.LANDED:
                return
            if suspended is not None:
                self._suspend(snapshot, event.at_us, suspended=suspended)
            seq = outcome.inbox_seqs[0]
            assert seq is not None, "an unfinished instance takes what it is told"
            self._inboxes.deliver(snapshot.key, seq, add, event)

        outcome = await self._landing.once(entry, apply)
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

    def _event(self, request: Change) -> Event:
        now_us = self._clock.now_us()
        match request:
            case rq.RaiseEvent():
                # Raised events have times of their own, strictly growing (behaviour.md 4.3).
                now_us = self._last_raised_us = max(now_us, self._last_raised_us + 1)
                return EventRaised(at_us=now_us, name=request.name, input=request.input)
            case rq.Terminate():
                return ExecutionTerminated(
                    at_us=now_us, input=request.output, recurse=request.recursive
                )
            case rq.Suspend():
                return ExecutionSuspended(at_us=now_us, reason=request.reason)
            case rq.Resume():
                return ExecutionResumed(at_us=now_us, reason=request.reason)

    def _suspend(self, snapshot: Snapshot, at_us: int, *, suspended: bool) -> None:
        def change(resident: Resident) -> None:
            resident.suspended = suspended

        self._residents.do(snapshot.key, change)
        subject = subject_of(snapshot.identity)
        if suspended:
            self._tasks.pause(snapshot.key)
            self._observer.instance_suspended(subject, at_us=at_us)
        else:
            self._tasks.resume(snapshot.key)
            self._observer.instance_resumed(subject, at_us=at_us)


def _suspends(request: Change) -> bool | None:
    match request:
        case rq.Suspend():
            return True
        case rq.Resume():
            return False
        case _:
            return None
