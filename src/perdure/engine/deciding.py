"""Turns decided in place: a cause and the turn that it brings about land as one entry.

Theory of operation. Workflow code has no side effects, so it may be asked before its cause is on
disk. Where an app is in this process it is asked at once:
- A start lands as an instance that has had its first turn already (`birth`).
- The results of activities, and timers, are *arrivals*: they wait in memory, for the end of the
  loop's turn or of the instance's present move, and then land together with the turn that takes
  them, in one entry that ends their rows and expects the version (`arrive`).
Nobody is told and nothing begins before that entry is on disk. If it is refused or fails, what the
code has been told is forgotten, and each arrival goes the long way, by itself into the inbox. So
does what is not plain: what is suspended, stalled, held or away, and an answer that is no decision.
"""

import asyncio
from typing import Final

from perdure.base.errors import WorkerFault
from perdure.base.limits import TURN_BATCH_EVENTS_MAX
from perdure.core.actions import Decision
from perdure.core.applying import Caller
from perdure.core.events import StallReason, TaskCompleted, TaskFailed, WorkflowStarted
from perdure.core.state import State
from perdure.core.turn import Closed, ContinuedAsNew, Stalled, TurnResult, close, stall, takable
from perdure.engine.dispatcher import Dispatcher
from perdure.engine.ground import Ground
from perdure.engine.inboxes import ReadyTurns
from perdure.engine.local import LocalApp
from perdure.engine.moves import Follow, Moves
from perdure.engine.residents import Arrival, Resident, Residents, Turn
from perdure.engine.turn_items import freeze, history_of, past_of
from perdure.store.leases import Term
from perdure.store.port import Outcome, Verdict

_ANY_SIZE: Final = 1 << 62  # nothing is sent, so no message bounds it


class Deciding:
    """Asks apps that are here."""

    def __init__(self, ground: Ground, dispatcher: Dispatcher) -> None:
        """Ask the apps of `dispatcher`."""
        self._settings = ground.settings
        self._clock = ground.clock
        self._observer = ground.observer
        self._dispatcher = dispatcher

    def app(self, app_id: str) -> LocalApp | None:
        """Return an app that is here and takes work."""
        stream = self._dispatcher.here(app_id)
        return stream if isinstance(stream, LocalApp) and not stream.resting else None

    def decide(self, resident: Resident, turn: Turn, app: LocalApp) -> TurnResult:
        """Return what a turn comes to; raises WorkerFault if it comes to nothing.

        What is not to land, or does not, must be told by `forget`.
        """
        state = resident.state
        batch = tuple([item.event for item in turn.batch])
        now_us = max(self._clock.now_us(), turn.started.at_us)
        try:
            decision = app.work.decide(
                history_of(resident),
                state.history_length,
                lambda: past_of(resident),
                [turn.started, *batch],
                resident.identity.propagated,
            )
        except Exception as error:
            self._observer.fault(f"deciding a turn of '{resident.instance_id}'", error)
            msg = f"the workflow could not be asked: {type(error).__name__}: {error}"
            raise WorkerFault(msg) from error
        if not isinstance(decision, Decision):
            return stall(state, StallReason.VERSION_NOT_AVAILABLE, decision, now_us)
        caller = Caller(
            resident.instance_id, resident.identity.app_id, now_us, self._settings.access
        )
        return self.close(resident, turn, decision, caller)

    def close(
        self, resident: Resident, turn: Turn, decision: Decision, caller: Caller
    ) -> TurnResult:
        """Return what a decision makes of a turn; raises WorkerFault if it makes nothing of it.

        A mistake of ours is one, too, and told of: the turn is tried again as after any other.
        """
        batch = tuple([item.event for item in turn.batch])
        try:
            return close(resident.state, turn.started, batch, decision, caller)
        except WorkerFault:
            raise
        except Exception as error:
            self._observer.fault(f"a turn of '{resident.instance_id}'", error)
            msg = f"the turn could not be closed: {type(error).__name__}: {error}"
            raise WorkerFault(msg) from error

    def forget(self, resident: Resident) -> None:
        """Have an app forget what it was told of a history."""
        app = self._dispatcher.here(resident.identity.app_id)
        if isinstance(app, LocalApp):
            app.work.forget(history_of(resident))


