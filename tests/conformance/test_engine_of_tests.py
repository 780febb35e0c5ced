"""What a workflow comes to in a test is what it comes to in a program's own engine."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from perdure import (
    ActivityContext,
    Engine,
    Registry,
    RetryPolicy,
    WorkflowContext,
    WorkflowFailed,
)
from perdure.authoring.tasks import when_all, when_any
from perdure.core.events import Event, WorkflowStarted
from perdure.testing import VirtualEngine

DEADLINE_S = 60.0
app = Registry()
AGAIN = RetryPolicy(first_retry_interval=timedelta(milliseconds=1), max_number_of_attempts=2)


@app.activity()
def double(_ctx: ActivityContext, number: int) -> int:
    return 2 * number


@app.activity()
async def refuse(_ctx: ActivityContext, why: str) -> None:
    raise PermissionError(why)


@app.workflow()
async def steps(ctx: WorkflowContext, number: int) -> int:
    for _ in range(3):
        number = await ctx.call_activity(double, number)
    return number


@app.workflow()
def fan(ctx: WorkflowContext, count: int) -> Any:
    numbers = yield when_all([ctx.call_activity(double, number) for number in range(count)])
    return sum(numbers)


@app.workflow()
async def family(ctx: WorkflowContext, number: int) -> list[Any]:
    one = ctx.call_child_workflow(steps, number, instance_id=f"{ctx.instance_id}-1")
    two = ctx.call_child_workflow(fan, number, instance_id=f"{ctx.instance_id}-2")
    return await when_all([one, two])


@app.workflow()
async def refused(ctx: WorkflowContext, why: str) -> None:
    await ctx.call_activity(refuse, why, retry_policy=AGAIN)


@app.workflow()
async def waits(ctx: WorkflowContext, _given: None) -> Any:
    event = ctx.wait_for_external_event("go")
    late = ctx.create_timer(timedelta(milliseconds=5))
    return "late" if await when_any([event, late]) is late else "in time"


@app.workflow()
async def rounds(ctx: WorkflowContext, number: int) -> Any:
    drawn = ctx.side_effect(lambda: 7)
    number = await ctx.call_activity(double, number)
    ctx.set_custom_status(f"at {number}")
    if number < 20:
        ctx.continue_as_new(number)
        return None
    return [number, drawn, len(str(ctx.uuid4()))]


def told(history: Sequence[Event]) -> Counter[tuple[Any, ...]]:
    """Return what happened; which turns it came in is a matter of pace."""
    names = ("event_id", "task_id", "timer_id", "name", "input", "result", "status", "instance_id")
    return Counter(
        (type(event).__name__, *(getattr(event, name, None) for name in names))
        for event in history
        if not isinstance(event, WorkflowStarted)
    )


@pytest.mark.parametrize(
    ("name", "given"),
    [("steps", 3), ("fan", 5), ("family", 2), ("refused", "no"), ("waits", None), ("rounds", 3)],
)
async def test_histories_are_the_same(name: str, given: object) -> None:
    async with Engine(":memory:", registry=app) as engine:
        handle = await engine.start(name, given, id="it")
        try:
            outcome: Any = await handle.result(DEADLINE_S)
        except WorkflowFailed as failed:
            outcome = failed.instance.failure
        history = told(await handle.history())
        custom_status = (await engine.get("it")).custom_status  # type: ignore[union-attr]  # it is there
    with VirtualEngine(app) as virtual:
        instance = virtual.start(name, given, id="it")
        try:
            ours: Any = instance.result()
        except WorkflowFailed as failed:
            ours = failed.instance.failure
        assert told(instance.history) == history
        assert instance.custom_status == custom_status
    if name == "refused":
        assert (ours.error_type, ours.message) == (outcome.error_type, outcome.message)
    else:
        assert ours == outcome
