"""The engine object as a subject of the suite, with the suite's workflows as Python code."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from perdure.authoring.activities import ActivityContext
from perdure.authoring.context import WorkflowContext
from perdure.authoring.registry import Registry
from perdure.hosting.engine import Engine
from tests.conformance.component.subjects import APP, Subject, marks

_registry = Registry()


@_registry.workflow()
async def echoes(_: WorkflowContext, value: object) -> object:
    return value


@_registry.workflow()
async def fails(_: WorkflowContext, __: object) -> None:
    raise ValueError("no luck")


@_registry.workflow()
async def waits(ctx: WorkflowContext, _: object) -> object:
    return await ctx.wait_for_external_event("go")


@_registry.workflow()
async def works(ctx: WorkflowContext, value: object) -> object:
    return await ctx.call_activity("act", input=value)


@_registry.workflow()
async def bears(ctx: WorkflowContext, _: object) -> object:
    return await ctx.call_child_workflow("waits", instance_id=f"{ctx.instance_id}-child")


@_registry.workflow()
async def counts(ctx: WorkflowContext, left: int | None) -> Any:
    if left:
        ctx.continue_as_new(left - 1)
    return 0


@_registry.activity()
async def act(_: ActivityContext, value: object) -> object:
    if value == "no":
        raise ValueError("no luck")
    return value


@asynccontextmanager
async def in_process(folder: Path) -> AsyncIterator[Subject]:
    """An open engine; its workflows have code while somebody is `working`."""
    async with Engine(folder / "store.db", app_id=APP, registry=Registry()) as engine:

        @asynccontextmanager
        async def working() -> AsyncIterator[object]:
            member = engine.attach(_registry)
            try:
                yield member
            finally:
                engine.detach(member)

        yield Subject("in process", engine.component, working, marks("p"))
