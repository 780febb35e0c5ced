"""A worker at an address: the door of an engine in this process, which comes and goes."""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from perdure import (
    ActivityContext,
    Engine,
    Handle,
    Instance,
    Registry,
    Status,
    WorkflowContext,
)
from perdure.authoring.joins import gather
from perdure.authoring.replay import Replayer
from perdure.base.time import SECOND_US
from perdure.core.events import TaskCompleted
from perdure.transport.client.call import CallFailed
from perdure.wire.fields import failure_of
from perdure.worker import remote
from perdure.worker.activities import ActivityRunner
from perdure.worker.endpoints import Endpoint
from perdure.worker.remote import Remote
from perdure.worker.runner import Runner
from perdure.worker.turns import Turns
from tests.unit.hosting.programs import add_one, collect, registry

MINUTE_S = 60.0


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "PAUSE_FIRST_US", SECOND_US // 100)


class Worker:
    """A worker of a registry at a port."""

    def __init__(self, port: int, programs: Registry, **options: int) -> None:
        self.replayer = Replayer(programs, failure_of=failure_of)
        self.activities = ActivityRunner(programs.activities.get, threads=4, processes=1)
        self.remote = Remote(Endpoint("127.0.0.1", port))
        self.runner = Runner(self.remote, Turns(self.replayer), self.activities, **options)
        self._running = asyncio.create_task(self.runner.run())

    async def connected(self) -> None:
        async with asyncio.timeout(MINUTE_S):
            await self.remote.connected.wait()

    async def leave(self) -> None:
        self.activities.close()
        await self.remote.close()
        self._running.cancel()
        await asyncio.wait([self._running])


@asynccontextmanager
async def at_door(
    folder: Path, programs: Registry, *, port: int = 0, **options: int
) -> AsyncIterator[tuple[Engine, Worker]]:
    """An engine that has no code itself, and a worker at its door that has."""
    async with Engine(folder / "orders.db", grpc=port, registry=Registry()) as engine:
        assert engine.grpc_port is not None
        worker = Worker(engine.grpc_port, programs, **options)
        try:
            await worker.connected()
            yield engine, worker
        finally:
            await worker.leave()


async def seen(handle: Handle[object], wanted: Callable[[Instance], bool]) -> None:
    """Return once an instance is as it is wanted."""
    end = time.monotonic() + MINUTE_S
    while (instance := await handle.get()) is None or not wanted(instance):
        assert time.monotonic() < end, instance
        await asyncio.sleep(0)


async def test_turns_and_activities_are_done_at_the_door(tmp_path: Path) -> None:
    async with at_door(tmp_path, registry()) as (engine, worker):
        handles = [await engine.start(add_one, number) for number in range(50)]
        results = [await handle.result(MINUTE_S) for handle in handles]
        assert results == list(range(1, 51))
        await worker.runner.drained()
        assert len(worker.replayer) == 0


@pytest.mark.parametrize("how", ["terminate", "purge"])
async def test_an_activity_whose_workflow_is_gone_is_cancelled(tmp_path: Path, how: str) -> None:
    programs = Registry()
    began: dict[str, asyncio.Event] = {"waits": asyncio.Event(), "blocks": asyncio.Event()}
    ended: dict[str, asyncio.Event] = {"waits": asyncio.Event(), "blocks": asyncio.Event()}
    loop = asyncio.get_running_loop()

    @programs.activity()
    async def waits(_: ActivityContext) -> None:
        began["waits"].set()
        try:
            await asyncio.Event().wait()
        finally:
            ended["waits"].set()

    @programs.activity()
    def blocks(ctx: ActivityContext) -> None:
        loop.call_soon_threadsafe(began["blocks"].set)
        try:
            while True:
                ctx.heartbeat()  # raises when nobody wants it any more
                threading.Event().wait(0.01)
        finally:
            assert ctx.is_cancelled
            loop.call_soon_threadsafe(ended["blocks"].set)

    @programs.workflow()
    async def both(ctx: WorkflowContext) -> None:
        await gather(ctx.call_activity(waits), ctx.call_activity(blocks))

    async with at_door(tmp_path, programs) as (engine, worker), asyncio.timeout(MINUTE_S):
        handle = await engine.start(both, id="gone")
        for each in began.values():
            await each.wait()
        await (handle.terminate("over") if how == "terminate" else handle.purge(force=True))
        for each in ended.values():
            await each.wait()
        await worker.runner.drained()


async def test_many_at_once_with_few_in_hand(tmp_path: Path) -> None:
    async with at_door(tmp_path, registry(), items_max=2) as (engine, _):
        handles = [await engine.start(add_one, number) for number in range(40)]
        results = [await handle.result(MINUTE_S) for handle in handles]
        assert results == list(range(1, 41))


