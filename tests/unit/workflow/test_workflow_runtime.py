"""The runtime and the clients on an engine of this process."""

import asyncio
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

import perdure.workflow as wf
from perdure.workflow import aio
from perdure.workflow.logger import Logger, LoggerOptions


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of the test's own."""
    for name in ("DAPR_GRPC_ENDPOINT", "DAPR_GRPC_PORT", "DAPR_RUNTIME_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PERDURE_STORE", str(tmp_path / "store.db"))
    return tmp_path / "store.db"


@pytest.fixture
def runtime() -> Iterator[wf.WorkflowRuntime]:
    runtime = wf.WorkflowRuntime(worker_ready_timeout=20, maximum_thread_pool_workers=4)
    yield runtime
    runtime.shutdown()


@pytest.fixture
def client() -> Iterator[wf.DaprWorkflowClient]:
    client = wf.DaprWorkflowClient()
    yield client
    client.close()


def test_names_and_decorators(runtime: wf.WorkflowRuntime) -> None:
    @runtime.activity(name="Greet")
    def greet(_ctx: wf.WorkflowActivityContext, name: str) -> str:
        return f"Hello, {name}!"

    @runtime.workflow
    @wf.alternate_name("Greeting")
    def greeting(ctx: wf.DaprWorkflowContext, name: str) -> Any:
        yield ctx.call_activity(greet, input=name)

    @runtime.versioned_workflow(name="story", is_latest=True)
    def story_v1(_ctx: wf.DaprWorkflowContext) -> None:
        """Do nothing."""

    assert greet.__name__ == "greet"
    assert set(runtime.registry.activities) == {"Greet"}
    assert set(runtime.registry.workflows) == {"Greeting"}
    assert runtime.registry.latest == {"story": "story_v1"}
    with pytest.raises(ValueError, match="Workflow greeting already registered as Greeting"):
        runtime.register_workflow(greeting)
    with pytest.raises(ValueError, match="Activity greet already registered as Greet"):
        runtime.register_activity(greet)
    with pytest.raises(ValueError, match="already has an alternate name Greeting"):
        wf.alternate_name("again")(greeting)

    @wf.alternate_name("A")
    def named(_ctx: wf.WorkflowActivityContext) -> None:
        """Do nothing."""

    with pytest.raises(ValueError, match="Activity named already has an alternate name A"):
        runtime.register_activity(named, name="B")


def test_a_workflow_of_each_style(
    runtime: wf.WorkflowRuntime, client: wf.DaprWorkflowClient
) -> None:
    @runtime.activity
    def double(_ctx: wf.WorkflowActivityContext, number: int) -> int:
        return 2 * number

    @runtime.workflow
    def yields(ctx: wf.DaprWorkflowContext, number: int) -> Any:
        return (yield ctx.call_activity(double, input=number))

    @runtime.workflow
    async def awaits(ctx: wf.DaprWorkflowContext, number: int) -> int:
        first, second = await wf.gather(
            ctx.call_activity(double, number), ctx.call_child_workflow(yields, number)
        )
        return first + int(second)

    runtime.start()
    instance_id = client.schedule_new_workflow(awaits, input=3)
    state = client.wait_for_workflow_completion(instance_id, timeout_in_seconds=60)
    assert state is not None
    assert (state.runtime_status, state.serialized_output) == (wf.WorkflowStatus.COMPLETED, "12")
    with pytest.raises(RuntimeError, match="running already"):
        runtime.start()


