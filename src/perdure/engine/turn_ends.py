"""What turns come to: landed, or taken for never answered if they cannot be."""

import asyncio
from collections.abc import Callable
from typing import Any

from perdure.base.errors import WorkerFault
from perdure.base.limits import TURN_RETRY_FIRST_US, TURN_RETRY_LONGEST_US
from perdure.core.turn import Closed, Stalled, TurnResult
from perdure.engine.deciding import Deciding
from perdure.engine.ground import Ground
from perdure.engine.inboxes import ReadyTurns
from perdure.engine.moves import Follow, Moves
from perdure.engine.reports import subject_of
from perdure.engine.residents import Resident, Turn
from perdure.engine.stalls import Stalls
from perdure.engine.together import go_alone, tell_of
from perdure.store.port import Outcome, Verdict


class TurnEnds:
    """Lands what turns come to."""

    def __init__(
        self,
        ground: Ground,
        ready: ReadyTurns,
        moves: Moves,
        deciding: Deciding,
        release: Callable[[Resident], None],
    ) -> None:
        """Let go of a turn's worker by `release`."""
        self._clock = ground.clock
        self._observer = ground.observer
        self._ready = ready
        self._moves = moves
        self._deciding = deciding
        self._release = release
        self.stalls = Stalls(ready.delays)

    def land(self, resident: Resident, turn: Turn, result: TurnResult) -> "asyncio.Future[Any]":
        """Land what a turn came to; the future is done when that is on disk and true in memory."""
        resident.moving = True

        def told(outcome: Outcome) -> None:
            self._release(resident)
            tell_of(turn, outcome)
            if outcome.verdict is not Verdict.LANDED or not _goes_on(result):
                self._deciding.forget(resident)
            if isinstance(result, Stalled):
                resident.turn = turn  # the batch stays frozen: an answer to it is still an answer
                resident.stream = None  # another worker may be the fitting one
                welcome = not turn.losses.drives_workers_away
                self.stalls.note(resident.key, resident.identity.app_id if welcome else None)
            else:
                self.stalls.over(resident.key)

        def done(_: Outcome) -> None:
            go_alone(turn)
            if not isinstance(result, Stalled):
                self._report(resident, turn)
            self._ready.consider(resident)

        def failed() -> None:
            # It could not be written at all. The turn is as good as never answered.
            self._deciding.forget(resident)
            self._release(resident)
            self.delay(resident, turn.attempts)
            if go_alone(turn):
                resident.turn = None  # its cause has not landed with it

        return self._moves.land(resident, turn, result, Follow(told, done, failed))

    def land_here(self, resident: Resident, turn: Turn, result: TurnResult) -> None:
        """Land what nobody awaits: what cannot even be begun is told of, and tried again."""
        try:
            self.land(resident, turn, result)
        except Exception as error:  # noqa: BLE001 - one instance's trouble is not the others'
            self._observer.fault(f"a turn of '{resident.instance_id}'", error)

    def landed(self, resident: Resident, turn: Turn) -> None:
        """Take note that a turn is on disk that was not landed here."""
        self._release(resident)
        self._report(resident, turn)

    def _report(self, resident: Resident, turn: Turn) -> None:
        latency_us = max(0, self._clock.now_us() - turn.handed_out_at_us)
        self._observer.turn_landed(subject_of(resident.identity), latency_us=latency_us)

    def at_fault(self, resident: Resident, turn: Turn, fault: WorkerFault) -> None:
        """Have a turn decided anew after a pause: its worker has answered nonsense."""
        turn.faults += 1
        self._release(resident)
        self._observer.turn_retried(
            subject_of(resident.identity), attempt=turn.attempts, reason=str(fault)
        )
        self.delay(resident, turn.faults)

    def delay(self, resident: Resident, attempt: int) -> None:
        """Let an instance wait for the pause of its n-th attempt; or, if unborn, for its birth."""
        if resident.unborn:
            return
        self._ready.delays.delay(
            resident.key,
            attempt=attempt,
            first_us=TURN_RETRY_FIRST_US,
            longest_us=TURN_RETRY_LONGEST_US,
        )


def _goes_on(result: TurnResult) -> bool:
    """Tell whether what the code was told of a history stays true of it."""
    return isinstance(result, Closed) and not result.state.finished
