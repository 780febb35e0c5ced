"""The engine object: what is asked of it, what it refuses, how it opens and how it closes."""

import asyncio
import gc
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import perdure
from perdure import ActivityContext, Engine, Registry, Status, WorkflowContext
from perdure.base.errors import ShuttingDown
from perdure.core.events import TaskCompleted
from tests.unit.hosting.programs import add_one, collect, doomed, echo, registry, waits

MINUTE_S = 60.0


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """An engine that is not open yet."""
    return Engine(tmp_path / "orders.db", registry=registry(), stop_timeout=20)


async def test_a_workflow_is_started_and_its_result_has_its_type(engine: Engine) -> None:
    async with engine:
        handle = await engine.start(add_one, 41, id="a")
        result: int = await handle.result(MINUTE_S)
        assert result == 42
        instance = await engine.get("a")
        assert instance is not None
        assert (instance.status, instance.workflow, instance.input, instance.output) == (
            *(Status.COMPLETED, "add_one", 41, 42),
        )
        assert instance.finished
        assert instance.completed_at is not None
        assert instance.created_at <= instance.completed_at <= datetime.now(UTC)
        assert any(isinstance(event, TaskCompleted) for event in await handle.history())


async def test_by_its_name_with_an_id_that_nobody_has_had(engine: Engine) -> None:
    async with engine:
        first = await engine.start("add_one", 1)
        second = await engine.start("add_one", 2)
        assert [await first.result(MINUTE_S), await second.result(MINUTE_S)] == [2, 3]
        assert first.id != second.id


async def test_events_suspension_and_termination(engine: Engine) -> None:
    async with engine:
        handle = await engine.start(collect, 2, tags={"city": "Prague"})
        await handle.wait_for_start(MINUTE_S)
        await handle.suspend("for lunch")
        suspended = await handle.get()
        assert suspended is not None
        assert suspended.status is Status.SUSPENDED
        await handle.raise_event("item", {"n": 1})
        await handle.raise_event("ITEM", "two")
        await handle.resume()
        assert await handle.result(MINUTE_S) == [{"n": 1}, "two"]

        other = await engine.start(waits)
        await other.terminate({"over": True})
        instance = await other.wait(MINUTE_S)
        assert (instance.status, instance.output) == (Status.TERMINATED, {"over": True})
        with pytest.raises(perdure.WorkflowTerminated) as caught:
            await other.result()
        assert caught.value.instance == instance
        assert await other.purge() == 1
        assert await other.get() is None
        assert list(await other.history()) == []


async def test_what_is_refused_is_raised(engine: Engine) -> None:
    async with engine:
        nobody = engine.handle("nobody")
        for call in (nobody.raise_event("x"), nobody.terminate(), nobody.suspend(), nobody.purge()):
            with pytest.raises(perdure.InstanceNotFound):
                await call
        handle = await engine.start(waits, id="one")
        with pytest.raises(perdure.InstanceExists):
            await engine.start(waits, id="one", replace_finished=True)
        with pytest.raises(perdure.InstanceNotFinished):
            await handle.purge()
        with pytest.raises(perdure.Refused, match="terminal"):
            await engine.rerun("one", 1)
        await handle.terminate()
        with pytest.raises(perdure.InstanceExists):
            await engine.start(waits, id="one")
        with pytest.raises(perdure.InstanceFinished):
            await handle.raise_event("go")
        await engine.start(echo, 1, id="one", replace_finished=True)
        assert await handle.purge(force=True) == 1


async def test_a_failure_is_raised_with_what_is_known(engine: Engine) -> None:
    async with engine:
        handle = await engine.start(doomed)
        with pytest.raises(perdure.WorkflowFailed, match="no luck") as caught:
            await handle.result(MINUTE_S)
        failure = caught.value.instance.failure
        assert failure is not None
        assert failure.error_type == "TaskFailedError"


async def test_nobody_is_waited_for_longer_than_was_said(engine: Engine) -> None:
    async with engine:
        handle = await engine.start(waits, at=datetime.now(UTC) + timedelta(days=1))
        with pytest.raises(TimeoutError, match="has not ended"):
            await handle.wait(timedelta(milliseconds=10))
        with pytest.raises(TimeoutError, match="has not begun"):
            await handle.wait_for_start(0.01)
        with pytest.raises(TimeoutError):
            await engine.wait("nobody", timeout=0)


