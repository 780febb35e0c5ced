"""Time goes on, whatever happens to the wall clock."""

from hypothesis import given
from hypothesis import strategies as st

from perdure.app.clock import SystemClock


class Clocks:
    """A wall clock that people set, and one that nobody can."""

    def __init__(self, wall_us: int = 1_000_000) -> None:
        self.wall_us = wall_us
        self.monotonic_us = 5
        self.clock = SystemClock(lambda: self.wall_us * 1_000, lambda: self.monotonic_us * 1_000)

    def pass_by(self, duration_us: int) -> None:
        self.wall_us += duration_us
        self.monotonic_us += duration_us


def test_it_is_the_wall_clock() -> None:
    clocks = Clocks()
    clocks.pass_by(7)
    assert clocks.clock.now_us() == clocks.wall_us


def test_set_forward_it_follows_at_once() -> None:
    clocks = Clocks()
    clocks.wall_us += 3_600_000_000
    assert clocks.clock.now_us() == clocks.wall_us


def test_set_back_it_runs_at_half_speed_until_the_other_has_caught_up() -> None:
    clocks = Clocks()
    before_us = clocks.clock.now_us()
    clocks.wall_us -= 1_000
    clocks.pass_by(600)
    assert clocks.clock.now_us() == before_us + 300
    clocks.pass_by(2_000)
    assert clocks.clock.now_us() == clocks.wall_us


def test_set_back_and_asked_all_the_time_it_still_goes_on() -> None:
    clocks = Clocks()
    before_us = clocks.clock.now_us()
    clocks.wall_us -= 1_000_000
    for _ in range(1_000):
        clocks.pass_by(1)
        clocks.clock.now_us()
    assert clocks.clock.now_us() == before_us + 500


@given(st.lists(st.tuples(st.integers(-(10**9), 10**9), st.integers(0, 10**6)), max_size=40))
def test_it_never_runs_backwards(steps: list[tuple[int, int]]) -> None:
    clocks = Clocks(wall_us=10**12)
    last_us = clocks.clock.now_us()
    for set_by_us, passed_us in steps:
        clocks.wall_us += set_by_us
        clocks.pass_by(passed_us)
        now_us = clocks.clock.now_us()
        assert now_us >= last_us
        last_us = now_us
