"""The engine of tests: time jumps, activities are replaced, and all else is as it is elsewhere."""

import asyncio
from collections.abc import Generator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from perdure.authoring.activities import ActivityContext
from perdure.authoring.context import WorkflowContext
from perdure.authoring.registry import Registry
from perdure.authoring.retry import RetryPolicy
from perdure.authoring.tasks import Task, when_any
from perdure.core.status import Status
from perdure.hosting.refusals import (
    InstanceExists,
    InstanceNotFound,
    WorkflowFailed,
    WorkflowTerminated,
)
from perdure.testing import (
    InvariantBroken,
    NotIdle,
    TooManyRuns,
    VirtualEngine,
    WorkflowWaits,
    in_turn,
)

Steps = Generator[Task[Any], Any, Any]
app = Registry()


async def takes(seconds: float) -> None:
    """Be at work for so long, by the clock of the engine."""
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), seconds)


@app.activity()
def charge(_ctx: ActivityContext, amount: int) -> str:
    return f"receipt of {amount}"


@app.activity()
async def ship(_ctx: ActivityContext, what: str) -> str:
    await takes(3_600)
    return f"shipped {what}"


@app.activity(timeout=10)
async def hang(_ctx: ActivityContext) -> None:
    await asyncio.Event().wait()


@app.workflow()
def order(ctx: WorkflowContext, amount: int) -> Steps:
    receipt = yield ctx.call_activity(charge, amount)
    yield ctx.create_timer(timedelta(days=30))
    shipped = yield ctx.call_activity(ship, "a box")
    return [receipt, shipped]


@app.workflow()
async def approval(ctx: WorkflowContext, days: int) -> str:
    event = ctx.wait_for_external_event("approved")
    late = ctx.create_timer(timedelta(days=days))
    first = await when_any([event, late])
    return str(event.get_result()) if first is event else "too late"


@app.workflow()
async def tried(ctx: WorkflowContext, amount: int) -> Any:
    policy = RetryPolicy(first_retry_interval=timedelta(hours=1), max_number_of_attempts=3)
    return await ctx.call_activity("charge", amount, retry_policy=policy)


@app.workflow()
async def parent(ctx: WorkflowContext, _given: None) -> Any:
    return await ctx.call_child_workflow(approval, 1)


@app.workflow()
def daily(ctx: WorkflowContext, day: int) -> Steps:
    yield ctx.create_timer(timedelta(days=1))
    if day == 3:
        return day
    ctx.continue_as_new(day + 1)
    return None


@app.workflow()
def eternal(ctx: WorkflowContext, _given: None) -> Steps:
    while True:
        yield ctx.create_timer(timedelta(days=1))


def test_a_timer_of_thirty_days_fires_at_once() -> None:
    with VirtualEngine(app) as engine:
        begun = engine.now
        instance = engine.start(order, 3)
        assert instance.status is Status.PENDING
        assert instance.result() == ["receipt of 3", "shipped a box"]
        assert timedelta(days=30, hours=1) <= engine.now - begun < timedelta(days=30, hours=1.01)


def test_an_engine_that_settles_lets_no_timer_fire() -> None:
    with VirtualEngine(app, now=datetime(2030, 5, 1, tzinfo=UTC)) as engine:
        instance = engine.start("order", 3)
        engine.settle()
        assert (instance.status, instance.waits_for) == (Status.RUNNING, "timer")
        assert instance.next_wake_at is not None
        assert instance.next_wake_at.date().isoformat() == "2030-05-31"
        engine.advance(timedelta(days=29))
        assert instance.waits_for == "timer"
        engine.advance(86_400)
        assert instance.waits_for == "activity"
        engine.advance(3_600)
        assert instance.finished


@pytest.mark.parametrize(("after", "comes_to"), [(4, '{"by": "Ann"}'), (6, "too late")])
def test_an_event_comes_in_time_or_too_late(after: int, comes_to: str) -> None:
    with VirtualEngine(app) as engine:
        instance = engine.start(approval, 5)
        engine.advance(timedelta(days=after))
        if not instance.finished:
            instance.raise_event("approved", {"by": "Ann"})
        assert str(instance.result()).replace("'", '"') == comes_to


def test_retries_wait_as_long_as_they_are_to() -> None:
    with VirtualEngine(app) as engine:
        engine.replace(charge, in_turn(ValueError("no"), ConnectionError, lambda ctx: ctx.task_id))
        begun = engine.now
        assert engine.run(tried, 3) == engine.runs(charge)[-1].result
        assert engine.now - begun >= timedelta(hours=2)
        failures = [run.failure and run.failure.error_type for run in engine.runs("charge")]
        assert failures == ["ValueError", "ConnectionError", None]
        keys = {run.idempotency_key for run in engine.runs("charge")}
        assert len(keys) == 1, "a call that is tried again is the same piece of work"


