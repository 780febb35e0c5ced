"""Workflows and activities that many tests of the engine object use."""

from typing import Any

from perdure import ActivityContext, NonRetryableError, Registry, WorkflowContext


async def add_one(ctx: WorkflowContext, number: int) -> int:
    return await ctx.call_activity(increment, number)


async def collect(ctx: WorkflowContext, count: int) -> list[Any]:
    return [await ctx.wait_for_external_event("item") for _ in range(count)]


async def doomed(ctx: WorkflowContext) -> None:
    await ctx.call_activity(unlucky)


async def echo(_: WorkflowContext, value: int) -> int:
    return value


async def waits(ctx: WorkflowContext) -> object:
    return await ctx.wait_for_external_event("go")


async def increment(_: ActivityContext, number: int) -> int:
    return number + 1


async def unlucky(_: ActivityContext) -> None:
    raise NonRetryableError("no luck")


def registry() -> Registry:
    """A registry of its own with all of them."""
    made = Registry()
    for workflow in (add_one, collect, doomed, echo, waits):
        made.add_workflow(workflow)
    for activity in (increment, unlucky):
        made.add_activity(activity)
    return made