def test_what_is_refused_raises_an_error_of_grpc(client: wf.DaprWorkflowClient) -> None:
    assert client.get_workflow_state("nobody") is None
    with pytest.raises(grpc.RpcError) as raised:
        client.raise_workflow_event("nobody", "e")
    assert isinstance(raised.value, wf.WorkflowRpcError)
    assert "no such instance exists" in raised.value.details()
    client.schedule_new_workflow("nobody does it", instance_id="taken")
    with pytest.raises(wf.WorkflowRpcError) as raised:
        client.schedule_new_workflow("nobody does it", instance_id="taken")
    assert raised.value.code() is grpc.StatusCode.ALREADY_EXISTS
    with pytest.raises(TimeoutError, match="to complete"):
        client.wait_for_workflow_completion("taken", timeout_in_seconds=0.05)
    with pytest.warns(DeprecationWarning, match="reuse_id_policy"):
        client.schedule_new_workflow("x", reuse_id_policy=object())
    client.close()
    with pytest.raises(wf.WorkflowRpcError, match="closed"):
        client.get_workflow_state("taken")


def test_what_was_started_before_goes_on(store: Path, runtime: wf.WorkflowRuntime) -> None:
    client = wf.DaprWorkflowClient()
    client.schedule_new_workflow("later", instance_id="one")
    client.close()
    assert store.exists()
    runtime.register_workflow(lambda _ctx: "done", name="later")
    runtime.start()
    client = wf.DaprWorkflowClient()
    state = client.wait_for_workflow_completion("one", timeout_in_seconds=60)
    assert state is not None
    assert state.serialized_output == '"done"'
    client.close()


async def test_the_client_of_asyncio(runtime: wf.WorkflowRuntime) -> None:
    @runtime.workflow
    async def waits(ctx: wf.DaprWorkflowContext) -> str:
        return await ctx.wait_for_external_event("go", data_type=str)

    await asyncio.to_thread(runtime.start)
    client = aio.DaprWorkflowClient()
    instance_id = await client.schedule_new_workflow(waits)
    state = await client.wait_for_workflow_start(instance_id, timeout_in_seconds=60)
    assert state is not None
    with pytest.raises(TimeoutError):
        await client.wait_for_workflow_completion(instance_id, timeout_in_seconds=0.05)
    await client.raise_workflow_event(instance_id, "go", data="gone")
    state = await client.wait_for_workflow_completion(instance_id, timeout_in_seconds=60)
    assert state is not None
    assert state.serialized_output == '"gone"'
    assert [one async for one in client.iter_workflow_instance_ids()] == [instance_id]
    assert len(await client.get_workflow_history(instance_id)) > 3
    await client.purge_workflow(instance_id)
    assert await client.get_workflow_state(instance_id) is None
    await client.close()
    with pytest.raises(wf.WorkflowRpcError):
        await client.get_workflow_state(instance_id)


def test_clients_within_activities(
    runtime: wf.WorkflowRuntime, client: wf.DaprWorkflowClient
) -> None:
    """One that blocks has its place in a thread; on the loop of the engine it is told so."""

    @runtime.workflow
    def other(_ctx: wf.DaprWorkflowContext) -> str:
        return "other"

    @runtime.activity
    def in_a_thread(_ctx: wf.WorkflowActivityContext) -> str | None:
        state = client.wait_for_workflow_completion(client.schedule_new_workflow(other))
        return None if state is None else state.serialized_output

    @runtime.activity
    async def on_the_loop(_ctx: wf.WorkflowActivityContext) -> str | None:
        awaited = aio.DaprWorkflowClient()
        instance_id = await awaited.schedule_new_workflow(other)
        state = await awaited.wait_for_workflow_completion(instance_id)
        await awaited.close()
        return None if state is None else state.serialized_output

    @runtime.activity
    async def blocks_the_loop(_ctx: wf.WorkflowActivityContext) -> None:
        client.get_workflow_state("anything")

    @runtime.workflow
    async def calls(ctx: wf.DaprWorkflowContext) -> list[str | None]:
        told = [await ctx.call_activity(in_a_thread), await ctx.call_activity(on_the_loop)]
        try:
            await ctx.call_activity(blocks_the_loop)
        except wf.TaskFailedError as error:
            told.append(error.details.message)
        return told

    runtime.start()
    state = client.wait_for_workflow_completion(client.schedule_new_workflow(calls))
    assert state is not None
    assert state.serialized_output is not None
    assert '"other\\"", "\\"other' in state.serialized_output
    assert "use the client of perdure.workflow.aio here" in state.serialized_output


