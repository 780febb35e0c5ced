"""What only a bridge has to do: share its work with others, outlive its cluster, take over runs."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle

from tests.e2e import venvs
from tests.e2e.bridge.bridging import BridgeProcess
from tests.e2e.bridge.conftest import MakeBridge
from tests.e2e.bridge.replaying import replay_all
from tests.e2e.conftest import Hire
from tests.e2e.polling import until
from tests.kit.cluster import Cluster

pytestmark = pytest.mark.timeout(400)

SDK = venvs.DAPR_1_18
# A run takes over when the server suggests it, which is here after so many events.
SUGGESTED_AFTER = 60

T = TypeVar("T")


def ask(cluster: Cluster, question: Callable[[Client], Awaitable[T]]) -> T:
    """Ask the cluster itself, as Temporal's own tools do."""

    async def asked() -> T:
        return await question(await Client.connect(cluster.hostport))

    return asyncio.run(asked())


def test_a_turn_whose_worker_was_killed_is_decided_by_another(
    server: BridgeProcess, hire: Hire, tmp_path: Path
) -> None:
    first = hire(SDK, server, "pondering")
    gate = tmp_path / "gate"
    server.begin("ponders", "torn", str(gate))
    first.wait_for(pondering="torn")
    first.kill()
    gate.touch()
    second = hire(SDK, server, "pondering")
    assert server.output("torn") == "decided"
    assert second.count(pondering="torn") >= 1


def test_many_workflows_outlive_the_kill_of_their_bridge(server: BridgeProcess, hire: Hire) -> None:
    worker = hire(SDK, server, "steady")
    instances = [f"many-{number}" for number in range(60)]
    for instance_id in instances:
        server.begin("leg", instance_id, "done")
    worker.wait_for(step="done")
    server.kill()
    server.start()
    for instance_id in instances:
        assert server.output(instance_id, deadline_s=90) == "done"


def test_workflows_outlive_the_kill_of_the_cluster(
    tmp_path: Path, bridge_to: MakeBridge, hire: Hire
) -> None:
    folder = tmp_path / "cluster"
    folder.mkdir()
    cluster = Cluster(folder)
    cluster.start()
    try:
        bridge = bridge_to(cluster)
        hire(SDK, bridge, "steady")
        gate = tmp_path / "gate"
        gate.touch()
        bridge.begin("journey", "hardy", str(gate))
        bridge.await_state("hardy", lambda state: "waiting" in str(state))
        cluster.kill()
        away = bridge.request("GET", "/v1.0/workflows/dapr/hardy")
        assert (away.status, away.headers["retry-after"]) == (503, "1"), away
        assert "is away" in bridge.request("GET", "/v1.0/healthz").text
        assert bridge.request("GET", "/v1.0/healthz/outbound").status == 204
        cluster.start()
        bridge.raise_event("hardy", "go", "went")
        assert bridge.request("GET", "/v1.0/healthz").status == 204
        assert bridge.output("hardy", deadline_s=90) == ["first", "held", "went", "child", "last"]
    finally:
        cluster.stop()


def test_work_goes_to_the_bridge_that_has_workers(
    cluster: Cluster, bridge_to: MakeBridge, hire: Hire
) -> None:
    idle = bridge_to(cluster)
    busy = bridge_to(cluster, app_id=idle.app_id)
    worker = hire(SDK, busy, "steady")
    instances = [f"{idle.app_id}-{number}" for number in range(10)]
    for instance_id in instances:
        idle.begin("leg", instance_id, "done")
    for instance_id in instances:
        assert idle.output(instance_id) == "done"
    assert worker.count(step="done") == len(instances)
    # The other one takes over what is left, and the one that is gone is not missed.
    busy.kill()
    hire(SDK, idle, "steady")
    idle.begin("leg", f"{idle.app_id}-last", "over here")
    assert idle.output(f"{idle.app_id}-last", deadline_s=60) == "over here"


def test_a_long_workflow_is_taken_over_by_fresh_runs(
    tmp_path: Path, bridge_to: MakeBridge, hire: Hire
) -> None:
    suggesting = {"limit.historyCount.suggestContinueAsNew": str(SUGGESTED_AFTER)}
    cluster = Cluster(tmp_path, suggesting, keeps=False)
    cluster.start()
    try:
        bridge = bridge_to(cluster)
        hire(SDK, bridge, "tireless")
        bridge.begin("counts", "long", 40)
        bridge.raise_event("long", "read last", "kept")
        assert bridge.output("long", deadline_s=90) == [*range(40), "kept"]
        runs = ask(cluster, _runs_of("long"))
        assert len(runs) > 2
        count, unlike = asyncio.run(replay_all(cluster.hostport))
        assert (count, unlike) == (len(runs), [])
        # What readers see is one instance, as if it had been one run.
        view = bridge.request("GET", "/v1.0/workflows/counts/long").json()
        assert (view["input"], view["runtimeStatus"]) == (40, "COMPLETED")
    finally:
        cluster.stop()


