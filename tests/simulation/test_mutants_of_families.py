"""Each breakage of what workers of Microsoft's family are sent and answer is caught."""

import pytest

from tests.simulation.mutants import families
from tests.simulation.mutants.patching import MUTANTS
from tests.simulation.mutants.running import hunted, of_room


@pytest.mark.parametrize("name", of_room(families))
def test_a_breakage_is_caught(name: str) -> None:
    assert hunted(MUTANTS[name]) is not None, MUTANTS[name].says
