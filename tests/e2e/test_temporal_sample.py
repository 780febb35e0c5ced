"""The sample in `examples/temporal`: a Temporal worker whose workflows our API drives alone."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.cli.calling import Caller
from tests.e2e.programs import Program
from tests.e2e.serving import Server
from tests.e2e.test_samples import ORDER, ended, said, start, tell
from tests.e2e.venvs import REPOSITORY
from tests.kit.cluster import Cluster

SAMPLE = REPOSITORY / "examples" / "temporal"
WORKFLOW = "order_processing"

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("temporal"))
    cluster.start()
    try:
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture(scope="module")
def server(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Perdure with the sample's component file, save for the cluster's port."""
    folder = tmp_path_factory.mktemp("perdure")
    text = (SAMPLE / "resources" / "cluster.yaml").read_text("utf-8")
    assert "localhost:7233" in text
    (folder / "cluster.yaml").write_text(text.replace("localhost:7233", cluster.hostport))
    server = Server.in_folder(folder, "--resources-path", str(folder / "cluster.yaml"))
    server.start()
    try:
        yield server
    finally:
        server.kill()


@pytest.fixture(scope="module")
def worker(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    folder = tmp_path_factory.mktemp("worker")
    worker = Program(
        [sys.executable, str(SAMPLE / "worker.py")],
        log=folder / "worker.log",
        folder=folder,
        environment={"TEMPORAL_ADDRESS": cluster.hostport},
    )
    try:
        said(worker, "ready")
        yield worker
    finally:
        worker.kill()


def test_an_order_is_approved_and_shipped(server: Server, worker: Program) -> None:
    start(server, WORKFLOW, "order-1", ORDER)
    said(worker, "[order-1] reserved loom (2)")
    state = waiting(server, "order-1")
    assert state["customStatus"] == "waiting for approval of 1400"
    tell(server, WORKFLOW, "order-1", "approval", {"approved": True, "by": "Charles"})
    state = ended(server, WORKFLOW, "order-1")
    assert (state["runtimeStatus"], state["customStatus"]) == ("COMPLETED", "done")
    assert state["output"]["payment"] == "payment-order-1"
    assert state["output"]["carrier"] == "by train"
    assert state["properties"]["taskQueue"] == "orders"
    child = ended(server, "shipping", "order-1-shipping")
    assert child["parentInstanceID"] == "order-1"
    assert child["output"]["tracking"] == state["output"]["tracking"]


def waiting(server: Server, instance_id: str) -> dict[str, Any]:
    """The order once it waits for an approval, looked at as its history goes on."""
    path = f"/v1.0/workflows/{WORKFLOW}/{instance_id}"
    headers = {"Prefer": "wait=1"}
    for _ in range(60):
        state: dict[str, Any] = server.request("GET", path, headers=headers).json()
        if "waiting" in str(state.get("customStatus")):
            return state
    raise AssertionError(state)


def test_an_order_that_is_refused_is_undone(server: Server, worker: Program) -> None:
    start(server, WORKFLOW, "order-2", ORDER)
    tell(server, WORKFLOW, "order-2", "approval", {"approved": False, "by": "Charles"})
    state = ended(server, WORKFLOW, "order-2")
    assert state["runtimeStatus"] == "FAILED"
    assert state["failure"]["type"] == "OrderCancelledError"
    assert "Charles did not approve it" in state["failure"]["message"]
    said(worker, "[order-2] released loom (2)")
    assert not [line for line in worker.lines if "[order-2] took" in line.get("text", "")]


def test_an_order_that_cannot_be_delivered_is_undone(server: Server, worker: Program) -> None:
    start(server, WORKFLOW, "order-3", {**ORDER, "price": 10, "city": "Atlantis"})
    state = ended(server, WORKFLOW, "order-3")
    assert (state["runtimeStatus"], state["customStatus"]) == ("FAILED", "undone")
    assert "nobody delivers to Atlantis" in state["failure"]["message"]
    said(worker, "[order-3] gave Ada their money back")
    activities = server.request("GET", f"/v1.0/workflows/{WORKFLOW}/order-3/activities").json()
    names = [each["name"] for each in activities["activities"]]
    assert names == ["reserve_stock", "take_payment", "refund_payment", "release_stock", "notify"]
    assert activities["activities"][0]["attempts"] == 2


def test_an_order_is_suspended_and_ended_by_hand(server: Server, worker: Program) -> None:
    start(server, WORKFLOW, "order-4", ORDER)
    said(worker, "[order-4] reserved loom (2)")
    path = f"/v1.0/workflows/{WORKFLOW}/order-4"
    assert server.request("POST", f"{path}/suspend").status == 200
    assert server.request("GET", path).json()["runtimeStatus"] == "SUSPENDED"
    assert server.request("POST", f"{path}/resume").status == 200
    over = json.dumps("out of stock")
    assert server.request("POST", f"{path}/terminate", over).status == 200
    state = server.request("GET", path).json()
    assert (state["runtimeStatus"], state["output"]) == ("TERMINATED", "out of stock")


def test_the_command_line(server: Server, worker: Program, tmp_path: Path) -> None:
    caller = Caller(tmp_path, {"DAPR_HTTP_PORT": str(server.http_port)})
    at = ("--component", "cluster")
    order = json.dumps({**ORDER, "price": 10})
    told = caller.workflow(
        "start", WORKFLOW, "--id", "order-5", "-i", order, "--wait", "--json", *at
    )
    assert json.loads(told)["output"]["carrier"] == "by train"
    shown = caller.workflow("get", "order-5", *at)
    for part in ("COMPLETED", "taskQueue", "orders", "custom status", "done"):
        assert part in shown
    assert "activity completed" in caller.workflow("history", "order-5", *at)
    assert "order-5" in caller.workflow("list", "--id-prefix", "order-5", *at)
    said(worker, "[order-5] wrote to the customer: Order order-5 is on its way.")
    # The embedded engine knows nothing of it, and what is mapped needs no component to be started.
    assert "no workflow" in caller.trouble("get", "order-5", code=3)
    caller.workflow("start", WORKFLOW, "--id", "order-6", "-i", json.dumps(ORDER))
    caller.workflow("suspend", "order-6", *at)
    assert "SUSPENDED" in caller.workflow("get", "order-6", *at)
    caller.workflow("resume", "order-6", *at)
    caller.workflow("terminate", "order-6", "--output", '"enough"', *at)
    assert caller.read("get", "order-6", *at)["output"] == "enough"
    assert caller.workflow("purge", "order-6", *at).startswith("order-6 ")
    events = caller.read("history", "order-5", *at)["events"]
    packed = next(event for event in events if event["type"] == "TimerCreated")
    assert caller.workflow("rerun", "order-5", "--from", str(packed["eventID"]), *at) == "order-5\n"
    caller.workflow("watch", "order-5", *at)
    trouble = caller.trouble("rerun", "order-5", "--from", "3", "--id", "other", *at, code=1)
    assert "under its own id" in trouble
    unknown = caller.trouble("start", WORKFLOW, "--option", "queue=x", code=2)
    assert "there is no option 'queue'" in unknown
