"""What is done to a cluster, round by round: all of it follows from a seed."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import Final

from perdure.base.limits import LEASE_TTL_US, TRANSACTION_IDLE_US
from perdure.base.time import SECOND_US

LEASE_TTL_S: Final = LEASE_TTL_US / SECOND_US
# How soon what a killed node had goes on elsewhere, as docs/several-servers.md states it.
TAKEN_OVER_S: Final = 8.0


class Trouble(Enum):
    """What happens in a round. Most of it lasts for a while, and is over before the next."""

    KILL = "a node is killed"
    STOP = "a node is stopped with SIGTERM"
    PAUSE = "a node is halted with SIGSTOP for longer than its leases last"
    BLINK = "a node is halted with SIGSTOP for a moment"
    SEVER = "a node's connections to Postgres are cut, and new ones refused"
    STALL = "a node's line to Postgres loses everything, and heals"
    CRASH_STORE = "Postgres stops as in a crash"
    RESTART_STORE = "Postgres is restarted in good order"
    KILL_WORKER = "a worker is killed, and another takes its place"
    CUT_WORKER = "the connections of a worker are cut"
    CALM = "nothing happens"


# Those of the store itself. Whatever else goes on, it is back first.
OF_STORE: Final = frozenset({Trouble.CRASH_STORE, Trouble.RESTART_STORE})
OF_NODE: Final = frozenset(
    {
        Trouble.KILL,
        Trouble.STOP,
        Trouble.PAUSE,
        Trouble.BLINK,
        Trouble.SEVER,
        Trouble.STALL,
    }
)
_WEIGHTS: Final = {
    Trouble.KILL: 20,
    Trouble.STOP: 8,
    Trouble.PAUSE: 12,
    Trouble.BLINK: 6,
    Trouble.SEVER: 10,
    Trouble.STALL: 14,
    Trouble.CRASH_STORE: 14,
    Trouble.RESTART_STORE: 8,
    Trouble.KILL_WORKER: 4,
    Trouble.CUT_WORKER: 4,
}
# How long each lasts, from and to. Of what stops a node, some is over before anybody has taken its
# partitions over, and some is not.
_LASTS_S: Final = {
    Trouble.KILL: (0.2, 1.5 * TAKEN_OVER_S),
    Trouble.STOP: (0.0, 4.0),
    Trouble.PAUSE: (LEASE_TTL_S + 0.5, LEASE_TTL_S + 4.0),
    Trouble.BLINK: (0.1, 2.0),
    Trouble.SEVER: (0.2, 1.5 * TAKEN_OVER_S),
    Trouble.STALL: (0.2, 1.5 * TAKEN_OVER_S),
    Trouble.CRASH_STORE: (0.0, 2.0),
    Trouble.RESTART_STORE: (0.0, 2.0),
    Trouble.KILL_WORKER: (0.0, 0.0),
    Trouble.CUT_WORKER: (0.0, 0.0),
}
# After trouble partitions move, and once more when what was in trouble is back; and what a node
# that stands still has locked in Postgres is free only when Postgres ends its transaction.
SETTLED_S: Final = 2 * TAKEN_OVER_S + TRANSACTION_IDLE_US / SECOND_US
# A round that is calm for so long shows what happens without a reason.
CALM_S: Final = SETTLED_S + 20.0
ROUNDS_TO_A_CALM_ONE: Final = 25


@dataclass(frozen=True, slots=True)
class Blow:
    """One trouble, and which node or worker it is for."""

    trouble: Trouble
    whom: int


@dataclass(frozen=True, slots=True)
class Round:
    """One or two troubles at once: when they begin, and how long they last."""

    blows: tuple[Blow, ...]
    after_s: float
    lasts_s: float


def rounds(seed: int, count: int, nodes: int, only: Collection[Trouble] = ()) -> Iterator[Round]:
    """The rounds of a campaign, of all kinds of trouble or of some only.

    If there are enough rounds, each kind is among them.
    """
    random = Random(f"{seed}-cluster")
    weights = {kind: weight for kind, weight in _WEIGHTS.items() if kind in (only or _WEIGHTS)}
    kinds = list(weights)
    random.shuffle(kinds)
    kinds = kinds[:count]
    kinds += random.choices(list(weights), weights=list(weights.values()), k=count - len(kinds))
    for number, kind in enumerate(kinds, start=1):
        blows = [Blow(kind, random.randrange(nodes))]
        second = random.choices(list(weights), weights=list(weights.values()))[0]
        # Two at once, now and then, if they do not stand in each other's way.
        if random.random() < 0.3 and not {kind, second} <= OF_STORE:
            whom = (blows[0].whom + random.randrange(1, nodes)) % nodes if nodes > 1 else 0
            if nodes > 1 or not {kind, second} <= OF_NODE:
                blows.append(Blow(second, whom))
        yield Round(
            blows=tuple(blows),
            after_s=random.uniform(0.0, 1.5),
            lasts_s=max(random.uniform(*_LASTS_S[blow.trouble]) for blow in blows),
        )
        if number % ROUNDS_TO_A_CALM_ONE == 0:
            yield Round(blows=(Blow(Trouble.CALM, 0),), after_s=0.0, lasts_s=CALM_S)
