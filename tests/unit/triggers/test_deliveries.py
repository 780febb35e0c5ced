"""Handing messages on: bounded, in lanes, acknowledged after they were accepted."""

import asyncio
import contextlib

import pytest

from perdure.triggers.deliveries import Deliveries
from perdure.triggers.port import Message, Receiver, Settled, Standing

GRACE_US = 50_000


def message(text: str) -> Message:
    return Message(message_id=text, data=text.encode())


def deliveries(receive: Receiver, *, most: int = 4, standing: Standing | None = None) -> Deliveries:
    return Deliveries(receive, standing or Standing(), name="source", most=most, grace_us=GRACE_US)


async def accept(_message: Message) -> Settled:
    return Settled.ACCEPTED


async def test_a_message_is_acknowledged_after_it_was_accepted() -> None:
    happened: list[str] = []

    async def receive(message: Message) -> Settled:
        happened.append(f"received {message.message_id}")
        return Settled.ACCEPTED

    done = asyncio.Event()

    async def acknowledge() -> None:
        happened.append("acknowledged")
        done.set()

    async with deliveries(receive) as under_test:
        await under_test.room()
        under_test.hand_on(message("a"), acknowledge)
        await done.wait()
    assert happened == ["received a", "acknowledged"]


async def test_later_is_never_acknowledged_and_let_go_of_when_the_session_ends() -> None:
    tried, acknowledged = asyncio.Event(), []

    async def later(_message: Message) -> Settled:
        tried.set()
        return Settled.LATER

    async def acknowledge() -> None:
        acknowledged.append(1)

    async with deliveries(later) as under_test:
        under_test.hand_on(message("a"), acknowledge)
        await tried.wait()
    assert not acknowledged


async def test_room_is_waited_for() -> None:
    gate = asyncio.Event()

    async def wait(_message: Message) -> Settled:
        await gate.wait()
        return Settled.ACCEPTED

    async with deliveries(wait, most=2) as under_test:
        assert await under_test.room() == 2
        for text in "ab":
            under_test.hand_on(message(text), _nothing)
        waiting = asyncio.create_task(under_test.room())
        await asyncio.sleep(0)
        assert not waiting.done()
        assert under_test.under_way == 2
        gate.set()
        assert await waiting >= 1


async def test_a_lane_goes_one_after_the_other_also_past_later() -> None:
    seen: list[str] = []

    async def receive(message: Message) -> Settled:
        assert message.message_id is not None
        seen.append(message.message_id)
        first_try = message.message_id == "a1" and seen.count("a1") == 1
        return Settled.LATER if first_try else Settled.ACCEPTED

    done = asyncio.Event()

    async def last() -> None:
        done.set()

    async with deliveries(receive) as under_test:
        under_test.hand_on(message("a1"), _nothing, lane="a")
        under_test.hand_on(message("a2"), last, lane="a")
        under_test.hand_on(message("b1"), _nothing, lane="b")
        await done.wait()
    assert [each for each in seen if each.startswith("a")] == ["a1", "a1", "a2"]
    assert seen.index("b1") < seen.index("a2")


async def test_an_acknowledgement_that_fails_ends_the_session_and_tells_its_standing() -> None:
    async def fail() -> None:
        raise ConnectionError("gone")

    standing = Standing(connected=True)

    async def session() -> None:
        async with deliveries(accept, standing=standing) as under_test:
            under_test.hand_on(message("a"), fail)
            await asyncio.Event().wait()

    with pytest.raises(ConnectionError, match="gone"):
        await session()
    assert (standing.connected, standing.trouble) == (False, "ConnectionError: gone")
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_work_beside_that_fails_ends_the_session() -> None:
    async def lose() -> None:
        raise ConnectionError("lost")

    async def session() -> None:
        async with deliveries(accept) as under_test:
            under_test.beside(lose())
            await asyncio.Event().wait()

    with pytest.raises(ConnectionError, match="lost"):
        await session()


async def test_a_cancellation_from_outside_stays_one() -> None:
    entered = asyncio.Event()

    async def session() -> None:
        async with deliveries(accept):
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(session())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancellation_that_was_swallowed_is_raised_where_room_is_asked_for() -> None:
    entered = asyncio.Event()

    async def session() -> None:
        async with deliveries(accept) as under_test:
            while True:
                await under_test.room()
                entered.set()
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.Event().wait()

    task = asyncio.create_task(session())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_what_is_in_hand_may_end_for_a_moment_and_is_then_let_go_of() -> None:
    begun, leaving, acknowledged = asyncio.Event(), asyncio.Event(), []

    async def wait_for_ever(message: Message) -> Settled:
        begun.set()
        await (leaving if message.message_id == "quick" else asyncio.Event()).wait()
        return Settled.ACCEPTED

    async def acknowledge() -> None:
        acknowledged.append(1)

    async with asyncio.timeout(10):
        async with deliveries(wait_for_ever) as under_test:
            under_test.hand_on(message("quick"), acknowledge)
            under_test.hand_on(message("slow"), acknowledge)
            await begun.wait()
            asyncio.get_running_loop().call_soon(leaving.set)
    assert acknowledged == [1]


async def _nothing() -> None:
    return
