"""One wish stops in good order, a second one at once."""

import asyncio
import os
import signal
from typing import Any

import pytest

from perdure.app.stopping import SIGNALS, Stopping


async def test_a_second_wish_hurries() -> None:
    stopping = Stopping()
    changes: list[bool] = []
    stopping.on_change = lambda: changes.append(stopping.hurried.is_set())
    stopping.request("one")
    assert stopping.requested.is_set()
    assert not stopping.hurried.is_set()
    stopping.request("two")
    stopping.request("three")
    assert stopping.hurried.is_set()
    assert (stopping.reason, stopping.exit_code) == ("one", 0)
    assert changes == [False, True]


async def test_by_force_the_answer_leaves_first() -> None:
    stopping = Stopping()
    stopping.request_by_force("somebody")
    assert not stopping.requested.is_set()
    await stopping.requested.wait()
    assert stopping.hurried.is_set()
    assert (stopping.reason, stopping.exit_code) == ("somebody", 1)


@pytest.mark.parametrize("arranged", [signal.SIG_DFL, lambda *_: None])
async def test_signals_are_wishes_for_as_long_as_the_block_lasts(arranged: Any) -> None:
    """Whatever somebody had arranged for them before stands again after it."""
    found = {number: signal.signal(number, arranged) for number in SIGNALS}
    try:
        stopping = Stopping()
        with stopping.by_signals():
            os.kill(os.getpid(), signal.SIGTERM)
            await stopping.requested.wait()
            assert stopping.reason == "SIGTERM"
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.wait_for(stopping.hurried.wait(), 30)
        assert [signal.getsignal(number) for number in SIGNALS] == [arranged] * len(SIGNALS)
    finally:
        for number, handler in found.items():
            signal.signal(number, handler)
