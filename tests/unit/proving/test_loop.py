"""The simulated loop: time jumps, order is kept, and the dead do nothing more."""

import asyncio
from contextvars import copy_context

import pytest

from perdure.proving.loop import HOME, Home, SimLoop

SECOND_US = 1_000_000


def a_loop() -> SimLoop:
    return SimLoop(lambda: (10, 20))


def test_time_stands_still_while_anything_runs_and_jumps_to_what_is_next() -> None:
    loop = a_loop()
    seen: list[tuple[str, int]] = []

    def note(name: str) -> None:
        seen.append((name, loop.now_us))

    loop.call_in(5, note, "later")
    loop.call_soon(note, "now")
    loop.call_in(5, note, "later, too")
    assert loop.run_until(lambda: False, SECOND_US) is False
    assert seen == [("now", 0), ("later", 5), ("later, too", 5)]
    assert loop.now_us == SECOND_US
    loop.close()


def test_what_is_cancelled_is_not_called() -> None:
    loop = a_loop()
    seen: list[str] = []
    loop.call_later(1.0, seen.append, "no").cancel()
    loop.call_later(2.0, seen.append, "yes")
    loop.run_until(lambda: bool(seen), 10 * SECOND_US)
    assert (seen, loop.now_us) == (["yes"], 2 * SECOND_US)
    loop.close()


def test_asyncio_waits_in_simulated_time() -> None:
    loop = a_loop()
    seen: list[object] = []

    async def work() -> None:
        try:
            await asyncio.wait_for(asyncio.Event().wait(), 3_600)
        except TimeoutError:
            seen.append(loop.now_us)
        seen.append(await loop.run_in_executor(None, lambda text: text + "!", "read"))
        seen.append(loop.now_us)

    loop.create_task(work())
    loop.run_until(lambda: len(seen) == 3, 7_200 * SECOND_US)
    assert seen == [3_600 * SECOND_US, "read!", 3_600 * SECOND_US + 30]
    loop.close()


def test_a_home_that_has_died_is_called_no_more() -> None:
    loop, home = a_loop(), Home("node")
    seen: list[str] = []
    loop.homes.append(home)
    context = copy_context()
    context.run(HOME.set, home)

    async def work() -> None:
        try:
            seen.append("begun")
            await loop.run_in_executor(None, seen.append, "read")
        finally:
            seen.append("cut off")

    loop.create_task(work(), context=context)
    loop.outside(20, setattr, home, "alive", False)
    loop.run_until(lambda: False, SECOND_US)
    assert seen == ["begun", "read"], "a process that is killed tidies nothing up"
    loop.close()


def test_what_belongs_to_nobody_is_called_whoever_asked_for_it() -> None:
    loop, home = a_loop(), Home("node")
    seen: list[str] = []
    context = copy_context()
    context.run(HOME.set, home)
    context.run(loop.call_in, 5, seen.append, "inside")
    context.run(loop.outside, 5, seen.append, "outside")
    home.alive = False
    loop.run_until(lambda: False, SECOND_US)
    assert seen == ["outside"]
    loop.close()


def test_a_fault_that_nobody_hears_is_told_with_its_home() -> None:
    loop, home = a_loop(), Home("node")
    told: list[tuple[Home | None, str]] = []
    loop.on_fault = lambda of, error: told.append((of, str(error)))
    context = copy_context()
    context.run(HOME.set, home)

    def fail() -> None:
        raise ValueError("here")

    loop.call_soon(fail, context=context)
    loop.run_until(lambda: False, SECOND_US)
    assert told == [(home, "here")]
    loop.close()


class _TakesTooLong(BaseException):
    """What a test's time-out raises: code that catches exceptions lets it pass."""


async def _taking_too_long() -> None:
    raise _TakesTooLong


@pytest.mark.parametrize("told", ["by the loop", "by a task"])
def test_what_is_nobodys_error_in_the_run_ends_it(told: str) -> None:
    """It is not taken for a fault of the engine: a breakage would be caught by its time-out."""
    loop = a_loop()
    faults: list[BaseException] = []
    loop.on_fault = lambda _, error: faults.append(error)
    if told == "by a task":
        loop.create_task(_taking_too_long()).add_done_callback(
            lambda done: loop.interrupt(done.exception() or _TakesTooLong())
        )
    else:
        loop.call_soon(_raise_it)
    with pytest.raises(_TakesTooLong):
        loop.run_until(lambda: False, SECOND_US)
    assert faults == []
    loop.close()


def _raise_it() -> None:
    raise _TakesTooLong


async def test_within_a_loop_that_runs_another_can_be_run_to_its_end() -> None:
    outer, task = asyncio.get_running_loop(), asyncio.current_task()
    loop = a_loop()
    seen: list[object] = []

    async def work() -> None:
        seen.append(asyncio.get_running_loop() is loop)
        seen.append(asyncio.current_task() is not task)
        await asyncio.sleep(0)
        await asyncio.wait_for(loop.run_in_executor(None, lambda: seen.append("read")), 5)
        seen.append("done")

    loop.create_task(work())
    loop.run_until(lambda: "done" in seen, SECOND_US)
    loop.close()
    assert seen == [True, True, "read", "done"]
    assert asyncio.get_running_loop() is outer
    assert asyncio.current_task() is task
    await asyncio.sleep(0)
