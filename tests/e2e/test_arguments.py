"""What the arguments of Dapr's SDK mean to `perdure.workflow`, in a process and at a server."""

import asyncio
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import grpc
import pytest

import perdure.workflow as wf
from perdure import SyncEngine
from perdure.base.errors import ConfigurationError
from perdure.workflow import aio

SIZE: Final = "DAPR_GRPC_MAX_INBOUND_MESSAGE_SIZE_BYTES"
MINUTE_S: Final = 60
LARGE: Final = "x" * 5_000


@pytest.fixture(params=["in_process", "at_a_server"])
def place(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """Where runtimes and clients work, by the environment."""
    for name in ("DAPR_GRPC_ENDPOINT", "DAPR_GRPC_PORT", "DAPR_RUNTIME_HOST", "PERDURE_STORE"):
        monkeypatch.delenv(name, raising=False)
    if request.param == "in_process":
        monkeypatch.setenv("PERDURE_STORE", str(tmp_path / "store.db"))
        yield "in_process"
        return
    with SyncEngine(tmp_path / "server.db", grpc=0) as server:
        monkeypatch.setenv("DAPR_GRPC_ENDPOINT", f"localhost:{server.grpc_port}")
        yield "at_a_server"


class _Crowd:
    """How many are inside at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self.most = 0

    def enter(self) -> None:
        with self._lock:
            self._inside += 1
            self.most = max(self.most, self._inside)

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1


@pytest.mark.usefixtures("place")
def test_so_many_activities_run_at_once_whatever_their_names() -> None:
    runtime = wf.WorkflowRuntime(
        maximum_concurrent_activity_work_items=2, maximum_concurrent_orchestration_work_items=1
    )
    crowd = _Crowd()

    @runtime.activity
    def blocking(_ctx: wf.WorkflowActivityContext) -> None:
        crowd.enter()
        threading.Event().wait(0.01)  # so that others could come in
        crowd.leave()

    @runtime.activity(concurrency_max=1)
    async def waiting(_ctx: wf.WorkflowActivityContext) -> None:
        crowd.enter()
        for _ in range(100):
            await asyncio.sleep(0)
        crowd.leave()

    @runtime.workflow
    async def many(ctx: wf.DaprWorkflowContext, _: None) -> int:
        calls = [ctx.call_activity(each) for each in (blocking, waiting) * 10]
        return len(await wf.when_all(calls))

    runtime.start()
    client = wf.DaprWorkflowClient()
    ids = [client.schedule_new_workflow(many) for _ in range(3)]
    states = [
        client.wait_for_workflow_completion(each, timeout_in_seconds=MINUTE_S) for each in ids
    ]
    client.close()
    runtime.shutdown()
    assert [state.serialized_output for state in states if state is not None] == ["20"] * 3
    assert crowd.most == 2


@pytest.mark.parametrize(
    "name", ["activity_work_items", "orchestration_work_items", "thread_pool_workers"]
)
def test_a_maximum_with_which_nothing_could_run_is_refused(name: str) -> None:
    given: dict[str, Any] = {
        f"maximum_concurrent_{name}" if "items" in name else f"maximum_{name}": 0
    }
    with pytest.raises(ValueError, match="nothing would ever run"):
        wf.WorkflowRuntime(**given)


@pytest.mark.usefixtures("place")
async def test_a_client_sends_and_takes_no_larger_message_than_it_was_told() -> None:
    runtime = wf.WorkflowRuntime()

    @runtime.workflow
    def tells(_ctx: wf.DaprWorkflowContext, length: int) -> str:
        return "x" * length

    runtime.start()
    client = wf.DaprWorkflowClient(max_grpc_message_length=2_000)
    patient = aio.DaprWorkflowClient(max_grpc_message_length=2_000)
    try:
        with pytest.raises(wf.WorkflowRpcError, match="Sent message larger than max") as sent:
            await asyncio.to_thread(client.schedule_new_workflow, tells, input=LARGE)
        assert sent.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        with pytest.raises(
            wf.WorkflowRpcError, match=r"Sent message larger than max \(\d+ vs. 2000\)"
        ):
            await patient.schedule_new_workflow(tells, input=LARGE)
        begun = await patient.schedule_new_workflow(tells, input=5_000)
        with pytest.raises(wf.WorkflowRpcError, match="Received message larger than max"):
            await patient.wait_for_workflow_completion(begun, timeout_in_seconds=MINUTE_S)
        # It is there all the same, for whoever asks without what is large.
        state = await asyncio.to_thread(client.get_workflow_state, begun, fetch_payloads=False)
        assert state is not None
        assert state.runtime_status is wf.WorkflowStatus.COMPLETED
    finally:
        await asyncio.to_thread(client.close)
        await patient.close()
        await asyncio.to_thread(runtime.shutdown)


def test_the_environment_bounds_messages_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SIZE, "many")
    with pytest.raises(ConfigurationError, match=f"{SIZE}=many: expected a number of bytes"):
        wf.DaprWorkflowClient()
    with pytest.raises(ConfigurationError, match="max_grpc_message_length=-1"):
        wf.WorkflowRuntime(max_grpc_message_length=-1)


def test_what_a_worker_cannot_tell_a_server_fails(
    place: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As with Dapr's SDK. In a process nothing is sent, and that is told."""
    runtime = wf.WorkflowRuntime(
        max_grpc_message_length=2_000, disable_stateful_history=True, history_cache_ttl=60
    )

    @runtime.activity
    def tells(_ctx: wf.WorkflowActivityContext, length: int) -> str:
        return "x" * length

    @runtime.workflow
    def asks(ctx: wf.DaprWorkflowContext, length: int) -> Any:
        return (yield ctx.call_activity(tells, input=length))

    @runtime.workflow
    def ends(_ctx: wf.DaprWorkflowContext, length: int) -> str:
        return "x" * length

    runtime.start()
    client = wf.DaprWorkflowClient()

    def outcome(workflow: Any, length: int) -> wf.WorkflowState:
        begun = client.schedule_new_workflow(workflow, input=length)
        state = client.wait_for_workflow_completion(begun, timeout_in_seconds=MINUTE_S)
        assert state is not None
        return state

    completed = wf.WorkflowStatus.COMPLETED
    assert outcome(asks, 100).runtime_status is completed
    told = {workflow: outcome(workflow, 5_000) for workflow in (asks, ends)}
    client.close()
    runtime.shutdown()
    warned = [r.message for r in caplog.records if r.levelno == logging.WARNING]
    assert any("history_cache_ttl=60 has no effect" in each for each in warned)
    is_in_process = place == "in_process"
    for name in ("max_grpc_message_length=2000", "disable_stateful_history=True"):
        assert any(f"{name} has no effect" in each for each in warned) is is_in_process
    if is_in_process:
        assert {state.runtime_status for state in told.values()} == {completed}
        return
    assert {state.runtime_status for state in told.values()} == {wf.WorkflowStatus.FAILED}
    for state in told.values():
        assert state.failure_details is not None
        assert "exceeds the gRPC max message size" in state.failure_details.message


@pytest.mark.usefixtures("place")
def test_code_is_kept_of_so_many_instances() -> None:
    """The others are led through their histories again, and come to the same."""
    runtime = wf.WorkflowRuntime(history_cache_max_instances=2)
    ran: list[str] = []

    @runtime.workflow
    def waits(ctx: wf.DaprWorkflowContext, name: str) -> Any:
        ran.append(name)
        return (yield ctx.wait_for_external_event("go"))

    runtime.start()
    client = wf.DaprWorkflowClient()
    for name in "abcd":
        client.schedule_new_workflow(waits, input=name, instance_id=name)
        client.wait_for_workflow_start(name, timeout_in_seconds=MINUTE_S)
    for name in "dcba":
        client.raise_workflow_event(name, "go", data=name)
        state = client.wait_for_workflow_completion(name, timeout_in_seconds=MINUTE_S)
        assert state is not None
        assert state.serialized_output == f'"{name}"'
    client.close()
    runtime.shutdown()
    assert ran == ["a", "b", "c", "d", "b", "a"]
