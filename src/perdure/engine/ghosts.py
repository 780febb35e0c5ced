"""Answers that may yet come from workers that lost their streams and echo no tokens.

Theory of operation. When a stream breaks, its turns are handed out again, and the worker that had
them may still be running: each turn may have several copies out. The batch is frozen, so the first
answer counts whichever copy it is of. The other copies are *ghosts* from then on: their answers
come while a later turn is out, and carry nothing that says so. Taken for that turn's, they would
use up events that their worker has never seen.

So the answers that ghosts may give are counted: by what they say if their turn was answered, since
the same code says the same to the same batch, and as unknown if it never was. An answer without a
token counts at once if no ghost may give it. If ghosts may, the turn is handed out again (workflow
code has no side effects) until more answers say the same than ghosts could: then one of them is the
turn's own. What asks for something under an id that was used already is doubted more: any ghost
might be of other code than its turn's answer, and ids only grow.

The counts are upper bounds: an error costs a hand-out. Dead workers' ghosts never come, so all are
forgotten after a while, and code that never says the same twice is believed in the end.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

from perdure.base.limits import AMBIGUOUS_ANSWERS_MAX, GHOST_INSTANCES_MAX, GHOST_TTL_US
from perdure.base.time import Clock
from perdure.engine.residents import InboxItem, Turn
from perdure.wire.generated.work_pb2 import TurnAnswer
from perdure.wire.meanings import ids_of, meaning_of


@dataclass(slots=True)
class _Expected:
    """What ghosts of one instance may say, and how often."""

    until_us: int = 0
    known: dict[bytes, int] = field(default_factory=dict)
    unknown: int = 0
    last_id: int = -1

    @property
    def total(self) -> int:
        return self.unknown + sum(self.known.values())

    def used_up(self, meaning: bytes, times: int) -> None:
        """Take off answers that were none of the present turn's."""
        known = min(times, self.known.get(meaning, 0))
        if known:
            self.known[meaning] -= known
            if not self.known[meaning]:
                del self.known[meaning]
        self.unknown -= min(times - known, self.unknown)


class Ghosts:
    """By instance id, since a new life of an id may meet the ghosts of the old one."""

    def __init__(self, clock: Clock) -> None:
        """Begin with those that the process before may have left."""
        self._clock = clock
        self._since_us = clock.now_us()
        self._of: OrderedDict[str, _Expected] = OrderedDict()

    def __len__(self) -> int:
        """Return how many instances have any."""
        return len(self._of)

    def frozen(self, instance_id: str, turn: Turn) -> None:
        """Reckon with a copy of a turn that a process before this one may have handed out.

        A batch of one event was the same batch then; of a longer one that may have been a part.
        """
        now_us = self._clock.now_us()
        if not 0 <= now_us - self._since_us < GHOST_TTL_US:
            return
        if all(item.event.at_us >= self._since_us for item in turn.batch):
            return
        if len(turn.batch) == 1:
            turn.lost = 1
        else:
            expected = self._expected(instance_id)
            expected.unknown = max(expected.unknown, 1)

    def ended(self, instance_id: str, unread: Iterable[InboxItem]) -> None:
        """Note that a life has ended without a turn that was handed out here.

        What it had not read by then, a process before this one may have handed out.
        """
        if 0 <= self._clock.now_us() - self._since_us < GHOST_TTL_US and any(
            item.event.at_us < self._since_us for item in unread
        ):
            self.unanswered(instance_id, 1)

    def took_over(self) -> None:
        """Take all turns of before for handed out by somebody else."""
        self._since_us = self._clock.now_us()

    def believes(self, turn: Turn, answer: TurnAnswer) -> bool:
        """Tell whether an answer without a token is the turn's own."""
        expected = self._find(answer.instance_id)
        if expected is None:
            return True
        meaning = meaning_of(answer)
        times = turn.heard[meaning] = turn.heard.get(meaning, 0) + 1
        possible = expected.unknown + expected.known.get(meaning, 0)
        if min(ids_of(answer), default=expected.last_id + 1) <= expected.last_id:
            possible = expected.total
        return times > possible or sum(turn.heard.values()) >= AMBIGUOUS_ANSWERS_MAX

    def answered(self, turn: Turn, answer: TurnAnswer) -> None:
        """Note that a turn has been answered without a token: its other copies are ghosts."""
        expected = self._find(answer.instance_id)
        if expected is None and not turn.lost:
            return
        expected = expected or self._expected(answer.instance_id)
        meaning = meaning_of(answer)
        more = turn.lost + 1 - max(1, turn.heard.pop(meaning, 0))
        # Fewer by more than one: what was heard were ghosts of the same words.
        known = expected.known.pop(meaning, 0) + more
        if known > 0:
            expected.known[meaning] = known
        expected.last_id = max(expected.last_id, *ids_of(answer), -1)
        self._settle(answer.instance_id, turn, expected)

    def unanswered(self, instance_id: str, copies: int, turn: Turn | None = None) -> None:
        """Note that a turn with so many copies out will never be answered: its life has ended."""
        expected = self._find(instance_id)
        if not copies and expected is None:
            return
        expected = expected or self._expected(instance_id)
        expected.unknown += copies
        if turn is not None:
            self._settle(instance_id, turn, expected)

    def came(self, turn: Turn | None, answer: TurnAnswer) -> None:
        """Note an answer without a token for which there is nothing out."""
        expected = self._find(answer.instance_id)
        # While copies of the next turn are out as well, it may have been one of those.
        if expected is not None and not (turn and (turn.lost or turn.heard)):
            expected.used_up(meaning_of(answer), 1)
            self._tidy(answer.instance_id, expected)

    def _settle(self, instance_id: str, turn: Turn, expected: _Expected) -> None:
        for meaning, times in turn.heard.items():
            expected.used_up(meaning, times)
        turn.heard.clear()
        turn.lost = 0
        self._tidy(instance_id, expected)

    def _find(self, instance_id: str) -> _Expected | None:
        expected = self._of.get(instance_id)
        if expected is not None and self._clock.now_us() >= expected.until_us:
            del self._of[instance_id]
            return None
        return expected

    def _expected(self, instance_id: str) -> _Expected:
        expected = self._of.setdefault(instance_id, _Expected())
        expected.until_us = self._clock.now_us() + GHOST_TTL_US
        if len(self._of) > GHOST_INSTANCES_MAX:
            self._of.popitem(last=False)
        return expected

    def _tidy(self, instance_id: str, expected: _Expected) -> None:
        if not expected.total:
            self._of.pop(instance_id, None)