async def test_listings_are_narrowed_down(engine: Engine) -> None:
    async with engine:
        before = datetime.now(UTC)
        for number in range(5):
            tags = {"even": str(number % 2 == 0), "n": str(number)}
            await (await engine.start(echo, number, id=f"e-{number}", tags=tags)).wait(MINUTE_S)
        await engine.start(waits, id="w")

        async def ids(**wanted: object) -> list[str]:
            return [each.id async for each in engine.instances(page=2, **wanted)]  # type: ignore[arg-type]  # what a test says

        assert await ids() == ["w", "e-4", "e-3", "e-2", "e-1", "e-0"]
        assert await ids(workflow=echo, tags={"even": "True"}) == ["e-4", "e-2", "e-0"]
        assert await ids(status=[Status.RUNNING, Status.PENDING]) == ["w"]
        assert await ids(status=Status.COMPLETED, id_prefix="e-1") == ["e-1"]
        assert await ids(created_before=before) == []
        assert len(await ids(created_after=before)) == 6
        found = [each.output async for each in engine.instances(workflow="echo", payloads=True)]
        assert found == [4, 3, 2, 1, 0]


async def test_a_finished_one_runs_again_from_an_event(engine: Engine) -> None:
    async with engine:
        await (await engine.start(add_one, 1, id="a")).result(MINUTE_S)
        again = await engine.rerun("a", 1, input=10)
        assert await again.result(MINUTE_S) == 11


# ---- life


async def test_what_was_started_goes_on_with_the_next_engine(tmp_path: Path) -> None:
    file = tmp_path / "orders.db"
    async with Engine(file, registry=registry()) as engine:
        await engine.start(collect, 1, id="a")
    async with Engine(file, registry=registry()) as engine:
        await engine.raise_event("a", "item", 7)
        assert await engine.handle("a").result(MINUTE_S) == [7]


async def test_in_memory_nothing_is_kept() -> None:
    for _ in range(2):
        async with Engine(":memory:", registry=registry()) as engine:
            assert await engine.get("a") is None
            assert await (await engine.start(add_one, 1, id="a")).result(MINUTE_S) == 2


async def test_a_second_engine_on_the_file_is_told_so(engine: Engine) -> None:
    async with engine:
        with pytest.raises(perdure.StoreLocked, match="open in this process already"):
            await Engine(engine.settings.store).open()
    async with Engine(engine.settings.store):
        pass  # the one that failed holds nothing


async def test_one_that_is_not_open_says_so(engine: Engine) -> None:
    with pytest.raises(ShuttingDown, match="async with"):
        await engine.start(echo, 1)
    await engine.close()
    async with engine:
        await engine.close()
        await engine.close()
        with pytest.raises(ShuttingDown):
            await engine.get("a")


async def test_who_waits_is_told_that_it_has_closed(engine: Engine) -> None:
    async with engine:
        handle = await engine.start(waits)
        waiting = asyncio.create_task(handle.result())
        await handle.wait_for_start(MINUTE_S)
        await engine.close()
        with pytest.raises(ShuttingDown):
            await waiting


async def test_without_code_a_start_waits_for_it(tmp_path: Path) -> None:
    async with Engine(tmp_path / "orders.db", registry=Registry()) as engine:
        handle = await engine.start("late", 1)
        instance = await handle.get()
        assert instance is not None
        assert instance.status is Status.PENDING

        @engine.workflow(name="late")
        async def late(_: WorkflowContext, value: int) -> int:
            return value + 1

        assert await handle.result(MINUTE_S) == 2


async def test_a_worker_that_joins_later_does_what_waits(tmp_path: Path) -> None:
    async with Engine(tmp_path / "other.db", registry=Registry()) as other:
        handle = await other.start(add_one, 1)
        member = other.attach(registry())
        assert await handle.result(MINUTE_S) == 2
        other.detach(member)
        waiting = await other.start(add_one, 2)
        with pytest.raises(TimeoutError):
            await waiting.wait(0.05)


# ---- stopping


async def test_closing_waits_for_what_runs_and_lands_it(engine: Engine) -> None:
    begun, go = asyncio.Event(), asyncio.Event()

    @engine.activity
    async def slow(_: ActivityContext) -> str:
        begun.set()
        await go.wait()
        return "done"

    @engine.workflow
    async def uses(ctx: WorkflowContext) -> str:
        return await ctx.call_activity(slow)

    async with engine:
        await engine.start(uses, id="a")
        await begun.wait()
        closing = asyncio.create_task(engine.close())
        await asyncio.sleep(0)
        assert not closing.done()
        go.set()
        await closing
    async with Engine(engine.settings.store, registry=engine.registry) as again:
        assert await again.handle("a").result(MINUTE_S) == "done"
        tasks = [e for e in await again.history("a") if isinstance(e, TaskCompleted)]
        assert len(tasks) == 1


