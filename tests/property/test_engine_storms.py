"""Whole lives of a server from one number: nothing is lost, nothing counts twice, all ends."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.kit.storm import Storm, live


@pytest.mark.timeout(100)
@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32), st.integers(10, 120))
def test_any_life_comes_to_its_end(seed: int, steps: int) -> None:
    live(Storm, seed, steps)
