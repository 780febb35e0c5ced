"""The plan of a campaign: the same for the same seed, of every kind, and never against itself."""

import pytest

from tests.e2e.cluster.plan import OF_NODE, OF_STORE, Trouble, rounds


def test_a_seed_is_a_plan() -> None:
    assert list(rounds(1, 40, 3)) == list(rounds(1, 40, 3))
    assert list(rounds(1, 40, 3)) != list(rounds(2, 40, 3))


def test_a_plan_that_is_long_enough_has_every_trouble() -> None:
    found = {blow.trouble for planned in rounds(3, 30, 3) for blow in planned.blows}
    assert found == set(Trouble)


def test_a_plan_may_be_of_some_troubles_alone() -> None:
    only = (Trouble.CRASH_STORE, Trouble.STALL)
    planned = [each for each in rounds(4, 20, 3, only) if each.blows[0].trouble is not Trouble.CALM]
    assert {blow.trouble for each in planned for blow in each.blows} == set(only)
    assert len(planned) == 20


@pytest.mark.parametrize("nodes", [1, 2, 3, 4])
def test_no_two_troubles_stand_in_each_others_way(nodes: int) -> None:
    for seed in range(20):
        for planned in rounds(seed, 30, nodes):
            assert 1 <= len(planned.blows) <= 2
            struck = [blow.whom for blow in planned.blows if blow.trouble in OF_NODE]
            assert len(struck) == len(set(struck))
            assert sum(blow.trouble in OF_STORE for blow in planned.blows) <= 1
            assert all(blow.whom < nodes for blow in planned.blows)