class LocalTurns:
    """Lands arrivals and the turns that take them."""

    def __init__(
        self,
        ground: Ground,
        residents: Residents,
        ready: ReadyTurns,
        deciding: Deciding,
        moves: Moves,
    ) -> None:
        """Look at `residents`, and land by `moves`."""
        self._owner = ground.owner
        self._clock = ground.clock
        self._observer = ground.observer
        self._residents = residents
        self._ready = ready
        self._deciding = deciding
        self._moves = moves
        self._loop = asyncio.get_running_loop()
        self._due: list[Resident] = []

    # ---- arrivals

    def arrive(self, key: int, arrival: Arrival, term: Term | None) -> bool:
        """Take an arrival in, to land with a turn; False if it has to go by itself.

        `term` is that under which its row is held: one entry carries one.
        """
        resident = self._residents.peek(key)
        if resident is None or resident.term != term or not self._gathers(resident):
            return False
        resident.arrivals.append(arrival)
        if not resident.deciding and len(resident.arrivals) == 1:
            self._make_due(resident)
        return True

    def _gathers(self, resident: Resident) -> bool:
        if resident.deciding:
            return True
        return self._is_plain(resident)

    def _is_plain(self, resident: Resident) -> bool:
        """Tell whether nothing but the next turn stands before an instance."""
        return not (
            resident.moving
            or resident.turn is not None
            or resident.gone
            or resident.suspended
            or resident.held
            or resident.terminating
            or resident.finished
            or resident.head.stalled is not None
            or not self._owner.goes_on(resident.term)
            or resident.key in self._ready.delays
            or self._deciding.app(resident.identity.app_id) is None
        )

    def _make_due(self, resident: Resident) -> None:
        if not self._due:
            self._loop.call_soon(self._flush)
        self._due.append(resident)

    def _flush(self) -> None:
        due, self._due = self._due, []
        for resident in due:
            try:
                self._take_turn(resident)
            except Exception as error:  # noqa: BLE001 - one instance's trouble is not the others'
                self._observer.fault(f"a turn of '{resident.instance_id}'", error)

    def _take_turn(self, resident: Resident) -> None:
        arrivals = resident.arrivals[:TURN_BATCH_EVENTS_MAX]
        del resident.arrivals[:TURN_BATCH_EVENTS_MAX]
        app = self._deciding.app(resident.identity.app_id)
        if app is None or not self._is_plain(resident):
            self._give_up(resident, arrivals)
            return
        try:
            taken = self._wanted(resident, arrivals)
            turn = self._opened(resident, taken) if taken else None
        except BaseException:
            # A mistake of ours: the results are not lost by it, but go the long way.
            self._give_up(resident, arrivals)
            self._ready.consider(resident)
            raise
        if turn is None:
            self._go_on(resident)
            return
        result = self._result(resident, turn, app)
        if result is None:
            self._give_up(resident, taken)
            self._ready.consider(resident)
            return
        self._land(resident, turn, result, taken)

    def _give_up(self, resident: Resident, taken: list[Arrival]) -> None:
        """Let arrivals go by themselves, and those behind them: nobody else would look at these."""
        behind, resident.arrivals = resident.arrivals, []
        _go_alone([*taken, *behind])

    def _wanted(self, resident: Resident, arrivals: list[Arrival]) -> list[Arrival]:
        """Return those that the present generation awaits; the others go by themselves."""
        state = resident.state
        if len(arrivals) == 1 and _is_awaited(arrivals[0], state):
            return arrivals
        events = [arrival.item.event for arrival in arrivals]
        verdicts = takable(state, events)
        wanted = []
        for arrival, keep in zip(arrivals, verdicts, strict=True):
            if keep and arrival.item.add.generation == state.generation:
                wanted.append(arrival)
            else:
                arrival.alone()
        return wanted

    def _opened(self, resident: Resident, taken: list[Arrival]) -> Turn:
        now_us = self._clock.now_us()
        if resident.inbox:
            turn = freeze(resident, now_us, _ANY_SIZE)
        else:
            turn = Turn(WorkflowStarted(at_us=max(now_us, resident.state.last_turn_us)), (), ())
        turn.batch = (*turn.batch, *[arrival.item for arrival in taken])
        turn.arrivals = tuple(taken)
        turn.handed_out_at_us = now_us
        return turn

    def _result(
        self, resident: Resident, turn: Turn, app: LocalApp
    ) -> Closed | ContinuedAsNew | None:
        """Return what a turn comes to if that may land with its cause."""
        try:
            result = self._deciding.decide(resident, turn, app)
        except WorkerFault:
            # Asked once more when its cause is on disk, it says so again and is reported.
            self._deciding.forget(resident)
            return None
        if isinstance(result, Stalled):
            self._deciding.forget(resident)
            return None
        return result

    def _land(
        self,
        resident: Resident,
        turn: Turn,
        result: Closed | ContinuedAsNew,
        taken: list[Arrival],
    ) -> None:
        resident.moving = resident.deciding = True

        def told(outcome: Outcome) -> None:
            if outcome.verdict is Verdict.LANDED:
                for arrival in taken:
                    arrival.landed()
                if not isinstance(result, Closed) or result.state.finished:
                    self._deciding.forget(resident)
            else:
                self._deciding.forget(resident)

        def done(outcome: Outcome) -> None:
            resident.deciding = False
            if outcome.verdict is not Verdict.LANDED:
                _go_alone(taken)
            self._go_on(resident)

        def failed() -> None:
            resident.deciding = False
            self._deciding.forget(resident)
            _go_alone(taken)
            self._go_on(resident)

        self._moves.follow(resident, turn, result, Follow(told, done, failed))

    def _go_on(self, resident: Resident) -> None:
        """Look at what has come while an instance was moving."""
        if resident.arrivals:
            if self._is_plain(resident):
                self._make_due(resident)
                return
            arrivals, resident.arrivals = resident.arrivals, []
            _go_alone(arrivals)
        self._ready.consider(resident)


def _is_awaited(arrival: Arrival, state: State) -> bool:
    """Tell whether an arrival is the result of a task of this generation: what mostly comes."""
    match arrival.item.event:
        case TaskCompleted(task_id=task_id) | TaskFailed(task_id=task_id):
            same = arrival.item.add.generation == state.generation
            return same and task_id in state.open_tasks
        case _:
            return False


def _go_alone(arrivals: list[Arrival]) -> None:
    for arrival in arrivals:
        arrival.alone()