def test_activities_are_replaced_by_values_errors_and_functions() -> None:
    with VirtualEngine(app) as engine:
        engine.replace("charge", {"any": ["value"]})
        assert engine.run("tried", 1) == {"any": ["value"]}
        engine.replace(charge, lambda _ctx, amount: amount + 1)
        assert engine.run("tried", 1) == 2
        engine.replace(charge, PermissionError("not you"))
        failed = engine.start("tried", 1)
        with pytest.raises(WorkflowFailed, match="not you"):
            failed.result()
        assert failed.failure is not None
        assert failed.failure.error_type == "TaskFailedError"
        engine.restore(charge)
        assert engine.run("tried", 1) == "receipt of 1"


def test_a_run_more_than_there_are_outcomes_fails_the_test() -> None:
    with VirtualEngine(app) as engine:
        engine.replace(charge, in_turn("one"))
        assert engine.run("tried", 1) == "one"
        with pytest.raises(TooManyRuns, match="charge ran more often"):
            engine.run("tried", 1)


def test_what_nobody_registered_fails_as_it_does_elsewhere() -> None:
    not_there = pytest.raises(WorkflowFailed, match="'nobody' orchestrator was not registered")
    with VirtualEngine(app) as engine, not_there:
        engine.run("nobody")


def test_an_activity_that_takes_too_long_is_told_so() -> None:
    registry = Registry()
    registry.activities["hang"] = app.activities["hang"]

    @registry.workflow()
    async def waits(ctx: WorkflowContext) -> None:
        await ctx.call_activity(hang)

    with VirtualEngine(registry) as engine:
        with pytest.raises(WorkflowFailed, match="took longer than 10 s"):
            engine.run(waits)
        assert engine.now.second == 10


def test_children_are_instances_too() -> None:
    with VirtualEngine(app) as engine:
        instance = engine.start(parent)
        engine.settle()
        child = next(each for each in engine.instances() if each.id != instance.id)
        engine.raise_event(child.id, "approved", "yes")
        assert instance.result() == "yes"
        assert child.output == "yes"


def test_generations_follow_each_other() -> None:
    with VirtualEngine(app) as engine:
        begun = engine.now
        instance = engine.start(daily, 1)
        assert instance.result() == 3
        assert (engine.now - begun).days == 3
        assert type(instance.history[-1]).__name__ == "ExecutionCompleted"


def test_what_goes_on_for_ever_is_said_to_do_so() -> None:
    with VirtualEngine(app, turns_max=50) as engine:
        engine.start(eternal)
        with pytest.raises(NotIdle, match="more than 50 turns"):
            engine.run_until_idle()


def test_what_waits_for_an_event_says_so() -> None:
    with VirtualEngine(app) as engine:
        instance = engine.start("parent")
        with pytest.raises(WorkflowWaits, match="waits for: child"):
            instance.result(within=timedelta(hours=1))
        instance.suspend("for the night")
        assert (instance.status, instance.waits_for) == (Status.SUSPENDED, "resume")
        instance.resume()
        instance.run_until("COMPLETED")
        assert instance.output == "too late"
        with pytest.raises(WorkflowWaits, match="never was STALLED"):
            instance.run_until("STALLED")


def test_what_is_ended_is_ended_and_what_is_purged_is_gone() -> None:
    with VirtualEngine(app) as engine:
        instance = engine.start(eternal, id="e", tags={"shop": "berlin"})
        with pytest.raises(InstanceExists):
            engine.start(eternal, id="e")
        assert instance.get().tags == {"shop": "berlin"}
        instance.terminate("enough")
        with pytest.raises(WorkflowTerminated):
            instance.result()
        assert instance.output == "enough"
        instance.purge()
        assert not instance.exists
        with pytest.raises(InstanceNotFound):
            instance.raise_event("late")


def test_a_start_may_be_for_later() -> None:
    with VirtualEngine(app) as engine:
        instance = engine.start(order, 1, at=engine.now + timedelta(days=2))
        engine.settle()
        early = instance.status
        engine.advance(timedelta(days=2))
        assert (early, instance.status) == (Status.PENDING, Status.RUNNING)


