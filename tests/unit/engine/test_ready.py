"""Queues of what is ready: each key once, first in first out, with a limit that loses nothing."""

import asyncio

from perdure.base.limits import READY_QUEUE_MAX
from perdure.base.time import SECOND_US
from perdure.engine.ready import Delays, ReadyQueue
from tests.kit.clock import VirtualClock


def test_first_in_first_out_and_each_once() -> None:
    queue: ReadyQueue[int, str] = ReadyQueue()
    for key in (3, 1, 3, 2):
        assert queue.push(key, str(key))
    queue.push(9, "9", first=True)
    assert len(queue) == 4
    assert [queue.pop() for _ in range(5)] == [(9, "9"), (3, "3"), (1, "1"), (2, "2"), None]


def test_what_is_taken_out_is_passed_over() -> None:
    queue: ReadyQueue[int, str] = ReadyQueue()
    for key in range(6):
        queue.push(key, str(key))
    assert queue.discard(0) == "0"
    assert queue.discard(77) is None
    assert queue.take_where(lambda key: key % 2 == 1) == ["1", "3", "5"]
    assert 1 not in queue
    queue.push(7, "new")
    assert [queue.pop() for _ in range(4)] == [(2, "2"), (4, "4"), (7, "new"), None]


def test_what_does_not_fit_is_remembered() -> None:
    queue: ReadyQueue[int, None] = ReadyQueue()
    for key in range(READY_QUEUE_MAX):
        assert queue.push(key, None)
    assert not queue.overflowed
    assert not queue.push(READY_QUEUE_MAX, None)
    assert queue.overflowed
    assert queue.push(0, None), "it is in there already"
    assert queue.push(-1, None, first=True), "what comes back always fits"
    assert not queue.runs_low()
    for _ in range(READY_QUEUE_MAX // 2 + 2):
        queue.pop()
    assert queue.runs_low()


async def test_delays_double_up_to_the_longest() -> None:
    clock = VirtualClock(asyncio.get_running_loop())
    woken: list[int] = []
    delays = Delays(woken.append)
    for attempt, pause_s in ((1, 1), (2, 2), (3, 4), (4, 5), (90, 5)):
        delays.delay(7, attempt=attempt, first_us=SECOND_US, longest_us=5 * SECOND_US)
        assert 7 in delays
        clock.advance(pause_s * SECOND_US - 1)
        await asyncio.sleep(0)
        assert not woken
        clock.advance(1)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert woken == [7]
        assert 7 not in delays
        woken.clear()


async def test_a_delay_that_is_ended_wakes_nobody() -> None:
    clock = VirtualClock(asyncio.get_running_loop())
    woken: list[int] = []
    delays = Delays(woken.append)
    delays.delay(7, attempt=1, first_us=SECOND_US, longest_us=SECOND_US)
    delays.delay(7, attempt=1, first_us=2 * SECOND_US, longest_us=2 * SECOND_US)
    clock.advance(SECOND_US)
    await asyncio.sleep(0)
    assert (woken, len(delays), delays.keys()) == ([], 1, [7])
    assert delays.end(7)
    assert not delays.end(7)
    clock.advance(SECOND_US)
    await asyncio.sleep(0)
    assert woken == []


async def test_after_the_end_nothing_waits_and_nobody_is_woken() -> None:
    clock = VirtualClock(asyncio.get_running_loop())
    woken: list[int] = []
    delays = Delays(woken.append)
    delays.delay(7, attempt=1, first_us=SECOND_US, longest_us=SECOND_US)
    delays.stop()
    delays.delay(8, attempt=1, first_us=SECOND_US, longest_us=SECOND_US)
    assert len(delays) == 0
    clock.advance(SECOND_US)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert woken == []


def test_what_is_unwanted_is_dropped_and_counted() -> None:
    queue: ReadyQueue[int, str] = ReadyQueue()
    for key in range(5):
        queue.push(key, str(key))
    assert queue.drop_where(lambda key: key > 2) == 2
    assert [queue.pop(), queue.pop(), queue.pop(), queue.pop()] == [
        (0, "0"),
        (1, "1"),
        (2, "2"),
        None,
    ]
