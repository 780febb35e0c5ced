"""Each breakage of what is decided and run in the process is caught."""

import pytest

from tests.simulation.mutants import here
from tests.simulation.mutants.patching import MUTANTS
from tests.simulation.mutants.running import hunted, of_room


@pytest.mark.parametrize("name", of_room(here))
def test_a_breakage_is_caught(name: str) -> None:
    assert hunted(MUTANTS[name]) is not None, MUTANTS[name].says
