"""The checkers can fail: each breakage of what a turn lands, and of what follows, is caught."""

import pytest

from tests.simulation.mutants import moves
from tests.simulation.mutants.patching import MUTANTS
from tests.simulation.mutants.running import caught, hunted, of_room


@pytest.mark.parametrize("name", of_room(moves))
def test_a_breakage_is_caught(name: str) -> None:
    assert hunted(MUTANTS[name]) is not None, MUTANTS[name].says


def test_breakages_are_many_and_go_without_a_trace() -> None:
    assert len(MUTANTS) >= 25
    mutant = MUTANTS["lose-message-to-parent"]
    found = caught(mutant, 1)
    assert found is not None
    assert found.by == "P4"
    assert caught(mutant, 1) == found, "the same again, after all was put right"