async def test_a_test_may_be_a_coroutine() -> None:
    outer = asyncio.get_running_loop()
    async with VirtualEngine(app) as engine:
        assert await engine.start(order, 3) == ["receipt of 3", "shipped a box"]
    assert asyncio.get_running_loop() is outer
    await asyncio.sleep(0)


def test_a_crash_forgets_what_was_not_on_disk_and_a_restart_does_not() -> None:
    with VirtualEngine(app) as engine:
        instance = engine.start(order, 3)
        engine.advance(timedelta(days=30, minutes=5))
        assert not engine.runs(ship), "it is under way"
        engine.crash()
        assert instance.result() == ["receipt of 3", "shipped a box"]
        assert [run.number for run in engine.runs(ship)] == [1]
        engine.restart()
        assert instance.output == ["receipt of 3", "shipped a box"]


def test_code_that_is_not_deterministic_stalls_in_any_test() -> None:
    registry = Registry()
    turns: list[int] = []

    @registry.workflow()
    async def fickle(ctx: WorkflowContext) -> None:
        turns.append(1)
        await ctx.call_activity("odd" if len(turns) % 2 else "even")
        await ctx.call_activity("last")

    with VirtualEngine(registry) as engine:
        for name in ("odd", "even", "last"):
            engine.replace(name, name)
        instance = engine.start(fickle)
        with pytest.raises(WorkflowWaits, match="step 1 was activity 'odd'"):
            instance.result()
        assert instance.status is Status.STALLED
        assert instance.stalled_because is not None
        assert "test_engine.py" in instance.stalled_because


def test_what_is_always_so_is_looked_at_all_the_time() -> None:
    with VirtualEngine(app) as engine:
        stock = [2]

        def take(_ctx: ActivityContext, _given: object) -> None:
            stock[0] -= 1

        engine.replace(charge, take)
        engine.always("the stock is never below nothing", lambda: stock[0] >= 0)
        engine.run(tried, 1)
        engine.run(tried, 1)
        with pytest.raises(InvariantBroken, match="the stock is never below nothing"):
            engine.run(tried, 1)


def test_an_activity_cannot_drive_the_engine_that_it_runs_in() -> None:
    with VirtualEngine(app) as engine:
        engine.replace(charge, lambda _ctx, _amount: engine.run_until_idle())
        with pytest.raises(WorkflowFailed, match="cannot drive the engine"):
            engine.run(tried, 1)


def test_a_long_workflow_is_quick_where_its_code_is_kept() -> None:
    registry = Registry()

    @registry.workflow()
    def long(ctx: WorkflowContext, count: int) -> Steps:
        for number in range(count):
            yield ctx.call_activity("step", number)
        return count

    with VirtualEngine(registry, replay_each_turn=False) as engine:
        engine.replace("step", None)
        assert engine.run(long, 200) == 200


def test_a_century_passes_as_quickly_as_a_day() -> None:
    registry = Registry()

    @registry.workflow()
    def patient(ctx: WorkflowContext, _given: None) -> Steps:
        yield ctx.create_timer(timedelta(days=36_500))
        return "at last"

    with VirtualEngine(registry) as engine:
        instance = engine.start(patient)
        engine.advance(timedelta(days=36_499))
        assert not instance.finished
        engine.advance(timedelta(days=2))
        assert instance.output == "at last"
        assert (engine.now.date().isoformat(), engine.run(patient)) == ("2125-12-09", "at last")


def test_work_for_other_apps_is_done_as_far_as_the_test_has_it() -> None:
    registry = Registry()

    @registry.workflow()
    async def across(ctx: WorkflowContext, _given: None) -> Any:
        return await ctx.call_activity("price", 3, app_id="catalogue")

    with VirtualEngine(registry) as engine:
        engine.replace("price", lambda _ctx, number: number * 2)
        assert engine.run(across) == 6
        engine.replace("price", in_turn(7))
        again = engine.start(across)
        engine.crash()
        assert again.result() == 7


def test_a_child_is_replaced_by_a_value_an_error_or_another_workflow() -> None:
    with VirtualEngine(app) as engine:
        engine.replace_workflow(approval, "a stand-in")
        assert engine.run(parent) == "a stand-in"
        engine.replace_workflow("approval", PermissionError("nobody is there"))
        with pytest.raises(WorkflowFailed, match="nobody is there"):
            engine.run(parent)
        engine.replace_workflow(approval, tried)
        assert engine.run(parent) == "receipt of 1"
        with pytest.raises(TypeError, match="it has one outcome"):
            engine.replace_workflow(approval, in_turn(1, 2))
        engine.restore_workflow(approval)
        assert engine.run(parent) == "too late"
