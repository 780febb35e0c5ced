"""`bindings.kubernetes` against a real API server: its watches, its bookmarks, its `410 Gone`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.kubernetes import api_server
from tests.e2e.kubernetes.api_server import Cluster
from tests.e2e.polling import until
from tests.e2e.serving import Server
from tests.e2e.triggers.instances import dead_letters, instance_ids

# The first test builds the API server.
pytestmark = pytest.mark.timeout(2_000)

DEADLINE_S = 60.0
RESOURCES = """\
apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: deployments
spec:
  type: bindings.kubernetes
  version: v1
  metadata:
  - name: namespace
    value: default
  - name: kind
    value: Deployment
---
apiVersion: perdure.io/v1alpha1
kind: WorkflowTrigger
metadata:
  name: created
spec:
  source:
    binding: deployments
  match: event.data.event == "add"
  action: start
  workflow: deployed
  onExisting: reject
---
apiVersion: perdure.io/v1alpha1
kind: WorkflowTrigger
metadata:
  name: gone
spec:
  source:
    binding: deployments
  match: event.data.event == "delete"
  action: terminate
  instanceID: event.data.oldVal.metadata.name
"""


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    api_server.build_it()
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        yield cluster.start()
    finally:
        cluster.close()


@pytest.fixture
def server(cluster: Cluster, tmp_path: Path) -> Iterator[Server]:
    place = tmp_path / "resources"
    place.mkdir()
    (place / "all.yaml").write_text(RESOURCES)
    server = Server.in_folder(tmp_path, "--resources-path", str(place))
    server.environment = {"KUBECONFIG": str(cluster.kubeconfig)}
    try:
        yield server.start()
    finally:
        server.close()


def await_instances(server: Server, *names: str) -> None:
    until(
        lambda: sorted(instance_ids(server)),
        lambda found: found == sorted(names),
        deadline_s=DEADLINE_S,
        what=f"there have to be the instances {names}, see {server.log}",
    )


def test_deployments_start_and_end_workflows_whatever_goes_down(
    cluster: Cluster, server: Server
) -> None:
    cluster.create("web")
    await_instances(server, "web")
    cluster.scale("web", 2)
    cluster.create("api")
    await_instances(server, "api", "web")

    # The server dies: what happens meanwhile is in the watch that it opens at its place.
    server.kill()
    cluster.scale("api", 2)
    cluster.create("meanwhile")
    server.start()
    await_instances(server, "api", "meanwhile", "web")

    # The server dies, and the API server forgets: the place is too old.
    server.kill()
    cluster.scale("meanwhile", 3)
    cluster.create("forgotten")
    cluster.kill_server()
    cluster.compact()
    cluster.start_server()
    server.start()
    await_instances(server, "api", "forgotten", "meanwhile", "web")
    assert "a place is too old" in server.log.read_text()

    # The API server dies, while this one goes on.
    cluster.kill_server()
    cluster.start_server()
    cluster.create("again")
    await_instances(server, "again", "api", "forgotten", "meanwhile", "web")
    assert server.request("GET", "/v1.0/healthz").status == 204

    cluster.delete("web")
    server.await_status("web", "TERMINATED")
    assert not dead_letters(server, "created")
    assert not dead_letters(server, "gone")


def test_the_source_says_how_it_is_doing(cluster: Cluster, server: Server) -> None:
    def source() -> dict[str, object]:
        answer = server.request("GET", "/v1.0/triggers").json()
        found: dict[str, object] = answer["triggers"][0]["source"]
        return found

    cluster.create("web")
    await_instances(server, "web")
    assert source()["connected"] is True
    cluster.kill_server()
    until(
        source,
        lambda seen: not seen["connected"],
        deadline_s=DEADLINE_S,
        what="the source has to notice that the API server is gone",
    )
    assert source()["trouble"]
