"""Which turn an answer is to: its token tells, or without one what it says (`engine.ghosts`)."""

from perdure.base.observer import Observer
from perdure.base.time import Clock
from perdure.engine.ghosts import Ghosts
from perdure.engine.residents import Resident, Residents, Turn
from perdure.engine.turns_out import TurnOut, TurnsOut
from perdure.wire.generated.work_pb2 import TurnAnswer


class Claims:
    """Matches answers to the turns that are out, and drops those that are to none."""

    def __init__(
        self, out: TurnsOut, residents: Residents, clock: Clock, observer: Observer
    ) -> None:
        """Begin with the ghosts that the process before may have left."""
        self.ghosts = Ghosts(clock)
        self._out = out
        self._residents = residents
        self._observer = observer

    def find(self, answer: TurnAnswer) -> TurnOut | None:
        """Return the turn that an answer may be to; None if it is to none and dropped."""
        out = self._out.find(answer.instance_id)
        if out is None or out.resident.moving:
            self._drop(answer, "nothing is out" if out is None else "an answer is being landed")
            if not answer.token:
                resident = self._residents.peek(answer.instance_id)
                self.ghosts.came(None if resident is None else resident.turn, answer)
            return None
        if answer.token and answer.token != out.turn.token:
            self._drop(answer, "it is of an earlier hand-out")
            return None
        if not answer.token and out.echoes:
            self._drop(answer, "it has no token, and the worker of the turn would echo one")
            return None
        return out

    def holds(self, answer: TurnAnswer, out: TurnOut) -> bool:
        """Tell whether an answer is the turn's own, and note what follows from it."""
        turn, stream = out.turn, out.stream
        if answer.token:
            if stream is not None:
                stream.echoes_tokens = stream.echoes_in_turns = True
            turn.lost = 0
            turn.heard.clear()
            return True
        if not self.ghosts.believes(turn, answer):
            turn.lost += 1  # the worker that has it now may answer, too
            return False
        self.ghosts.answered(turn, answer)
        return True

    def lost(self, out: TurnOut) -> None:
        """Note that the stream that had a turn has ended, and its worker may answer yet."""
        out.turn.lost += not out.echoes

    def given_up(self, resident: Resident, turn: Turn | None) -> None:
        """Note that a turn will not be answered any more: the life of its instance is over.

        Without one, that of the process before may be out all the same.
        """
        if turn is None:
            self.ghosts.ended(resident.instance_id, resident.inbox.values())
            return
        out = self._out.find(resident.instance_id)
        at_worker = out is not None and out.turn is turn and not out.echoes
        self.ghosts.unanswered(resident.instance_id, turn.lost + at_worker, turn)

    def _drop(self, answer: TurnAnswer, reason: str) -> None:
        self._observer.late_completion_dropped(
            "turn", instance_id=answer.instance_id, reason=reason
        )
