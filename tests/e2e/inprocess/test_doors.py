"""Doors of an engine in a program's own process: others see its workflows, and work for it."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from perdure import ActivityContext, Engine, Registry, Status, WorkflowContext
from tests.e2e import venvs
from tests.e2e.programs import Program, clean_environment
from tests.e2e.venvs import REPOSITORY

MINUTE_S = 60.0
pytestmark = pytest.mark.timeout(300)

registry = Registry()


@registry.activity()
async def whoami(_: ActivityContext, app: str) -> str:
    return f"{app} asked the program itself"


@registry.workflow()
async def traveller(ctx: WorkflowContext, app: str) -> list[str]:
    here = await ctx.call_activity(whoami, app)
    there = await ctx.call_activity("whoami", input=app, app_id="other")
    child = await ctx.call_child_workflow("abroad", input=app, app_id="other")
    return [here, there, child]


@registry.workflow()
async def waits(ctx: WorkflowContext) -> object:
    return await ctx.wait_for_external_event("go")


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    """An engine with both doors open."""
    async with Engine(tmp_path / "orders.db", registry=registry, http=0, grpc=0) as engine:
        yield engine


async def test_a_worker_of_a_released_sdk_works_for_its_own_app(
    engine: Engine, tmp_path: Path
) -> None:
    handle = await engine.start(traveller, "traveller", id="t")
    environment = {"DAPR_GRPC_PORT": str(engine.grpc_port), "DAPR_RUNTIME_HOST": "127.0.0.1"}
    python = await asyncio.to_thread(venvs.ensure, venvs.DAPR_1_18)
    worker = Program(
        [str(python), "-m", "tests.e2e.workers.dapr_python.roles", "other"],
        log=tmp_path / "worker.log",
        folder=REPOSITORY,
        environment=environment,
    )
    try:
        assert await handle.result(MINUTE_S) == [
            "traveller asked the program itself",
            "traveller asked other",
            "traveller asked other",
        ]
    finally:
        await asyncio.to_thread(worker.kill)


async def test_the_command_line_shows_and_changes_what_is_in_it(engine: Engine) -> None:
    handle = await engine.start(waits, id="w", tags={"city": "Prague"})
    await handle.wait_for_start(MINUTE_S)
    listed = json.loads(await _perdure(engine, "list", "--json"))
    assert [each["instanceID"] for each in listed["instances"]] == ["w"]
    await _perdure(engine, "raise-event", "w", "go", "--input", '{"a": 1}')
    assert await handle.result(MINUTE_S) == {"a": 1}
    instance = await engine.get("w")
    assert instance is not None
    assert (instance.status, instance.tags) == (Status.COMPLETED, {"city": "Prague"})


async def _perdure(engine: Engine, *words: str) -> str:
    def run() -> str:
        done = subprocess.run(
            [sys.executable, "-m", "perdure", "workflow", *words],
            env=clean_environment({"DAPR_HTTP_PORT": str(engine.http_port)}),
            capture_output=True,
            text=True,
            timeout=MINUTE_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return await asyncio.to_thread(run)
