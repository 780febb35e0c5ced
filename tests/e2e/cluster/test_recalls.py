"""Several servers: a worker hears that nobody wants its activity, whichever of them was asked."""

import sys
from pathlib import Path

import httpx
import pytest

from tests.e2e.cluster.nodes import Cluster
from tests.e2e.programs import Program
from tests.e2e.serving import HOST
from tests.e2e.venvs import REPOSITORY

DEADLINE_S = 60.0


@pytest.mark.timeout(200)
def test_an_activity_is_cancelled_whichever_server_ends_its_workflow(tmp_path: Path) -> None:
    """The workflow's worker is at one server, that of another app's activity at the other."""
    cluster = Cluster(tmp_path, 2)
    programs: list[Program] = []
    try:
        apps = ("wfapp", "bank")
        for node, app_id in zip(cluster.nodes, apps, strict=True):
            node.server.app_id = app_id
        cluster.start()
        for node, app_id in zip(cluster.nodes, apps, strict=True):
            program = Program(
                [sys.executable, "-m", "tests.e2e.workers.recalled"],
                log=tmp_path / f"{app_id}.log",
                folder=REPOSITORY,
                environment=node.worker_environment,
            )
            programs.append(program)
        for program in programs:
            program.wait_for(DEADLINE_S, ready=True)
        with httpx.Client(trust_env=False, timeout=30) as client:
            for app_id, program in zip(apps, programs, strict=True):
                for node in cluster.nodes:
                    instance_id = f"{app_id}-{node.name}"
                    path = f"http://{HOST}:{node.server.http_port}/v1.0/workflows/dapr"
                    start = f"{path}/calls/start?instanceID={instance_id}&appID=wfapp"
                    assert client.post(start, json=app_id).is_success
                    program.wait_for(DEADLINE_S, began=instance_id)
                    end = f"{path}/{instance_id}/terminate?appID=wfapp"
                    assert client.post(end).is_success
                    program.wait_for(DEADLINE_S, cancelled=instance_id)
    finally:
        for program in programs:
            program.kill()
        cluster.close()
