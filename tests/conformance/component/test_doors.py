"""A Temporal cluster through the doors of a whole server: HTTP in both forms, gRPC, metadata."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from perdure.wire.generated import runtime_pb2 as pb
from tests.conformance.app.running import Running, Unary, running
from tests.conformance.component.looking import until
from tests.kit import temporal_workflows
from tests.kit.cluster import Cluster

_numbers = count(1)


def component_file(folder: Path, cluster: Cluster, **metadata: str) -> Path:
    """A component file for the cluster; its name in paths is `away`."""
    items = {"hostport": cluster.hostport, "workflowTypes": "echoes, waits", **metadata}
    lines = [f"    - name: {name}\n      value: {json.dumps(v)}\n" for name, v in items.items()]
    file = folder / "away.yaml"
    file.write_text(
        "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: away\n"
        "spec:\n  type: workflow.temporal\n  version: v1\n  metadata:\n" + "".join(lines)
    )
    return file


@asynccontextmanager
async def serving(folder: Path, cluster: Cluster, **metadata: str) -> AsyncIterator[Running]:
    """A server that has the cluster as its component `away`."""
    file = component_file(folder, cluster, **metadata)
    async with running(folder, flags={"resources_path": [str(file)]}) as server:
        yield server


@pytest.fixture
def queue() -> str:
    """A task queue that no other test uses."""
    return f"doors-{next(_numbers)}"


@pytest.fixture
async def server(tmp_path: Path, cluster: Cluster, queue: str) -> AsyncIterator[Running]:
    async with serving(tmp_path, cluster, taskQueue=queue) as found:
        yield found


async def post(server: Running, path: str, body: Any = None, **more: Any) -> httpx.Response:
    content = None if body is None else json.dumps(body)
    return await server.http.post(f"/v1.0/workflows/{path}", content=content, **more)


async def test_the_document_form_finds_a_mapped_type(
    server: Running, cluster: Cluster, queue: str
) -> None:
    one = f"waits/{queue}-a"
    started = await post(
        server, f"{one}/start", {"n": 1}, headers={"dapr-workflow-metadata": "city=Oslo; a=b"}
    )
    assert started.status_code == 202
    assert started.headers["location"] == f"{server.http.base_url}/v1.0/workflows/{one}".replace(
        "//v1.0", "/v1.0"
    )
    again = await post(server, f"{one}/start", {"n": 2})
    assert again.status_code == 409
    assert again.json()["errorCode"] == "ERR_INSTANCE_ID_ALREADY_EXISTS"
    assert (await post(server, f"{one}/suspend")).status_code == 200
    view = (await server.http.get(f"/v1.0/workflows/{one}")).json()
    assert (view["runtimeStatus"], view["workflowComponent"]) == ("SUSPENDED", "away")
    assert view["tags"] == {"city": "Oslo", "a": "b"}
    assert view["properties"]["searchAttributes"]["city"] == "Oslo"
    assert view["properties"]["taskQueue"] == queue
    assert view["appID"] == "perdure"
    assert (await post(server, f"{one}/resume")).status_code == 200
    async with temporal_workflows.working(cluster.hostport, queue):
        assert (await post(server, f"{one}/raiseEvent/go", [1, 2])).status_code == 202
        done = await server.http.get(f"/v1.0/workflows/{one}", headers={"Prefer": "wait=30"})
    assert (done.status_code, done.json()["output"]) == (200, [1, 2])
    page = (await server.http.get(f"/v1.0/workflows/{one}/history")).json()
    assert page["events"][0]["type"] == "ExecutionStarted"
    assert page["events"][-1]["status"] == "COMPLETED"
    # It is at the cluster, and not here.
    assert (await server.http.get("/v1.0/workflows")).json() == {"instances": []}
    wrong = await server.http.get(f"/v1.0/workflows/echoes/{queue}-a")
    assert wrong.status_code == 404
    finished = await post(server, f"{one}/terminate")
    assert finished.status_code == 409


async def test_a_component_named_in_the_query(server: Running, queue: str) -> None:
    path = f"works/{queue}-b"
    started = await post(
        server, f"{path}/start", 1, params={"component": "away", "option.taskQueue": "elsewhere"}
    )
    assert started.status_code == 202
    assert started.headers["location"].endswith(f"/{path}?component=away")
    view = (await server.http.get(started.headers["location"])).json()
    assert view["properties"]["taskQueue"] == "elsewhere"
    assert (await server.http.get(f"/v1.0/workflows/{path}")).status_code == 404
    listed = await server.http.get(
        "/v1.0/workflows", params={"component": "away", "idPrefix": f"{queue}-b"}
    )
    assert listed.status_code == 200
    sorted_ = await server.http.get(
        "/v1.0/workflows", params={"component": "away", "sort": "createdAt"}
    )
    assert sorted_.status_code == 400
    query = {"filter": {"EQ": {"instanceID": f"{queue}-b"}}}
    found = await server.http.post(
        "/v1.0/workflows/query", params={"component": "away"}, json=query
    )
    assert [each["workflowName"] for each in found.json()["instances"]] == ["works"]
    unknown = await server.http.get("/v1.0/workflows", params={"component": "nowhere"})
    assert unknown.status_code == 400
    assert unknown.json()["errorCode"] == "ERR_WORKFLOW_COMPONENT_NOT_FOUND"
    bad = await post(server, f"{path}2/start", params={"component": "away", "option.x": "1"})
    assert bad.status_code == 400
    assert "there is no option 'x'" in bad.json()["message"]
    gone = await server.http.delete(
        f"/v1.0/workflows/{path}", params={"component": "away", "force": "true"}
    )
    assert gone.status_code in {200, 202}


async def test_the_released_form(server: Running, cluster: Cluster, queue: str) -> None:
    params = {"instanceID": f"{queue}-c", "option.taskQueue": queue}
    started = await post(server, "away/works/start", "x", params=params)
    assert (started.status_code, started.json()) == (202, {"instanceID": f"{queue}-c"})
    async with temporal_workflows.working(cluster.hostport, queue):
        await server.http.get(
            f"/v1.0/workflows/works/{queue}-c",
            params={"component": "away"},
            headers={"Prefer": "wait=30"},
        )
    state = (await server.http.get(f"/v1.0-beta1/workflows/away/{queue}-c")).json()
    assert state["runtimeStatus"] == "COMPLETED"
    assert state["properties"]["dapr.workflow.output"] == '"x"'
    assert state["properties"]["taskQueue"] == queue
    assert isinstance(state["properties"]["searchAttributes"], str)
    for verb in ("pause", "resume", "terminate"):
        assert (await post(server, f"away/{queue}-c/{verb}")).status_code == 202
    assert (await post(server, f"away/{queue}-c/purge")).status_code == 202
    assert (await post(server, f"away/{queue}-nobody/purge")).status_code == 404


async def ask(server: Running, method: str, request: Any) -> bytes:
    unary: Unary = server.channel.unary_unary(f"/dapr.proto.runtime.v1.Dapr/{method}")
    answer: bytes = await unary(request.SerializeToString(), timeout=30)
    return answer


async def test_grpc(server: Running, queue: str) -> None:
    start = pb.StartWorkflowRequest(
        instance_id=f"{queue}-d",
        workflow_component="away",
        workflow_name="waits",
        options={"task_queue": "elsewhere"},
        input=b'{"a": 1}',
    )
    await ask(server, "StartWorkflowBeta1", start)
    one = pb.InstanceRequest(instance_id=f"{queue}-d", workflow_component="away")
    state = pb.GetWorkflowResponse.FromString(await ask(server, "GetWorkflowBeta1", one))
    assert state.properties["taskQueue"] == "elsewhere"
    assert state.properties["dapr.workflow.input"] == '{"a": 1}'
    await ask(server, "PauseWorkflow", one)
    state = pb.GetWorkflowResponse.FromString(await ask(server, "GetWorkflow", one))
    assert state.runtime_status == "SUSPENDED"
    await ask(server, "TerminateWorkflowAlpha1", one)
    start.options["queue"] = "x"
    with pytest.raises(grpc.aio.AioRpcError) as wrong:
        await ask(server, "StartWorkflow", start)
    assert wrong.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_several_clusters(tmp_path: Path, cluster: Cluster, queue: str) -> None:
    other = component_file(tmp_path, cluster, taskQueue=queue).read_text()
    nowhere = Cluster(tmp_path)
    text = other.replace("name: away", "name: second").replace("echoes, waits", "fails")
    (tmp_path / "second.yaml").write_text(text)
    text = other.replace("name: away", "name: third").replace("echoes, waits", "works")
    (tmp_path / "third.yaml").write_text(text.replace(cluster.hostport, nowhere.hostport))
    async with running(tmp_path, flags={"resources_path": [str(tmp_path)]}) as server:
        for workflow, name in (("echoes", "away"), ("fails", "second")):
            path = f"{workflow}/{queue}-{name}"
            assert (await post(server, f"{path}/start")).status_code == 202
            view = (await server.http.get(f"/v1.0/workflows/{path}")).json()
            assert view["workflowComponent"] == name
        # One that is away is no trouble of the others.
        assert (await post(server, "works/a/start")).status_code == 503
        told = (await server.http.get("/v1.0/metadata")).json()
        assert {each["name"] for each in told["components"]} == {"dapr", "away", "second", "third"}
        assert list(told["extended"]) == ["component.third.trouble", "daprRuntimeVersion"]


MESSAGES = """
apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: messages
spec:
  type: pubsub.in-memory
  version: v1
