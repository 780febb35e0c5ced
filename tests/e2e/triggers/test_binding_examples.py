"""The document's two examples as they stand in `examples/`: a tweet, and a Deployment."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import venvs
from tests.e2e.programs import Program
from tests.e2e.serving import Server
from tests.e2e.triggers.instances import dead_letters, instance_ids
from tests.e2e.triggers.services import Deployments, Tweets, offered
from tests.e2e.venvs import REPOSITORY

pytestmark = pytest.mark.timeout(400)

TWEET = 1_950_000_000_000_000_000


@contextmanager
def running(
    sample: str, resources: Path, folder: Path, environment: Mapping[str, str]
) -> Iterator[Server]:
    """Run a sample's server and its worker."""
    server = Server.in_folder(folder, "--resources-path", str(resources))
    server = replace(server, app_id=sample, environment=environment)
    worker: Program | None = None
    try:
        server.start()
        worker = Program(
            [str(venvs.ensure(venvs.DAPR_1_18)), str(REPOSITORY / "examples" / sample / "app.py")],
            log=folder / "worker.log",
            folder=folder,
            environment=server.worker_environment,
        )
        yield server
    finally:
        if worker is not None:
            worker.kill()
        server.close()


def finished(server: Server, workflow: str, instance_id: str) -> dict[str, Any]:
    """Wait until there is such an instance, and until it has completed."""
    path = f"/v1.0/workflows/{workflow}/{instance_id}"
    for _ in range(20):
        answer = server.request("GET", path, headers={"Prefer": "wait=2"})
        if answer.status == 200 and answer.json()["runtimeStatus"] == "COMPLETED":
            break
    state: dict[str, Any] = answer.json()
    assert state.get("runtimeStatus") == "COMPLETED", (state, server.log.read_text()[-2_000:])
    return state


def test_a_tweet_of_an_account_starts_a_workflow_under_its_id(tmp_path: Path) -> None:
    x = Tweets()
    with offered(x):
        resources = tmp_path / "resources"
        shutil.copytree(REPOSITORY / "examples" / "tweets" / "resources", resources)
        # As written, but for where the API is.
        component = resources / "tweets.yaml"
        endpoint = f'  metadata:\n    - name: endpoint\n      value: "{x.url}"\n'
        assert "  metadata:\n" in component.read_text()
        component.write_text(component.read_text().replace("  metadata:\n", endpoint, 1))
        keys = {"X_CONSUMER_KEY": "key", "X_CONSUMER_SECRET": "secret"}
        with running("tweets", resources, tmp_path, keys) as server:
            x.wait_for_stream()
            assert x.key_was_shown
            assert [rule["value"] for rule in x.rules] == ["from:daprdev"]
            x.post(TWEET, "durable workflows, at last")
            state = finished(server, "tweet_posted", str(TWEET))
            assert state["output"] == {"tweet": str(TWEET), "words": 4}
            # What is posted while the server is dead is found, and nothing comes twice.
            server.kill()
            x.post(TWEET + 1, "while nobody was there")
            server.start()
            x.wait_for_stream(2)
            finished(server, "tweet_posted", str(TWEET + 1))
            x.post(TWEET + 2, "hello again")
            finished(server, "tweet_posted", str(TWEET + 2))
            assert sorted(instance_ids(server)) == [str(TWEET + n) for n in range(3)]
            assert not dead_letters(server, "tweet-posted")


def test_a_deployment_that_is_created_starts_a_workflow_under_its_name(tmp_path: Path) -> None:
    cluster = Deployments()
    with offered(cluster):
        kubeconfig = tmp_path / "kubeconfig"
        cluster.write_kubeconfig(kubeconfig)
        resources = REPOSITORY / "examples" / "deployments" / "resources"
        environment = {"KUBECONFIG": str(kubeconfig)}
        with running("deployments", resources, tmp_path, environment) as server:
            cluster.wait_for_stream()
            cluster.create("web", 7, "nginx:1.29")
            state = finished(server, "deployment_created", "web")
            assert state["output"] == {
                "deployment": "web",
                "images": ["nginx:1.29"],
                "pinned": True,
            }
            server.kill()
            cluster.create("api", 9, "api:latest")
            server.start()
            state = finished(server, "deployment_created", "api")
            assert state["output"]["pinned"] is False
            assert sorted(instance_ids(server)) == ["api", "web"]
            assert not dead_letters(server, "deployment-created")
