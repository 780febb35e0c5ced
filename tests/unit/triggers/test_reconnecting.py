"""A source comes back for ever, with growing pauses."""

import asyncio
import contextlib

import pytest

from perdure.base.time import SECOND_US
from perdure.triggers.port import Standing
from perdure.triggers.reconnecting import Pauses, connected, in_words, stay_connected


def test_pauses_grow_to_the_longest_and_begin_again() -> None:
    pauses = Pauses(SECOND_US, 5 * SECOND_US)
    found = [pauses.next_s() for _ in range(6)]
    for pause, most in zip(found, (1, 2, 4, 5, 5, 5), strict=True):
        assert 0.8 * most <= pause <= most
    pauses.begin_again()
    assert pauses.next_s() <= 1


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionError("refused"), "ConnectionError: refused"),
        (TimeoutError(), "TimeoutError"),
        (ValueError("ValueError: said twice"), "ValueError: said twice"),
    ],
)
def test_words_are_never_empty(error: Exception, words: str) -> None:
    assert in_words(error) == words


def test_words_are_never_long() -> None:
    assert len(in_words(ValueError("x" * 10_000))) == 500


@pytest.mark.parametrize(
    "ends_with",
    [ConnectionError("gone"), RuntimeError("a fault of ours"), asyncio.CancelledError(), None],
)
async def test_whatever_ends_a_session_it_is_entered_again(
    ends_with: BaseException | None,
) -> None:
    standing, entered, again = Standing(), 0, asyncio.Event()

    async def session() -> None:
        nonlocal entered
        entered += 1
        connected("source", standing)
        if entered == 3:
            again.set()
            await asyncio.Event().wait()
        if ends_with is not None:
            raise ends_with

    task = asyncio.create_task(
        stay_connected(session, name="source", standing=standing, troubles=())
    )
    await again.wait()
    assert standing.connected
    assert standing.trouble is None
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert entered == 3


async def test_one_that_hides_its_cancellation_is_not_entered_again() -> None:
    """Libraries do: `asyncio.wait_for` of Python 3.11 swallows one at the moment of success."""
    standing, begun, entered = Standing(), asyncio.Event(), 0

    async def session() -> None:
        nonlocal entered
        entered += 1
        begun.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        raise ConnectionError("the connection was closed")

    task = asyncio.create_task(
        stay_connected(session, name="source", standing=standing, troubles=())
    )
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert entered == 1
