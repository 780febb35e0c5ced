"""What is done to the server and its workers, round by round: all of it follows from a seed."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import Final

ROUNDS_PER_CAMPAIGN: Final = 50


class Before(Enum):
    """What happens in a round before the server is killed."""

    NOTHING = "nothing"
    STOP = "the server is stopped with SIGTERM and started again"
    PAUSE = "the server is halted with SIGSTOP, and goes on"
    KILL_PAUSED = "the server is halted with SIGSTOP, and killed in that state"
    KILL_STARTING = "the server is killed, and killed again while it starts"
    CUT = "connections of a worker and of clients are cut, and come back"
    KILL_WORKER = "a worker is killed, and another takes its place"


_WEIGHTS: Final = {
    Before.NOTHING: 51,
    Before.STOP: 9,
    Before.PAUSE: 7,
    Before.KILL_PAUSED: 6,
    Before.KILL_STARTING: 9,
    Before.CUT: 9,
    Before.KILL_WORKER: 9,
}


@dataclass(frozen=True, slots=True)
class Round:
    """One life of the server: what happens in it, and when it ends.

    It is killed when it has acknowledged so many calls more, at the very moment when somebody has
    been told; or, if that takes longer or there is no such number, after a time.
    """

    before: Before
    before_after_s: float
    lasts_s: float
    killed_after_s: float
    killed_after_acks: int | None


def rounds(seed: int, count: int) -> Iterator[Round]:
    """The rounds of a campaign. If there are enough, each kind of trouble is among them."""
    random = Random(seed)
    kinds = list(Before)[:count]
    kinds += random.choices(list(_WEIGHTS), weights=list(_WEIGHTS.values()), k=count - len(kinds))
    random.shuffle(kinds)
    for kind in kinds:
        # Most lives are short, so that much is under way at each death; a few see things through.
        lasts_most_s = random.choice((0.3, 0.8, 1.6))
        yield Round(
            before=kind,
            before_after_s=random.uniform(0.0, 0.6),
            lasts_s=_lasting(kind, random),
            killed_after_s=random.uniform(0.02, lasts_most_s),
            killed_after_acks=random.choice((None, random.randrange(1, 60))),
        )


def _lasting(kind: Before, random: Random) -> float:
    match kind:
        case Before.PAUSE:
            return random.uniform(1.0, 3.0)
        case Before.KILL_PAUSED:
            return random.uniform(0.1, 1.0)
        case Before.KILL_STARTING:
            return random.uniform(0.0, 1.2)
        case _:
            return 0.0


def campaigns(total_rounds: int) -> list[int]:
    """How many rounds each campaign has; every one begins with an empty store."""
    whole, rest = divmod(total_rounds, ROUNDS_PER_CAMPAIGN)
    return [ROUNDS_PER_CAMPAIGN] * whole + [rest] * bool(rest)
