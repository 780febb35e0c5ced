"""What is true once a move is on disk: the resident, and everybody that its effects reach."""

from collections.abc import Callable, Iterable
from typing import Final

from perdure.base.errors import AccessDenied
from perdure.core import effects as fx
from perdure.core.events import EventRaised, ExecutionStarted, TimerFired
from perdure.core.state import State
from perdure.core.status import Status
from perdure.core.turn import Closed, ContinuedAsNew, Stalled, TurnResult
from perdure.engine.entries import Prepared
from perdure.engine.ground import Ground
from perdure.engine.inboxes import Inboxes
from perdure.engine.queueing import TaskQueues
from perdure.engine.reports import (
    report_created,
    report_finished,
    report_timer,
    subject_of,
)
from perdure.engine.residents import InboxItem, Resident, Residents, Turn, unborn
from perdure.engine.timers import Timers
from perdure.engine.waiters import Waiters
from perdure.store.port import FIRST_VERSION, Birth, Entry, Identity, Outcome, Verdict
from perdure.wire.events import decode

FORBIDDEN: Final = "what a workflow asked of another app"


class Aftermath:
    """Makes landed moves true in memory."""

    def __init__(
        self,
        ground: Ground,
        residents: Residents,
        inboxes: Inboxes,
        tasks: TaskQueues,
        timers: Timers,
        waiters: Waiters,
    ) -> None:
        """Reach the rooms given; who is told of ends and births is set by who composes them."""
        self.on_finished: Callable[[str], None] = lambda instance_id: None  # noqa: ARG005 - nobody listens yet
        self.on_born: Callable[[str], None] = lambda instance_id: None  # noqa: ARG005 - nobody listens yet
        self.on_not_moved: Callable[[int], None] = self._read_again
        self.on_dropped: Callable[[Resident], None] = lambda resident: None  # noqa: ARG005 - nobody listens yet
        self._observer = ground.observer
        self._reader = ground.reader
        self._landing = ground.landing
        self._owner = ground.owner
        self._residents = residents
        self._inboxes = inboxes
        self._tasks = tasks
        self._timers = timers
        self._waiters = waiters

    def moved(
        self,
        resident: Resident,
        turn: Turn | None,
        prepared: Prepared,
        result: TurnResult,
        outcome: Outcome,
    ) -> None:
        """Apply the outcome of a move to its resident and to those it reaches."""
        if outcome.verdict is not Verdict.LANDED:
            self._not_moved(resident, outcome)
            return
        before = resident.state
        self._advance(resident, turn, prepared, stalled=isinstance(result, Stalled))
        match result:
            case Closed():
                self._tell_self(resident, prepared.entry, result.effects, outcome)
                self._spread(resident, prepared, result.effects, outcome)
                self._tell_closed(resident, turn, before, result)
            case ContinuedAsNew():
                self._begin_generation(resident, prepared, result, outcome)
            case Stalled():
                self._tell_stalled(resident, result)
        self._residents.measure(resident)
        self._waiters.tell(resident.instance_id, resident.status)

    def born(
        self, birth: Birth, started: ExecutionStarted, key: int, seqs: tuple[int, ...]
    ) -> Resident:
        """Take in an instance whose birth is on disk."""
        resident = unborn(birth)
        items = [InboxItem(seq, add, started) for seq, add in zip(seqs, birth.inbox, strict=True)]
        self.come_into_the_world(birth, resident, key, items)
        return resident

    def come_into_the_world(
        self, birth: Birth, resident: Resident, key: int, items: Iterable[InboxItem]
    ) -> bool:
        """Take in whoever was unborn: the birth is on disk. False if it is not to be done here."""
        self._replaced(birth)
        resident.key = key
        resident.version = FIRST_VERSION
        resident.held = birth.held
        resident.inbox = {item.seq: item for item in items}
        ours = self._residents.add(resident)
        if ours:
            for timer in birth.timers:
                self._timers.note(timer.fire_at_us)
            self._inboxes.consider(resident)
        self.on_born(resident.instance_id)
        return ours

    def born_with_a_turn(
        self, resident: Resident, turn: Turn, prepared: Prepared, closed: Closed
    ) -> None:
        """Take in an instance whose birth is on disk together with its first turn."""
        (birth,) = prepared.entry.births
        self._replaced(birth)
        before = resident.state
        self._advance(resident, turn, prepared, stalled=False)
        assert resident.version == FIRST_VERSION, "a birth is not counted as a move"
        self._residents.add(resident)
        self._take_up(resident, birth, closed.effects)
        self._tell_closed(resident, turn, before, closed)
        self._waiters.tell(resident.instance_id, resident.status)
        self.on_born(resident.instance_id)

    def _replaced(self, birth: Birth) -> None:
        """Let go of the instance whose id a birth has taken."""
        if birth.replaces is None:
            return
        resident = self._residents.drop(birth.replaces)
        if resident is not None:
            # It may have ended elsewhere, unheard of here, and its turn be at a worker still.
            self.on_dropped(resident)
        self._tasks.forget(birth.replaces)
        # Whoever waits for the end of an instance that was overwritten looks again.
        self._waiters.tell(birth.identity.instance_id, Status.TERMINATED)

    def born_running(self, identity: Identity) -> None:
        """Tell those who wait for an instance that was born with a history."""
        self._waiters.tell(identity.instance_id, Status.RUNNING)
        self.on_born(identity.instance_id)

    async def recover_tasks(self, key: int) -> None:
        """Take in the activities that an instance was born with."""
        with self._tasks.filling():
            # Nobody else would look for them before the next start of the process.
            for row in await self._reader.surely(lambda store: store.tasks_of(key)):
                if row.finished_at_us is None:
                    self._tasks.recover(row)

    def _not_moved(self, resident: Resident, outcome: Outcome) -> None:
        """A purge or a replacement came first, or memory and disk disagree: read it again."""
        if outcome.verdict is Verdict.STALE and self._is_strange(resident):
            error = AssertionError(f"instance '{resident.instance_id}' was moved by somebody else")
            self._observer.fault("moving an instance", error)
        if self._residents.peek(resident.key) is resident:
            self._residents.drop(resident.key)
        # Else it was let go of meanwhile, and whoever was read since may have a turn out.
        self.on_not_moved(resident.key)

    def _read_again(self, key: int) -> None:
        self._landing.spawn(self._inboxes.wake(key), "reading an instance again")

    def _is_strange(self, resident: Resident) -> bool:
        return self._owner.alone and resident.key not in self._landing.doubts

    def _advance(
        self, resident: Resident, turn: Turn | None, prepared: Prepared, *, stalled: bool
    ) -> None:
        entry = prepared.entry
        resident.version += 1
        resident.head = prepared.head
        resident.state = prepared.state
        if entry.wipe_history:
            resident.past = bytearray()
            resident.ends = []
        resident.append_history(prepared.history)
        for seq in entry.taken:
            resident.inbox.pop(seq, None)
        if entry.wipe_inbox:
            resident.inbox.clear()
        if turn is not None and not stalled:
            resident.turn = None

    def _spread(
        self,
        resident: Resident,
        prepared: Prepared,
        effects: tuple[fx.Effect, ...],
        outcome: Outcome,
    ) -> None:
        """Reach everybody that the effects of a turn are for."""
        entry = prepared.entry
        self._take_up(resident, entry, effects)
        for birth, started, born in zip(entry.births, prepared.starts, outcome.births, strict=True):
            if born.key is not None:
                child = self.born(birth, started, born.key, born.inbox_seqs)
                span = None if resident.state.started is None else resident.state.started.span_id
                report_created(self._observer, child.identity, started, span)
            elif birth.if_taken is not None and born.inbox_seqs:
                add = birth.if_taken
                self._inboxes.deliver(resident.key, born.inbox_seqs[0], add, decode(add.event))
        for message, landed in zip(entry.messages, outcome.messages, strict=True):
            if landed is not None:
                key, seq = landed
                self._inboxes.deliver(key, seq, message.add, decode(message.add.event))

    def _take_up(
        self, resident: Resident, rows: Entry | Birth, effects: tuple[fx.Effect, ...]
    ) -> None:
        """Take up the activities and timers that a turn has asked for."""
        scheduled = [effect.scheduled for effect in effects if isinstance(effect, fx.RunTask)]
        for task, event in zip(rows.tasks, scheduled, strict=True):
            self._tasks.add(resident, task, event)
        for timer in rows.timers:
            self._timers.note(timer.fire_at_us)

    def _tell_self(
        self,
        resident: Resident,
        entry: Entry,
        effects: tuple[fx.Effect, ...],
        outcome: Outcome,
    ) -> None:
        """Show the instance what its own turn put into its inbox."""
        for add, seq in zip(entry.inbox, outcome.inbox_seqs, strict=True):
            assert seq is not None, "an instance that goes on keeps what it is told"
            resident.add_inbox(InboxItem(seq, add, decode(add.event)))
        for effect in effects:
            if isinstance(effect, fx.Forbidden):
                self._observer.fault(FORBIDDEN, AccessDenied(effect.why))

    def _begin_generation(
        self,
        resident: Resident,
        prepared: Prepared,
        continued: ContinuedAsNew,
        outcome: Outcome,
    ) -> None:
        self._tell_self(resident, prepared.entry, continued.effects, outcome)
        self._spread(resident, prepared, continued.effects, outcome)
        ended = continued.ended
        report_finished(self._observer, resident, ended, Status.CONTINUED_AS_NEW.name)

    def _tell_closed(
        self, resident: Resident, turn: Turn | None, before: State, closed: Closed
    ) -> None:
        observer, after = self._observer, closed.state
        if before.started is None and after.started is not None and turn is not None:
            waited_us = max(0, turn.handed_out_at_us - after.started.at_us)
            observer.instance_started(
                subject_of(resident.identity), at_us=closed.turn.at_us, waited_us=waited_us
            )
        for item in turn.batch if turn is not None else ():
            match item.event:
                case TimerFired(timer_id=timer_id, at_us=at_us) if timer_id in before.open_timers:
                    report_timer(observer, resident, before.open_timers[timer_id], at_us)
                case EventRaised(name=name, at_us=at_us):
                    observer.event_received(
                        subject_of(resident.identity),
                        at_us=at_us,
                        event_name=name,
                        size_bytes=len(item.add.event),
                    )
                case _:
                    pass
        if after.finished:
            self.on_finished(resident.instance_id)
            report_finished(observer, resident, after, after.phase.name)
            if after.phase is Status.TERMINATED:
                self._tasks.forget(resident.key)
            if not self._owner.alone:
                self._residents.drop(resident.key)  # nobody would hear of its purge elsewhere

    def _tell_stalled(self, resident: Resident, stalled: Stalled) -> None:
        event = stalled.event
        if stalled.recorded:
            self._observer.instance_stalled(
                subject_of(resident.identity),
                at_us=event.at_us,
                reason=event.reason.name,
                description=event.description,
            )
