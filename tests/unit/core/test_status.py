"""The table of moves, and what readers see."""

import pytest

from perdure.core.status import MOVES, TERMINAL, Status, may_move, seen_status

PHASES = (Status.PENDING, Status.RUNNING, *sorted(TERMINAL))


@pytest.mark.parametrize("before", list(Status))
@pytest.mark.parametrize("after", list(Status))
def test_moves(before: Status, after: Status) -> None:
    allowed = {
        Status.PENDING: {Status.PENDING, Status.RUNNING, *TERMINAL},
        Status.RUNNING: {Status.RUNNING, *TERMINAL},
    }
    assert may_move(before, after) is (after in allowed.get(before, set()))


def test_the_table_names_every_phase_and_nothing_else() -> None:
    assert set(MOVES) == set(PHASES)


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("suspended", [False, True])
@pytest.mark.parametrize("stalled", [False, True])
def test_what_is_seen(phase: Status, *, suspended: bool, stalled: bool) -> None:
    """behaviour.md 4.1: finished, stalled, suspended, pending, running, in this order."""
    seen = seen_status(phase, suspended=suspended, stalled=stalled)
    if phase in TERMINAL:
        assert seen is phase
    elif stalled:
        assert seen is Status.STALLED
    elif suspended:
        assert seen is Status.SUSPENDED
    else:
        assert seen is phase


def test_the_numbers_are_those_of_the_wire() -> None:
    assert [status.name for status in Status] == [
        "RUNNING",
        "COMPLETED",
        "CONTINUED_AS_NEW",
        "FAILED",
        "CANCELED",
        "TERMINATED",
        "PENDING",
        "SUSPENDED",
        "STALLED",
    ]
    assert [int(status) for status in Status] == list(range(9))
