"""Activities in their places: on the loop and in threads, with their times and limits."""

import asyncio
import sys
import threading
import time
from typing import Any

import pytest

from perdure.authoring.activities import ActivityContext
from perdure.authoring.failures import NonRetryableError
from perdure.base.limits import ABANDONED_THREADS_MAX
from perdure.worker.calls import Returned
from perdure.worker.runs import ActivityCancelled
from tests.unit.worker import computing
from tests.unit.worker.running import Place, failure_in


async def test_an_async_activity_runs_on_the_loop_and_another_in_a_thread() -> None:
    where: dict[str, int] = {}

    async def on_loop(_: ActivityContext, value: int) -> int:
        await asyncio.sleep(0)
        where["loop"] = threading.get_ident()
        return value + 1

    def in_thread(_: ActivityContext, value: int) -> int:
        where["thread"] = threading.get_ident()
        return value + 2

    async with Place() as place:
        place.add(on_loop)
        place.add(in_thread)
        assert await place.result("on_loop", "1") == "2"
        assert await place.result("in_thread", "1") == "3"
    assert where["loop"] == threading.get_ident() != where["thread"]


async def test_one_that_nobody_has_fails_and_says_so() -> None:
    async with Place() as place:
        failure = await place.failure("nobody")
    assert failure.error_type == "ActivityNotRegisteredError"
    assert "nobody" in failure.message


@pytest.mark.parametrize("is_async", [True, False])
async def test_an_exception_is_a_failure_with_its_place(*, is_async: bool) -> None:
    class Gone(Exception):
        pass

    async def fails(_: ActivityContext) -> None:
        raise Gone("no \ud800 more")

    def fails_in_thread(_: ActivityContext) -> None:
        raise NonRetryableError("never")

    async with Place() as place:
        if is_async:
            place.add(fails, non_retryable=(Gone,))
            failure = await place.failure("fails")
            assert failure.message == "no \\ud800 more"
        else:
            place.add(fails_in_thread)
            failure = await place.failure("fails_in_thread")
    assert failure.error_type in {"Gone", "NonRetryableError"}
    assert failure.non_retriable
    assert __file__ in (failure.stack_trace or "")


async def test_what_json_has_no_word_for_fails() -> None:
    async def odd(_: ActivityContext) -> object:
        return object()

    async with Place() as place:
        place.add(odd)
        assert "JSON" in (await place.failure("odd")).message


async def test_a_key_is_the_same_however_often_a_call_runs() -> None:
    async def key(ctx: ActivityContext) -> str:
        return ctx.idempotency_key

    async with Place() as place:
        place.add(key)
        keys = [await place.begin("key", execution_id=e)[1] for e in ("a", "a", "b", "", "")]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 4


# ---- limits


@pytest.mark.parametrize("is_async", [True, False])
async def test_no_more_of_a_name_run_at_once_than_it_allows(*, is_async: bool) -> None:
    most = inside = 0
    lock = threading.Lock()
    go_async, go = asyncio.Event(), threading.Event()

    def come(step: int) -> None:
        nonlocal most, inside
        with lock:
            inside += step
            most = max(most, inside)

    async def waits(_: ActivityContext) -> None:
        come(1)
        await go_async.wait()
        come(-1)

    def blocks(_: ActivityContext) -> None:
        come(1)
        go.wait()
        come(-1)

    async with Place(threads=8) as place:
        function: Any = waits if is_async else blocks
        place.add(function, name="one", concurrency_max=3)
        begun = [place.begin("one")[1] for _ in range(10)]
        go_async.set()
        go.set()
        await asyncio.gather(*begun)
    assert most <= 3


async def test_who_waits_for_its_place_and_is_cancelled_never_runs() -> None:
    ran: list[int] = []
    go = asyncio.Event()

    async def one(_: ActivityContext, number: int) -> None:
        ran.append(number)
        await go.wait()

    async with Place() as place:
        place.add(one, concurrency_max=1)
        _, first = place.begin("one", "1")
        second_run, second = place.begin("one", "2")
        _, third = place.begin("one", "3")
        assert second_run is not None
        place.runner.cancel(second_run, "it is gone")
        assert failure_in(await second).error_type == "ActivityCancelled"
        go.set()
        await asyncio.gather(first, third)
        assert len(place.runner) == 0
    assert ran == [1, 3]


# ---- times


async def test_an_async_activity_whose_time_is_over_is_cancelled() -> None:
    ended = asyncio.Event()

    async def slow(_: ActivityContext) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with Place() as place:
        place.add(slow, timeout=0.05)
        failure = await place.failure("slow")
        await ended.wait()
    assert failure.error_type == "TimeoutError"
    assert failure.message == "activity 'slow' took longer than 0.05 s"
    assert not failure.non_retriable


async def test_a_thread_whose_time_is_over_keeps_its_place_and_learns_of_it() -> None:
    stopped = threading.Event()

    def slow(ctx: ActivityContext) -> None:
        try:
            while True:
                ctx.heartbeat()
                time.sleep(0)
        except ActivityCancelled:
            assert ctx.is_cancelled
            stopped.set()

    async with Place(threads=1) as place:
        place.add(slow, timeout=0.05, concurrency_max=1)
        place.add(lambda _ctx: 1, name="other")
        failure = await place.failure("slow")
        assert failure.error_type == "TimeoutError"
        # The one thread is not lost to others, whether or not the slow one ever ends.
        assert await place.result("other") == "1"
        await asyncio.to_thread(stopped.wait)
        # And who is under the same limit begins when it has ended.
        assert (await place.failure("slow")).error_type == "TimeoutError"