---
apiVersion: perdure.io/v1alpha1
kind: WorkflowTrigger
metadata:
  name: new-orders
spec:
  source: {pubsub: messages, topic: orders}
  action: start
  component: away
  workflow: echoes
  instanceID: data.id
  tags:
    city: data.city
"""


async def test_a_message_starts_a_workflow_there(
    tmp_path: Path, cluster: Cluster, queue: str
) -> None:
    (tmp_path / "messages.yaml").write_text(MESSAGES)
    component_file(tmp_path, cluster, taskQueue=queue)
    message = {"id": f"{queue}-e", "city": "Oslo"}
    async with (
        temporal_workflows.working(cluster.hostport, queue),
        running(tmp_path, flags={"resources_path": [str(tmp_path)]}) as server,
    ):
        sent = await server.http.post("/v1.0/publish/messages/orders", json=message)
        assert sent.status_code == 204
        done = await until(
            lambda: server.http.get(
                f"/v1.0/workflows/echoes/{queue}-e", headers={"Prefer": "wait=1"}
            ),
            lambda answer: answer.status_code == 200,
        )
    assert done.json()["output"] == message
    assert done.json()["tags"]["city"] == "Oslo"


async def test_a_cluster_that_is_away(tmp_path: Path, queue: str) -> None:
    cluster = Cluster(tmp_path, {"frontend.WorkflowPauseEnabled": "false"})
    # The server starts, and does everything else.
    async with serving(tmp_path, cluster, taskQueue=queue) as server:
        assert (await server.http.get("/v1.0/healthz")).status_code == 204
        assert (await post(server, "other/a/start")).status_code == 202
        answer = await post(server, "waits/a/start")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert answer.json()["errorCode"] == "ERR_START_WORKFLOW"
        assert "is away" in answer.json()["message"]
        state = await server.http.get("/v1.0/workflows/away/a")
        assert (state.status_code, state.json()["errorCode"]) == (503, "ERR_GET_WORKFLOW")
        one = pb.InstanceRequest(instance_id="a", workflow_component="away")
        with pytest.raises(grpc.aio.AioRpcError) as gone:
            await ask(server, "GetWorkflow", one)
        assert gone.value.code() is grpc.StatusCode.UNAVAILABLE
        told = (await server.http.get("/v1.0/metadata")).json()
        assert "is away" in told["extended"]["component.away.trouble"]
        assert 'perdure_component_answers{component="away"} 0.0' in await server.page()
        types = {each["name"]: each["type"] for each in told["components"]}
        assert types == {"away": "workflow.temporal", "dapr": "workflow.dapr"}
        await asyncio.to_thread(cluster.start)
        try:
            assert (await post(server, "waits/a/start")).status_code == 202
            told = (await server.http.get("/v1.0/metadata")).json()
            assert "component.away.trouble" not in told["extended"]
            assert 'perdure_component_answers{component="away"} 1.0' in await server.page()
            # What this one cannot do is neither the caller's fault nor the server's.
            refused = await post(server, "waits/a/suspend")
            assert (refused.status_code, refused.json()["errorCode"]) == (501, "ERR_PAUSE_WORKFLOW")
            paused = await post(server, "away/a/pause")
            assert paused.status_code == 501
            with pytest.raises(grpc.aio.AioRpcError) as unable:
                await ask(server, "PauseWorkflow", one)
            assert unable.value.code() is grpc.StatusCode.UNIMPLEMENTED
        finally:
            await asyncio.to_thread(cluster.stop)
