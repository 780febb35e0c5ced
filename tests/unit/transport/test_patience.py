"""So many times at once, and so many a second."""

from perdure.transport.patience import Patience


def test_a_burst_and_then_a_rate() -> None:
    patience = Patience(10, 2, now_s=100)
    assert [patience.lasts(100) for _ in range(11)] == [True] * 10 + [False]
    assert not patience.lasts(100.5)
    patience = Patience(10, 2, now_s=100)
    assert all(patience.lasts(100 + n / 2) for n in range(1_000))


def test_nothing_is_saved_up() -> None:
    patience = Patience(10, 2, now_s=0)
    assert [patience.lasts(1e9) for _ in range(11)] == [True] * 10 + [False]


def test_some_things_cost_more() -> None:
    patience = Patience(10, 2, now_s=0)
    assert patience.lasts(0, 9.5)
    assert not patience.lasts(0, 1)