async def test_what_was_let_go_is_fetched_and_not_sent_anew(tmp_path: Path) -> None:
    """A server that knows what it has sent leaves it out, whether or not it was kept."""
    async with at_door(tmp_path, registry()) as (engine, worker):
        handle = await engine.start(collect, 4, id="a")
        for number in range(4):
            await handle.raise_event("item", number)
            # Every turn but the first finds nothing kept.
            worker.replayer._kept.clear()  # noqa: SLF001 - as if there were too many
        assert await handle.result(MINUTE_S) == [0, 1, 2, 3]


async def test_a_history_that_is_not_given_stalls_its_instance_which_goes_on_once_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unanswered, the turn would be this worker's for as long as its stream lasts."""
    async with at_door(tmp_path, registry()) as (engine, worker):
        handle = await engine.start(collect, 2, id="a")
        first_turn = (await handle.wait_for_start(MINUTE_S)).history_length
        await handle.raise_event("item", 1)
        await seen(handle, lambda found: found.history_length > first_turn)
        asked = asyncio.Event()

        async def refused(_instance_id: str, _count: int) -> list[bytes]:
            asked.set()
            raise CallFailed(8, "larger than a message may be")

        with monkeypatch.context() as patch:
            patch.setattr(worker.remote, "history", refused)
            worker.replayer._kept.clear()  # noqa: SLF001 - as if there were too many
            await handle.raise_event("item", 2)
            await seen(handle, lambda found: found.status is Status.STALLED)
            assert asked.is_set()
        await worker.leave()
    async with at_door(tmp_path, registry()) as (engine, _):
        assert await engine.handle("a").result(MINUTE_S) == [1, 2]


async def test_a_server_that_goes_and_comes_is_found_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "perdure.worker")
    runs: list[str] = []
    begun, go = asyncio.Event(), asyncio.Event()
    programs = registry()

    @programs.activity()
    async def slow(ctx: ActivityContext) -> str:
        runs.append(ctx.idempotency_key)
        begun.set()
        await go.wait()
        return "done"

    @programs.workflow()
    async def uses(ctx: WorkflowContext) -> str:
        return await ctx.call_activity(slow)

    file = tmp_path / "orders.db"
    engine = Engine(file, grpc=0, registry=Registry(), stop_timeout=0)
    await engine.open()
    port = engine.grpc_port
    assert port is not None
    worker = Worker(port, programs)
    await worker.connected()
    await engine.start(uses, id="a")
    await begun.wait()
    begun.clear()
    await engine.close()
    async with Engine(file, grpc=port, registry=Registry()) as again:
        # The connection is lost, and what was on it is handed out again.
        await begun.wait()
        go.set()
        assert await again.handle("a").result(MINUTE_S) == "done"
        ends = [each for each in await again.history("a") if isinstance(each, TaskCompleted)]
        assert len(ends) == 1
        await worker.leave()
    assert len(runs) == 2
    assert runs[0] == runs[1]
    said = [record.getMessage() for record in caplog.records]
    assert f"connected to 127.0.0.1:{port}" in said
    assert any(f"no connection to 127.0.0.1:{port}" in line for line in said)


async def test_code_that_diverges_stalls_its_instance_and_the_next_code_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def code(*names: str) -> Registry:
        programs = Registry()

        @programs.workflow()
        async def order(ctx: WorkflowContext) -> list[object]:
            first = [await ctx.call_activity(name) for name in names]
            return [*first, await ctx.wait_for_external_event("go")]

        @programs.activity()
        def charge(_: ActivityContext) -> str:
            return "charge"

        programs.add_activity(charge, name="ship")
        return programs

    async with at_door(tmp_path, code("charge")) as (engine, worker):
        handle = await engine.start("order", id="a")
        await seen(handle, lambda instance: instance.waits_for == "event")
        await worker.leave()
        assert engine.grpc_port is not None
        wrong = Worker(engine.grpc_port, code("ship"))
        await wrong.connected()
        await handle.raise_event("go", 1)
        await seen(handle, lambda instance: instance.status is Status.STALLED)
        assert "activity 'charge'" in caplog.text
        assert "activity 'ship'" in caplog.text
        assert "test_remote.py" in caplog.text
        await wrong.leave()
        right = Worker(engine.grpc_port, code("charge"))
        assert await handle.result(MINUTE_S) == ["charge", 1]
        await right.leave()


async def test_a_token_that_is_missing_is_asked_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with Engine(tmp_path / "orders.db", grpc=0, api_token="t") as engine:
        assert engine.grpc_port is not None
        worker = Worker(engine.grpc_port, registry())
        end = time.monotonic() + MINUTE_S
        while "DAPR_API_TOKEN" not in caplog.text:
            assert time.monotonic() < end, caplog.text
            await asyncio.sleep(0)
        await worker.leave()
