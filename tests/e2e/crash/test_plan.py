"""What is planned follows from the seed, and lacks nothing."""

from collections import Counter

import pytest

from tests.e2e.crash.plan import ROUNDS_PER_CAMPAIGN, Before, campaigns, rounds


def test_a_seed_is_a_plan() -> None:
    assert list(rounds(7, 50)) == list(rounds(7, 50))
    assert list(rounds(7, 50)) != list(rounds(8, 50))


@pytest.mark.parametrize("seed", range(20))
def test_every_kind_of_trouble_is_in_a_campaign(seed: int) -> None:
    kinds = Counter(planned.before for planned in rounds(seed, ROUNDS_PER_CAMPAIGN))
    assert kinds.keys() == set(Before)
    assert kinds.total() == ROUNDS_PER_CAMPAIGN
    assert kinds[Before.NOTHING] > ROUNDS_PER_CAMPAIGN // 3


def test_a_halt_is_shorter_than_any_call() -> None:
    halts = [planned for planned in rounds(1, 2_000) if planned.before is Before.PAUSE]
    assert all(1.0 <= planned.lasts_s <= 3.0 for planned in halts)


@pytest.mark.parametrize(
    ("total", "sizes"), [(1, [1]), (50, [50]), (51, [50, 1]), (1_000, [50] * 20)]
)
def test_rounds_are_laid_out_in_campaigns(total: int, sizes: list[int]) -> None:
    assert campaigns(total) == sizes
