"""Each breakage of first turns that are handed out early is caught."""

import pytest

from tests.simulation.mutants import firsts
from tests.simulation.mutants.patching import MUTANTS
from tests.simulation.mutants.running import hunted, of_room


@pytest.mark.parametrize("name", of_room(firsts))
def test_a_breakage_is_caught(name: str) -> None:
    assert hunted(MUTANTS[name]) is not None, MUTANTS[name].says
