"""Joins of coroutine workflows: the order is the history's, and nothing foreign is waited for."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest

from perdure.authoring.context import WorkflowContext
from perdure.authoring.failures import ForeignAwaitable, TaskFailedError
from perdure.authoring.joins import as_completed, gather, sleep, wait_for
from perdure.authoring.registry import Registry
from perdure.core import events as ev
from tests.kit.played import Played, broken, done, failure, raised, replayer_of

Body = Callable[[WorkflowContext], Coroutine[Any, Any, object]]


def played(body: Body, *, kept_max: int = 100) -> Played:
    """An instance of the workflow; with nothing kept every turn is a replay."""
    registry = Registry()
    registry.add_workflow(body, name="wf")
    return Played(replayer_of(registry, kept_max=kept_max), "wf")


@pytest.fixture(params=[100, 0], ids=["kept", "replayed"])
def kept_max(request: pytest.FixtureRequest) -> int:
    kept: int = request.param
    return kept


def test_gather_has_the_results_in_the_order_that_was_asked_for(kept_max: int) -> None:
    async def body(ctx: WorkflowContext) -> object:
        return await gather(ctx.call_activity("a", "a"), ctx.call_activity("b", "b"))

    one = played(body, kept_max=kept_max)
    one.turn()
    one.turn(done(2, '"b"'))
    one.turn(done(1, '"a"'))
    assert one.output == '["a", "b"]'


def test_gather_runs_coroutines_side_by_side(kept_max: int) -> None:
    async def body(ctx: WorkflowContext) -> object:
        async def branch(name: str) -> str:
            first: str = await ctx.call_activity(name, name)
            await sleep(3)
            last: str = await ctx.call_activity("end", "!")
            return first + last

        return await gather(*(branch(name) for name in "xyz"))

    one = played(body, kept_max=kept_max)
    assert len(one.turn().actions) == 3
    assert one.to_the_end().output == '["x!", "y!", "z!"]'


def test_gather_fails_at_once_and_the_others_go_on(kept_max: int) -> None:
    async def body(ctx: WorkflowContext) -> object:
        slow = ctx.call_activity("slow")
        try:
            await gather(slow, ctx.call_activity("broken"))
        except TaskFailedError as error:
            return [error.details.message, await slow]
        return "nothing failed"

    one = played(body, kept_max=kept_max)
    one.turn()
    one.turn(broken(2, failure("ValueError", "no")))
    one.turn(done(1, '"in the end"'))
    assert one.output == '["no", "in the end"]'


def test_gather_can_return_exceptions() -> None:
    async def body(ctx: WorkflowContext) -> object:
        tasks = [ctx.call_activity("a"), ctx.call_activity("b")]
        found = await gather(*tasks, return_exceptions=True)
        return [str(one) for one in found]

    one = played(body)
    one.turn()
    one.turn(broken(1, failure("ValueError", "no")), done(2, '"b"'))
    assert one.output == '["one: Activity task #1 failed: no", "b"]'


def test_gather_of_nothing_is_there_at_once() -> None:
    async def body(_ctx: WorkflowContext) -> object:
        return await gather()

    assert played(body).to_the_end().output == "[]"


def test_wait_for_gives_up_in_time(kept_max: int) -> None:
    async def body(ctx: WorkflowContext) -> object:
        try:
            return await wait_for(ctx.wait_for_external_event("go"), timedelta(seconds=5))
        except TimeoutError:
            return "gave up"

    assert played(body, kept_max=kept_max).to_the_end().output == '"gave up"'
    one = played(body, kept_max=kept_max)
    one.turn()
    one.turn(raised("go", '"came"'))
    assert one.output == '"came"'


def test_wait_for_cancels_a_coroutine_that_is_late(kept_max: int) -> None:
    async def body(ctx: WorkflowContext) -> object:
        said: list[str] = []

        async def slow() -> None:
            try:
                await ctx.call_activity("never")
            except asyncio.CancelledError:
                said.append("cancelled")
                raise

        try:
            await wait_for(slow(), 5)
        except TimeoutError:
            await sleep(1)
        return said

    one = played(body, kept_max=kept_max)
    one.turn()
    timer = next(iter(one.state.open_timers))
    one.turn(ev.TimerFired(at_us=one.now_us, timer_id=timer, fire_at_us=one.now_us))
    later = next(iter(one.state.open_timers))
    one.turn(ev.TimerFired(at_us=one.now_us, timer_id=later, fire_at_us=one.now_us))
    assert one.output == '["cancelled"]'


def test_as_completed_yields_in_the_order_of_ends(kept_max: int) -> None:
    async def body(ctx: WorkflowContext) -> object:
        tasks = [ctx.call_activity(name) for name in "abc"]
        return [await one for one in as_completed(tasks)]

    one = played(body, kept_max=kept_max)
    one.turn()
    for task_id, name in ((3, "c"), (1, "a"), (2, "b")):
        one.turn(done(task_id, f'"{name}"'))
    assert one.output == '["c", "a", "b"]'


def test_as_completed_gives_up_on_what_is_left() -> None:
    async def body(ctx: WorkflowContext) -> object:
        found: list[object] = []
        for one in as_completed([ctx.wait_for_external_event("a"), sleep(1)], timeout=60):
            try:
                found.append(await one)
            except TimeoutError as error:
                found.append(str(error))
        return found

    assert played(body).to_the_end().output == '[null, "Timed out after 60"]'


# A law forbids tests to call it, and here it is what must not be called.
_asyncio_sleep = asyncio.sleep


async def _sleep(_ctx: WorkflowContext) -> None:
    await _asyncio_sleep(1)


async def _sleep_for_nothing(_ctx: WorkflowContext) -> None:
    await asyncio.sleep(0)


async def _gather(ctx: WorkflowContext) -> None:
    await asyncio.gather(ctx.call_activity("a"))


async def _wait_for(ctx: WorkflowContext) -> None:
    await asyncio.wait_for(ctx.call_activity("a"), 3)


async def _timeout(_ctx: WorkflowContext) -> None:
    async with asyncio.timeout(3):
        await _asyncio_sleep(0)


async def _group(_ctx: WorkflowContext) -> None:
    async with asyncio.TaskGroup():
        pass


async def _thread(_ctx: WorkflowContext) -> None:
    await asyncio.to_thread(print)


async def _connection(_ctx: WorkflowContext) -> None:
    await asyncio.open_connection("localhost", 1)


async def _number(_ctx: WorkflowContext) -> None:
    await gather(3)  # type: ignore[call-overload]  # what a checker refuses is tried


FOREIGN = [
    (_sleep, "asyncio.sleep", "create_timer"),
    (_sleep_for_nothing, "asyncio.sleep(0)", "create_timer"),
    (_gather, "asyncio.gather", "wf.gather"),
    (_wait_for, "asyncio.wait_for", "wf.wait_for"),
    (_timeout, "asyncio.timeout", "wf.wait_for"),
    (_group, "asyncio.TaskGroup", "wf.gather"),
    (_thread, "asyncio.to_thread", "call_activity"),
    (_connection, "", "call_activity"),
    (_number, "a int", "call_activity"),
]


@pytest.mark.parametrize(("body", "called", "instead"), FOREIGN)
def test_what_is_foreign_is_refused_with_what_to_write(
    body: Body, called: str, instead: str
) -> None:
    failure = played(body).to_the_end().failure
    assert failure.error_type == "ForeignAwaitable"
    assert called in failure.message
    assert instead in failure.message
    if body is not _number:
        assert f"{__file__}:{body.__code__.co_firstlineno + 1}" in failure.message


async def test_it_is_refused_within_a_running_loop_too() -> None:
    """The engine calls workflow code on its own loop, whose futures must not leak into it."""
    failure = played(_sleep).to_the_end().failure
    assert failure.error_type == "ForeignAwaitable"
    assert asyncio.get_running_loop() is not None


def test_the_refusal_can_be_caught_where_it_happens() -> None:
    async def body(_ctx: WorkflowContext) -> object:
        try:
            await _asyncio_sleep(1)
        except ForeignAwaitable:
            return "caught"
        return "slept"

    assert played(body).to_the_end().output == '"caught"'


def test_joins_are_for_workflows_only() -> None:
    with pytest.raises(RuntimeError, match="within a workflow"):
        gather()
