"""Each breakage of requests, activities, timers, recovery, removal and the store is caught."""

import pytest

from tests.simulation.mutants import disk, work
from tests.simulation.mutants.patching import MUTANTS
from tests.simulation.mutants.running import hunted, of_room


@pytest.mark.parametrize("name", [*of_room(disk), *of_room(work)])
def test_a_breakage_is_caught(name: str) -> None:
    assert hunted(MUTANTS[name]) is not None, MUTANTS[name].says
