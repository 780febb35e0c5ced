"""Several apps in one process, on one file: each has its own workflows and activities."""

import asyncio
from pathlib import Path

import pytest

from perdure import ActivityContext, Engine, Registry, SyncEngine, WorkflowContext
from perdure.testing import VirtualEngine

MINUTE_S = 60.0


def _shop() -> Registry:
    registry = Registry()

    @registry.activity()
    async def name(_: ActivityContext) -> str:
        return "shop"

    @registry.workflow()
    async def order(ctx: WorkflowContext, amount: int) -> list[str]:
        return [
            await ctx.call_activity("name"),
            await ctx.call_activity("name", app_id="billing"),
            await ctx.call_child_workflow("bill", amount, app_id="billing"),
        ]

    return registry


def _billing() -> Registry:
    registry = Registry()

    @registry.activity()
    def name(_: ActivityContext) -> str:
        return "billing"

    @registry.workflow()
    async def bill(ctx: WorkflowContext, amount: int) -> str:
        return f"{await ctx.call_activity(name)} takes {amount}"

    return registry


ALL = ["shop", "billing", "billing takes 3"]


async def test_apps_of_one_process_call_each_other(tmp_path: Path) -> None:
    path = tmp_path / "orders.db"
    async with Engine(
        path, registry=_shop(), app_id="shop", apps={"billing": _billing()}
    ) as engine:
        assert await (await engine.start("order", 3)).result(MINUTE_S) == ALL
        direct = await engine.start("bill", 4, app_id="billing")
        assert await direct.result(MINUTE_S) == "billing takes 4"
        found = await engine.get(direct.id)
        assert found is not None
        assert found.app_id == "billing"


async def test_what_is_under_way_in_each_app_goes_on_in_the_next_process(tmp_path: Path) -> None:
    path = tmp_path / "orders.db"
    async with Engine(path, registry=_shop(), app_id="shop") as engine:
        await engine.start("order", 3, id="o")
        # It waits for an app that is not there.
        with pytest.raises(TimeoutError):
            await engine.handle("o").result(0.2)
    async with Engine(
        path, registry=_shop(), app_id="shop", apps={"billing": _billing()}
    ) as engine:
        assert await engine.handle("o").result(MINUTE_S) == ALL


def test_without_a_loop_it_is_the_same(tmp_path: Path) -> None:
    path = tmp_path / "orders.db"
    with SyncEngine(path, registry=_shop(), app_id="shop", apps={"billing": _billing()}) as engine:
        assert engine.start("order", 3).result(MINUTE_S) == ALL


async def test_activities_of_every_app_may_end_when_it_is_closed(tmp_path: Path) -> None:
    began, go = asyncio.Event(), asyncio.Event()
    slow = Registry()

    @slow.activity()
    async def waits(_: ActivityContext) -> str:
        began.set()
        await go.wait()
        return "done"

    @slow.workflow()
    async def work(ctx: WorkflowContext) -> str:
        return await ctx.call_activity(waits)

    path = tmp_path / "orders.db"
    async with asyncio.timeout(MINUTE_S):
        async with Engine(path, apps={"slow": slow}, stop_timeout=30) as engine:
            await engine.start("work", id="w", app_id="slow")
            await began.wait()
            closing = asyncio.create_task(engine.close())
            await asyncio.sleep(0)
            go.set()
            await closing
        async with Engine(path, apps={"slow": slow}) as engine:
            assert await engine.handle("w").result() == "done"


def test_a_virtual_engine_starts_what_another_app_runs() -> None:
    with VirtualEngine(_billing()) as engine:
        assert engine.start("bill", 5, app_id="billing").result() == "billing takes 5"
