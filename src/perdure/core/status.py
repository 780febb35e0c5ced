"""The states an instance can be in, and the table of moves between them.

An instance has a *phase*, moved only by turns and by terminate, and two flags laid over it:
suspended (set by request) and stalled (set by the engine when a worker cannot go on). What
people see is the *status*, derived from the three in the order of behaviour.md 4.1: finished,
stalled, suspended, pending, running.
"""

from enum import IntEnum
from typing import Final


class Status(IntEnum):
    """An instance's status, with the numbers of the wire's OrchestrationStatus."""

    RUNNING = 0
    COMPLETED = 1
    CONTINUED_AS_NEW = 2
    FAILED = 3
    CANCELED = 4
    TERMINATED = 5
    PENDING = 6
    SUSPENDED = 7
    STALLED = 8

    __hash__ = int.__hash__  # as it is equal to a number; that of enumerations is slower, too


# By their numbers: to look one up in an enumeration is slow.
STATUSES: Final = tuple(Status)

TERMINAL: Final = frozenset(
    {Status.COMPLETED, Status.FAILED, Status.CANCELED, Status.TERMINATED},
)

# From which phase to which phases one commit may take an instance. CONTINUED_AS_NEW is not a
# resting phase: the new generation is RUNNING at once. Absence refuses.
MOVES: Final[dict[Status, frozenset[Status]]] = {
    Status.PENDING: frozenset({Status.PENDING, Status.RUNNING}) | TERMINAL,
    Status.RUNNING: frozenset({Status.RUNNING}) | TERMINAL,
    Status.COMPLETED: frozenset(),
    Status.FAILED: frozenset(),
    Status.CANCELED: frozenset(),
    Status.TERMINATED: frozenset(),
}


def may_move(before: Status, after: Status) -> bool:
    """Tell whether one commit may take the phase from `before` to `after`."""
    return after in MOVES.get(before, frozenset())


def seen_status(phase: Status, *, suspended: bool, stalled: bool) -> Status:
    """Return the status that readers see."""
    if phase in TERMINAL:
        return phase
    if stalled:
        return Status.STALLED
    return Status.SUSPENDED if suspended else phase
