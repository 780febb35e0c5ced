"""Messages that come again at any moment of any life of a server: each counts once."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.kit.post_storm import PostStorm
from tests.kit.storm import live


@pytest.mark.timeout(100)
@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32), st.integers(10, 120))
def test_each_message_counts_once_in_any_life(seed: int, steps: int) -> None:
    live(PostStorm, seed, steps)
