"""One wish stops in good order, a second one at once."""

import asyncio
import os
import signal

from perdure.app.stopping import Stopping


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


async def test_signals_are_wishes_for_as_long_as_the_block_lasts() -> None:
    stopping = Stopping()
    before = signal.getsignal(signal.SIGTERM)
    with stopping.by_signals():
        os.kill(os.getpid(), signal.SIGTERM)
        await stopping.requested.wait()
        assert stopping.reason == "SIGTERM"
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.wait_for(stopping.hurried.wait(), 30)
    assert signal.getsignal(signal.SIGTERM) == before
