"""Whole lives of a server from one number: nothing is lost, nothing counts twice, all ends."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.kit.clock import VirtualLoop
from tests.kit.storm import Storm


async def _live(seed: int, steps: int) -> None:
    storm = Storm(seed)
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
def test_any_life_comes_to_its_end(seed: int, steps: int) -> None:
    live(seed, steps)