def test_what_runs_at_a_shutdown_comes_to_its_end(
    runtime: wf.WorkflowRuntime, client: wf.DaprWorkflowClient
) -> None:
    """Also when the engine stays open, because a client has it."""
    begun, go, runs = threading.Event(), threading.Event(), []

    @runtime.activity
    def holds(_ctx: wf.WorkflowActivityContext) -> str:
        runs.append("run")
        begun.set()
        go.wait(60)
        return "held"

    @runtime.workflow
    async def waits(ctx: wf.DaprWorkflowContext) -> str:
        return await ctx.call_activity(holds)

    runtime.start()
    instance_id = client.schedule_new_workflow(waits)
    assert begun.wait(60)
    threading.Timer(0.2, go.set).start()
    runtime.shutdown()
    assert go.is_set()
    runtime.start()
    state = client.wait_for_workflow_completion(instance_id, timeout_in_seconds=60)
    assert state is not None
    assert state.serialized_output == '"held"'
    assert runs == ["run"]


def list_tools(_ctx: wf.DaprWorkflowContext, asked: dict[str, str]) -> Any:
    if asked["mcpServerName"] == "broken":
        raise ValueError("no tools")
    return {"tools": [{"name": "rain", "inputSchema": {"type": "object"}}, {"name": "sun"}]}


@pytest.fixture
def weather(runtime: wf.WorkflowRuntime) -> None:
    for server in ("weather", "broken"):
        runtime.registry.add_workflow(list_tools, name=f"dapr.internal.mcp.{server}.ListTools")
    runtime.start()


@pytest.mark.usefixtures("weather")
def test_tools_of_a_server_are_listed(client: wf.DaprWorkflowClient) -> None:
    tools = wf.DaprMCPClient(allowed_tools={"rain"}, wf_client=client)
    tools.connect("weather")
    assert tools.get_connected_servers() == ["weather"]
    assert tools.get_all_tools() == tools.get_server_tools("weather")
    (rain,) = tools.get_all_tools()
    assert rain == wf.MCPToolDef(
        name="rain",
        description="",
        input_schema={"type": "object"},
        server_name="weather",
        call_tool_workflow="dapr.internal.mcp.weather.CallTool.rain",
    )
    with pytest.raises(RuntimeError, match="ended with status 'FAILED'"):
        tools.connect("broken")
    with pytest.raises(ValueError, match="non-empty"):
        tools.connect(" ")
    with pytest.raises(ValueError, match="positive"):
        wf.DaprMCPClient(timeout_in_seconds=0)


@pytest.mark.usefixtures("weather")
async def test_tools_of_a_server_are_listed_on_a_loop() -> None:
    client = aio.DaprWorkflowClient()
    tools = aio.DaprMCPClient(wf_client=client)
    await tools.connect("weather")
    assert [tool.name for tool in tools.get_all_tools()] == ["rain", "sun"]
    await client.close()


def test_loggers_write_as_they_are_told(caplog: pytest.LogCaptureFixture) -> None:
    handler = logging.NullHandler()
    options = LoggerOptions(logging.DEBUG, handler, logging.Formatter("%(message)s"))
    logger = Logger("perdure-test", options)
    assert logger.get_options() is options
    with caplog.at_level(logging.DEBUG, "perdure-test"):
        for write in (logger.debug, logger.info, logger.warning, logger.error, logger.critical):
            write("%s said", "it")
        try:
            int("x")
        except ValueError:
            logger.exception("caught")
    assert [record.getMessage() for record in caplog.records] == ["it said"] * 5 + ["caught"]
    assert LoggerOptions().log_level == logging.INFO
