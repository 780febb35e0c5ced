"""What a request comes to if it may be done: an entry, and what is true once that has landed."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from perdure.base.ids import derived_span_id, uuid4_of
from perdure.base.records import dataclass
from perdure.core import requests as rq
from perdure.core.events import (
    Event,
    EventRaised,
    ExecutionResumed,
    ExecutionStarted,
    ExecutionSuspended,
    ExecutionTerminated,
    Router,
)
from perdure.core.notes import NoteAdd, NoteEnd
from perdure.core.tracing import TraceContext, below, root, workflow_span
from perdure.engine.aftermath import Aftermath
from perdure.engine.ground import Ground
from perdure.engine.inboxes import Coming, Inboxes
from perdure.engine.landing import Apply, Fail
from perdure.engine.queueing import TaskQueues
from perdure.engine.reports import report_created, subject_of
from perdure.engine.residents import Resident, Residents
from perdure.engine.rows import Newborn, birth, inbox_add, lifecycle, replacing
from perdure.store.port import Entry, LifecycleAdd, Outcome, Require, Snapshot, Verdict

Change = rq.RaiseEvent | rq.Terminate | rq.Suspend | rq.Resume


@dataclass(frozen=True, slots=True)
class Proposal:
    """An entry to be landed, and what is to be done with its outcome."""

    entry: Entry
    apply: Apply
    fail: Fail | None = None  # told instead if it could not be landed
    handed_in: Callable[[], None] = lambda: None  # may be told once it is on its way to the disk

    def noting(self, notes: Iterable[NoteAdd], ended: Iterable[NoteEnd]) -> "Proposal":
        """Return the same with notes that land with it."""
        entry = replace(
            self.entry,
            notes=(*self.entry.notes, *notes),
            ended_notes=(*self.entry.ended_notes, *ended),
        )
        return replace(self, entry=entry)


class Proposals:
    """Makes proposals of requests."""

    def __init__(
        self,
        ground: Ground,
        residents: Residents,
        inboxes: Inboxes,
        tasks: TaskQueues,
        aftermath: Aftermath,
    ) -> None:
        """Reach the rooms given once what was proposed has landed."""
        self._settings = ground.settings
        self._clock = ground.clock
        self._crew = ground.crew
        self._owner = ground.owner
        self._observer = ground.observer
        self._residents = residents
        self._inboxes = inboxes
        self._tasks = tasks
        self._aftermath = aftermath
        self._last_raised_us = 0

    # ---- starts

    def start(self, request: rq.Start, replaces: int | None) -> Proposal:
        """Return a start that replaces a finished instance, or nobody."""
        return self.of(self.newborn(request, replaces))

    def of(self, newborn: Newborn) -> Proposal:
        """Return a birth by itself."""

        def apply(outcome: Outcome) -> None:
            if outcome.verdict is Verdict.LANDED:
                self.born(newborn, outcome)

        return Proposal(
            Entry(key=None, births=(newborn.birth,), lifecycle=(newborn.lifecycle,)), apply
        )

    def newborn(self, request: rq.Start, replaces: int | None) -> Newborn:
        """Return the birth that a start asks for."""
        now_us = self._clock.now_us()
        execution_id = uuid4_of(self._crew.fresh_id())
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
        parent_span = None if request.trace is None else request.trace.span_id
        return Newborn(replacing(made, replaces), started, parent_span)

    def born(self, newborn: Newborn, outcome: Outcome) -> None:
        """Take in an instance whose birth, the first of its entry, has landed."""
        key = outcome.births[0].key
        assert key is not None, "a birth that has landed has a key"
        made = newborn.birth
        self._aftermath.born(made, newborn.started, key, outcome.births[0].inbox_seqs)
        self.report(newborn)

    def report(self, newborn: Newborn) -> None:
        """Report that a birth is on disk."""
        report_created(self._observer, newborn.birth.identity, newborn.started, newborn.parent_span)

    def _trace(self, request: rq.Start, execution_id: str) -> TraceContext | None:
        if request.trace is not None:
            return below(request.trace, execution_id, "create")
        if not self._settings.trace_all:
            return None
        trace = root(execution_id)
        return replace(trace, span_id=derived_span_id(execution_id, "create"))

    # ---- changes

    def change(self, request: Change, snapshot: Snapshot) -> Proposal:
        """Return a change of an unfinished instance."""
        event = self.event(request)
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
        if suspended is not None:
            entry = self._told_in_time(entry, snapshot)

        coming = Coming(self._inboxes, snapshot.key, add, event)

        def apply(outcome: Outcome) -> None:
            if outcome.verdict is not Verdict.LANDED:
                coming.lost()
                return
            if suspended is not None:
                self._suspend(snapshot, event.at_us, suspended=suspended)
            seq = outcome.inbox_seqs[0]
            assert seq is not None, "an unfinished instance takes what it is told"
            coming.landed(seq)

        def handed_in() -> None:
            nonlocal coming
            coming = self._inboxes.coming(snapshot.key, add, event)

        return Proposal(entry, apply, lambda _: coming.lost(), handed_in)

    def _told_in_time(self, entry: Entry, snapshot: Snapshot) -> Entry:
        """Return a suspend or resume after which nothing lands that its owner did unaware of it.

        Of what lands here the owner hears only after it is acknowledged, and may have a turn out by
        then with what was acknowledged later: that turn must not land. If the owner is here, what
        it has handed out before may come to its end; and the term says that it is.
        """
        if self._owner.alone:
            return entry
        term = self._owner.term_of(snapshot.identity.app_id, snapshot.identity.instance_id)
        return replace(entry, term=term, moves=term is None)

    def event(self, request: Change) -> Event:
        """Return the event that a change is for the instance."""
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
            identity = snapshot.identity
            ours = self._owner.owns(identity.app_id, identity.instance_id)
            if ours or self._tasks.may_have(snapshot.key):
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
