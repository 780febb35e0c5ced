"""Threads of a pool: as few as are wanted, and none lost to what nobody waits for."""

import asyncio
import threading

from perdure.base.limits import ABANDONED_THREADS_MAX
from perdure.worker.threads import Threads


def _names() -> set[str]:
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("pool")}


async def test_much_work_for_few_threads_is_all_done() -> None:
    threads: Threads[int] = Threads(3, name="pool-many")
    done: list[int] = []
    all_done = asyncio.Event()

    def came(number: int) -> None:
        done.append(number)
        if len(done) == 5_000:
            all_done.set()

    for number in range(5_000):
        threads.submit(lambda number=number: number, came)  # type: ignore[misc]  # the default binds it
    await all_done.wait()
    assert sorted(done) == list(range(5_000))
    assert len(_names()) <= 3
    threads.close()


async def test_no_thread_is_made_while_one_is_free() -> None:
    threads: Threads[None] = Threads(8, name="pool-one")
    for _ in range(20):
        done = asyncio.Event()
        threads.submit(lambda: None, lambda _, done=done: done.set())  # type: ignore[misc]  # the default binds it
        await done.wait()
    assert len(_names()) == 1
    threads.close()


async def test_what_waits_can_be_dropped_and_what_runs_abandoned() -> None:
    threads: Threads[str] = Threads(1, name="pool-drop")
    begun, go = threading.Event(), threading.Event()
    done: asyncio.Queue[str] = asyncio.Queue()

    def blocks() -> str:
        begun.set()
        go.wait()
        return "blocked"

    first = threads.submit(blocks, done.put_nowait)
    second = threads.submit(lambda: "never", done.put_nowait)
    await asyncio.to_thread(begun.wait)
    assert not threads.drop(first)
    assert threads.drop(second)
    threads.submit(lambda: "third", done.put_nowait)
    threads.abandon(first)
    assert await done.get() == "third"
    go.set()
    assert await done.get() == "blocked"
    threads.close()
    assert done.empty()


async def test_a_pool_can_be_widened_while_all_its_threads_are_busy() -> None:
    threads: Threads[str] = Threads(1, name="pool-wide")
    both = threading.Barrier(3)
    done: asyncio.Queue[str] = asyncio.Queue()

    def meets() -> str:
        both.wait(30)
        return "met"

    for _ in range(2):
        threads.submit(meets, done.put_nowait)
    threads.widen(2)
    await asyncio.to_thread(both.wait, 30)
    assert [await done.get(), await done.get()] == ["met", "met"]
    threads.widen(1)
    assert len(_names()) == 2
    threads.close()


async def test_threads_that_never_end_are_bounded_and_given_back_when_they_do() -> None:
    threads: Threads[int] = Threads(2, name="stuck")
    go = threading.Event()
    ended: asyncio.Queue[int] = asyncio.Queue()
    done: asyncio.Queue[int] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    most = ABANDONED_THREADS_MAX + 2
    for number in range(most):
        begun = asyncio.Event()

        def blocks(begun: asyncio.Event = begun, number: int = number) -> int:
            loop.call_soon_threadsafe(begun.set)
            go.wait()
            return number

        job = threads.submit(blocks, ended.put_nowait)
        await begun.wait()
        threads.abandon(job)
    assert (threads.abandoned, threads.size) == (most, 0)
    threads.submit(lambda: -1, done.put_nowait)
    made = [each for each in threading.enumerate() if each.name.startswith("stuck-")]
    assert len(made) == most
    assert done.empty()
    go.set()
    assert await done.get() == -1
    assert sorted([await ended.get() for _ in range(most)]) == list(range(most))
    assert (threads.abandoned, threads.size) == (0, 2)
    threads.close()
