"""The checkers can fail: each deliberate breakage of the engine is caught by one."""

import pytest

from tests.simulation.mutants.running import MUTANTS, caught, hunted


@pytest.mark.parametrize("name", sorted(MUTANTS))
def test_a_breakage_is_caught(name: str) -> None:
    assert hunted(MUTANTS[name]) is not None, MUTANTS[name].says


def test_there_are_many_and_they_go_without_a_trace() -> None:
    assert len(MUTANTS) >= 25
    mutant = MUTANTS["lose-message-to-parent"]
    found = caught(mutant, 1)
    assert found is not None
    assert found.by == "P4"
    with mutant.in_force():
        pass
    assert caught(mutant, 1) == found, "the same again, after all was put right"