def test_children_are_awaited_by_the_run_that_takes_over(
    tmp_path: Path, bridge_to: MakeBridge, hire: Hire
) -> None:
    suggesting = {"limit.historyCount.suggestContinueAsNew": str(SUGGESTED_AFTER)}
    cluster = Cluster(tmp_path, suggesting, keeps=False)
    cluster.start()
    try:
        bridge = bridge_to(cluster)
        hire(SDK, bridge, "tireless")
        bridge.begin("minds_and_counts", "parent", 30)
        bridge.await_state("parent", lambda state: "has counted" in str(state), 90)
        assert len(ask(cluster, _runs_of("parent"))) > 1
        bridge.raise_event("parent-child", "end", "well")
        answer = bridge.request("POST", "/v1.0/workflows/dapr/parent-doomed/terminate")
        assert answer.status == 202, answer
        assert bridge.output("parent") == ["well", "WorkflowTerminated"]
        count, unlike = asyncio.run(replay_all(cluster.hostport))
        assert count > 3
        assert not unlike
    finally:
        cluster.stop()


def _runs_of(instance_id: str) -> Callable[[Client], Awaitable[list[str]]]:
    async def runs(client: Client) -> list[str]:
        """Follow the chain from the last run back: listings may be a moment behind."""
        found: list[str] = []
        description = await client.get_workflow_handle(instance_id).describe()
        run_id = description.run_id
        while run_id:
            found.append(run_id)
            handle: WorkflowHandle[Any, Any]
            handle = client.get_workflow_handle(instance_id, run_id=run_id)
            first = await anext(handle.fetch_history_events(page_size=1))
            run_id = first.workflow_execution_started_event_attributes.continued_execution_run_id
        return found

    return runs


def test_temporals_own_tools_start_and_tell_a_workflow(
    cluster: Cluster, server: BridgeProcess, hire: Hire, tmp_path: Path
) -> None:
    hire(SDK, server, "steady")
    gate = tmp_path / "gate"
    gate.touch()

    async def drive(client: Client) -> object:
        handle = await client.start_workflow(
            "journey", str(gate), id=f"native-{server.app_id}", task_queue=server.app_id
        )
        await handle.signal("go", "went")
        return await handle.result()

    assert ask(cluster, drive) == ["first", "held", "went", "child", "last"]
    view = server.request("GET", f"/v1.0/workflows/journey/native-{server.app_id}").json()
    assert (view["appID"], view["input"]) == (server.app_id, str(gate))


def test_temporals_own_tools_see_how_a_workflow_ended(
    cluster: Cluster, server: BridgeProcess, hire: Hire, tmp_path: Path
) -> None:
    hire(SDK, server, "steady")
    ended = f"ended-{server.app_id}"
    server.begin("journey", ended, str(tmp_path / "no gate"))
    answer = server.request("POST", f"/v1.0/workflows/journey/{ended}/terminate", '"enough"')
    assert answer.status == 200, answer

    async def status(client: Client) -> WorkflowExecutionStatus | None:
        return (await client.get_workflow_handle(ended).describe()).status

    assert ask(cluster, status) is WorkflowExecutionStatus.TERMINATED
    failed = f"failed-{server.app_id}"
    server.begin("nobody knows me", failed)
    server.await_status(failed, "FAILED")

    async def failure(client: Client) -> str:
        with pytest.raises(WorkflowFailureError) as caught:
            await client.get_workflow_handle(failed).result()
        return str(caught.value.cause)

    assert "OrchestratorNotRegisteredError" in ask(cluster, failure)


def test_what_temporal_cannot_carry_is_refused_in_words(server: BridgeProcess, hire: Hire) -> None:
    too_large = json.dumps("x" * 2_000_000)
    answer = server.request("POST", "/v1.0/workflows/dapr/leg/start?instanceID=large", too_large)
    assert (answer.status, "Temporal takes" in answer.text) == (400, True), answer
    reserved = server.request("POST", "/v1.0/workflows/dapr/perdure.leg/start?instanceID=x", "1")
    assert (reserved.status, "cannot be named" in reserved.text) == (400, True), reserved
    hire(SDK, server, "tireless")
    large = f"grows-{server.app_id}"
    server.begin("grows", large)
    # The activity's result is too large for Temporal; workflow code sees that as its failure.
    assert server.output(large) == "PayloadSizeExceeded"


def test_a_child_that_temporal_terminates_is_a_failed_child(
    cluster: Cluster, server: BridgeProcess, hire: Hire
) -> None:
    hire(SDK, server, "tireless")
    parent, child = f"parent-{server.app_id}", f"child-{server.app_id}"
    server.begin("minds", parent, child)
    _await_birth(server, child)

    async def terminate(client: Client) -> None:
        await client.get_workflow_handle(child).terminate(reason="from outside")

    ask(cluster, terminate)
    assert server.output(parent) == "WorkflowTerminated"


def _await_birth(server: BridgeProcess, instance_id: str, deadline_s: float = 40.0) -> None:
    until(
        lambda: server.request("GET", f"/v1.0/workflows/dapr/{instance_id}"),
        lambda answer: answer.status == 200,
        deadline_s=deadline_s,
        what=f"{instance_id} is born",
    )