async def test_what_takes_longer_is_cut_off_and_runs_again(tmp_path: Path) -> None:
    runs: list[str] = []
    begun = asyncio.Event()
    programs = Registry()

    @programs.activity()
    async def stubborn(ctx: ActivityContext) -> int:
        runs.append(ctx.idempotency_key)
        begun.set()
        if len(runs) == 1:
            await asyncio.Event().wait()
        return len(runs)

    @programs.workflow()
    async def uses(ctx: WorkflowContext) -> int:
        return await ctx.call_activity(stubborn)

    file = tmp_path / "orders.db"
    async with Engine(file, registry=programs, stop_timeout=0.1) as engine:
        await engine.start(uses, id="a")
        await begun.wait()
    async with Engine(file, registry=programs) as engine:
        assert await engine.handle("a").result(MINUTE_S) == 2
    assert runs[0] == runs[1]


@pytest.mark.parametrize("how", ["terminate", "purge"])
async def test_an_activity_whose_workflow_is_gone_is_cancelled(engine: Engine, how: str) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    @engine.activity
    async def endless(_: ActivityContext) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    @engine.workflow
    async def uses(ctx: WorkflowContext) -> None:
        await ctx.call_activity(endless)

    async with engine:
        handle = await engine.start(uses)
        await begun.wait()
        await (handle.terminate() if how == "terminate" else handle.purge(force=True))
        async with asyncio.timeout(MINUTE_S):
            await ended.wait()


async def test_code_that_waits_ends_with_the_engine_and_not_whenever_it_is_collected(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    complaints: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", complaints.append)
    ends: list[str] = []

    @engine.workflow
    async def tidy(ctx: WorkflowContext) -> None:
        try:
            await ctx.wait_for_external_event("go")
        finally:
            ends.append("ended")
            await ctx.wait_for_external_event("gone")

    async with engine:
        await (await engine.start(tidy)).wait_for_start(MINUTE_S)
        assert not ends
    assert ends == ["ended"]
    gc.collect()
    assert not complaints


# ---- code that changes


async def test_code_that_parts_from_its_history_stalls_until_it_fits_again(tmp_path: Path) -> None:
    def code(activity: str) -> Registry:
        programs = Registry()

        @programs.workflow()
        async def order(ctx: WorkflowContext) -> list[object]:
            first = await ctx.call_activity(activity)
            return [first, await ctx.wait_for_external_event("go")]

        @programs.activity()
        async def charge(_: ActivityContext) -> str:
            return "charge"

        programs.add_activity(charge, name="ship")
        return programs

    async def seen(engine: Engine, wanted: Status, waits_for: str) -> str:
        end = time.monotonic() + MINUTE_S
        while True:
            instance = await engine.get("a")
            assert instance is not None
            if instance.status is wanted and waits_for in instance.waits_for:
                return instance.waits_for
            assert time.monotonic() < end, instance
            await asyncio.sleep(0)

    file = tmp_path / "orders.db"
    async with Engine(file, registry=code("charge")) as engine:
        await engine.start("order", id="a")
        await seen(engine, Status.RUNNING, "event")
    async with Engine(file, registry=code("ship")) as engine:
        await engine.raise_event("a", "go", 1)
        told = await seen(engine, Status.STALLED, "worker")
        assert "activity 'charge'" in told
        assert "activity 'ship'" in told
        assert "test_engine.py" in told
    async with Engine(file, registry=code("charge")) as engine:
        assert await engine.handle("a").result(MINUTE_S) == ["charge", 1]


async def test_one_that_is_closed_may_be_opened_again_and_closed_again(engine: Engine) -> None:
    for number in range(2):
        async with engine:
            handle = await engine.start(add_one, number)
            assert await handle.result(MINUTE_S) == number + 1
    async with Engine(engine.settings.store) as another:  # it would be locked if it were open yet
        assert len([each async for each in another.instances()]) == 2


async def test_what_has_ended_leaves_nothing_for_the_garbage_collector(engine: Engine) -> None:
    @engine.activity
    def in_a_thread(_: ActivityContext, number: int) -> int:
        return number + 1

    @engine.workflow
    async def both_ways(ctx: WorkflowContext, number: int) -> int:
        return await ctx.call_activity(in_a_thread, await ctx.call_activity("increment", number))

    async def run_some() -> None:
        handles = [await engine.start(both_ways, number) for number in range(50)]
        assert await handles[-1].result(MINUTE_S) == 51
        for handle in handles:
            await handle.result(MINUTE_S)

    async with engine:
        await run_some()
        gc.collect()
        gc.disable()
        try:
            await run_some()
            assert gc.collect() < 50, "not one object for each instance"
        finally:
            gc.enable()
