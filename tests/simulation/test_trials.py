"""A workflow that does nearly everything comes to the same, whatever goes wrong around it."""

import asyncio
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from perdure import ActivityContext, Registry, RetryPolicy, WorkflowContext
from perdure.authoring.tasks import when_all, when_any
from perdure.testing import VirtualEngine, faults

app = Registry()
# Longer than whatever is late makes it, with one delay after the other.
HALF_A_DAY = timedelta(hours=12)
AGAIN = RetryPolicy(first_retry_interval=timedelta(seconds=5), max_number_of_attempts=9)


@app.activity()
async def add(_ctx: ActivityContext, numbers: list[int]) -> int:
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), 1)
    return sum(numbers)


@app.workflow()
async def child(ctx: WorkflowContext, number: int) -> int:
    total: int = await ctx.call_activity(add, [number, 1])
    await ctx.create_timer(timedelta(hours=1))
    return total


@app.workflow()
async def rounds(ctx: WorkflowContext, number: int) -> Any:
    await ctx.call_activity(add, [number, 0])
    if number < 3:
        ctx.continue_as_new(number + 1, save_events=True)
        return None
    return [number, await ctx.wait_for_external_event("go")]


@app.workflow()
async def everything(ctx: WorkflowContext, _given: None) -> list[Any]:
    drawn = ctx.side_effect(lambda: 5)
    children = [ctx.call_child_workflow(child, n, instance_id=f"child-{n}") for n in range(2)]
    shaky = ctx.call_activity("shaky", 1, retry_policy=AGAIN)
    together = await when_all([*children, shaky, ctx.wait_for_external_event("one")])
    ctx.set_custom_status("half")
    told = await ctx.call_child_workflow(rounds, 1, instance_id="rounds")
    late, two = ctx.create_timer(timedelta(days=1)), ctx.wait_for_external_event("two")
    first = await when_any([late, two])
    return [together, told, "late" if first is late else two.get_result(), drawn]


def all_of_it(engine: VirtualEngine) -> None:
    tries = Counter[str]()

    def shaky(ctx: ActivityContext, _given: int) -> str:
        tries[ctx.idempotency_key] += 1
        if tries[ctx.idempotency_key] < 3:
            raise ConnectionError("not now")
        return "ok"

    engine.replace("shaky", shaky)
    instance = engine.start(everything)
    engine.settle()
    instance.raise_event("one", 1)
    engine.advance(HALF_A_DAY)
    assert instance.custom_status == "half"
    below = engine.instance("rounds")
    engine.settle()
    below.suspend()
    below.raise_event("go", "gone")
    engine.advance(HALF_A_DAY)
    assert not below.finished
    below.resume()
    engine.advance(timedelta(hours=1.1))
    instance.raise_event("two", 2)
    assert instance.result() == [[1, 2, "ok", 1], [3, "gone"], 2, 5]
    assert len(engine.instances()) == 4


@pytest.mark.timeout(400)
def test_a_workflow_of_everything_holds_against_everything() -> None:
    faults(20_261_124, app=app, trials=120, faults_max=8).check(all_of_it)
