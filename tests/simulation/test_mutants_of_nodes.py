"""Every breakage of leases and of what nodes tell each other is caught."""

import pytest

from tests.simulation.mutants import nodes
from tests.simulation.mutants.running import MUTANTS, hunted, of_room


@pytest.mark.parametrize("name", of_room(nodes))
def test_it_is_caught(name: str) -> None:
    assert hunted(MUTANTS[name]) is not None, f"nobody catches that {MUTANTS[name].says}"