async def test_threads_that_never_end_are_told_of_by_name(caplog: pytest.LogCaptureFixture) -> None:
    go = threading.Event()

    def deaf(_: ActivityContext) -> None:
        go.wait()

    async with Place(threads=1) as place:
        place.add(deaf, timeout=0.001)
        place.add(lambda _ctx: 1, name="other")
        for _ in range(ABANDONED_THREADS_MAX):
            assert (await place.failure("deaf")).error_type == "TimeoutError"
        assert await place.result("other") == "1"
        assert not caplog.records
        assert (await place.failure("deaf")).error_type == "TimeoutError"
        (told,) = caplog.messages
        assert told.startswith("activity 'deaf' was given up and its thread does not end")
        assert "(deaf: 101)" in told
        assert "0 are left" in told
        _, other = place.begin("other")
        go.set()
        assert await other == Returned("1")


async def test_who_gives_no_sign_of_life_is_given_up() -> None:
    async def quiet(_: ActivityContext) -> None:
        await asyncio.Event().wait()

    async def lively(ctx: ActivityContext) -> str:
        end = time.monotonic() + 3
        while time.monotonic() < end:
            ctx.heartbeat()
            await asyncio.sleep(0)
        return "done"

    async with Place() as place:
        place.add(quiet, heartbeat_timeout=0.05)
        place.add(lively, heartbeat_timeout=2)
        failure = await place.failure("quiet")
        assert failure.message == "activity 'quiet' gave no heartbeat for 0.05 s"
        assert await place.result("lively") == '"done"'


async def test_waiting_for_a_thread_does_not_count() -> None:
    go = threading.Event()

    def blocks(_: ActivityContext) -> None:
        go.wait()

    async with Place(threads=1) as place:
        place.add(blocks)
        place.add(lambda _ctx: 1, name="quick", timeout=1, heartbeat_timeout=1)
        _, blocked = place.begin("blocks")
        _, quick = place.begin("quick")
        done, _ = await asyncio.wait([quick], timeout=1.3)
        assert not done
        go.set()
        await asyncio.gather(blocked, quick)


# ---- ends


@pytest.mark.parametrize("in_process", [False, True])
async def test_nothing_is_left_in_context_variables(*, in_process: bool) -> None:
    async with Place() as place:
        place.add(computing.leaves, process=in_process)
        for _ in range(3):
            assert await place.result("leaves") == '"nothing"'


async def test_an_activity_that_cancels_itself_has_failed() -> None:
    async def gives_up(_: ActivityContext) -> None:
        raise asyncio.CancelledError

    async def is_cancelled(_: ActivityContext) -> None:
        # As libraries do that put an end to what takes too long, and take the wrong task.
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.Event().wait()

    async with Place() as place:
        place.add(gives_up)
        place.add(is_cancelled)
        assert (await place.failure("gives_up")).error_type == "CancelledError"
        assert (await place.failure("is_cancelled")).error_type == "CancelledError"


async def test_after_the_end_nobody_is_told_anything() -> None:
    ended = asyncio.Event()

    async def waits(_: ActivityContext) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    place = Place()
    place.add(waits)
    _, told = place.begin("waits")
    await asyncio.sleep(0)
    place.runner.close()
    await ended.wait()
    assert not told.done()


async def test_an_exit_is_the_failure_of_its_activity_on_the_loop_as_in_a_thread() -> None:
    async def leaves(_: ActivityContext) -> None:
        sys.exit(3)

    def leaves_its_thread(_: ActivityContext) -> None:
        sys.exit(3)

    async with Place() as place:
        for function in (leaves, leaves_its_thread):
            place.add(function)
            failure = await place.failure(function.__name__)
            assert (failure.error_type, failure.message) == ("SystemExit", "3")


class Unusual(BaseException):
    """An exception that is no Exception, as some test frameworks have them."""


@pytest.mark.parametrize("kind", [Unusual, GeneratorExit, BaseExceptionGroup])
async def test_whatever_is_raised_is_the_failure_of_its_activity(
    kind: type[BaseException],
) -> None:
    """P4: nobody would ever hear of it otherwise."""
    error = kind("both", [Unusual("one")]) if kind is BaseExceptionGroup else kind("no more")

    async def raises(_: ActivityContext) -> None:
        raise error

    def raises_in_its_thread(_: ActivityContext) -> None:
        raise error

    async with Place() as place:
        for function in (raises, raises_in_its_thread):
            place.add(function)
            failure = await place.failure(function.__name__)
            assert failure.error_type == kind.__name__


async def test_another_activity_under_the_same_name_is_run_as_it_is() -> None:
    """What was known of the first says nothing of the one that has come in its place."""

    def blocks(_: ActivityContext) -> str:
        return "in a thread"

    async def waits(_: ActivityContext) -> str:
        return "on the loop"

    async with Place() as place:
        place.add(blocks, name="either", concurrency_max=1)
        assert await place.result("either") == '"in a thread"'
        place.registry.activities.clear()
        place.add(waits, name="either")
        assert await place.result("either") == '"on the loop"'
