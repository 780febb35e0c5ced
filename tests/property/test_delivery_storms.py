"""Messages that come again at any moment of any life of a server: each counts once."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.kit.clock import VirtualLoop
from tests.kit.post_storm import PostStorm


async def _live(seed: int, steps: int) -> None:
    storm = PostStorm(seed)
    async with storm.house:
        await storm.rage(steps)
        await storm.calm_down()
        await storm.house.settle()
        storm.check()


def live(seed: int, steps: int) -> None:
    """Run one life to its end."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(_live(seed, steps))


@pytest.mark.timeout(100)
@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32), st.integers(10, 120))
def test_each_message_counts_once_in_any_life(seed: int, steps: int) -> None:
    live(seed, steps)
