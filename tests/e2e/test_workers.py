"""Workers come late, come in numbers, and must know the token: what they see of the server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import venvs
from tests.e2e.conftest import Hire
from tests.e2e.serving import Server
from tests.e2e.venvs import Environment

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(params=[venvs.DAPR_1_18, venvs.PERDURE], ids=lambda each: each.name)
def sdk(request: pytest.FixtureRequest) -> Environment:
    environment: Environment = request.param
    return environment


def test_a_workflow_begun_without_a_worker_waits_for_one(
    sdk: Environment, server: Server, hire: Hire
) -> None:
    server.begin("leg", "early", "done")
    assert server.state("early")["runtimeStatus"] == "PENDING"
    hire(sdk, server, "steady")
    assert server.output("early") == "done"


def test_what_comes_while_no_worker_is_there_is_kept(
    sdk: Environment, server: Server, hire: Hire, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    gate.touch()
    server.begin("journey", "told-early", str(gate))
    server.raise_event("told-early", "go", "went")
    hire(sdk, server, "steady")
    assert server.output("told-early") == ["first", "held", "went", "child", "last"]


def test_two_workers_of_one_app_share_its_work(
    sdk: Environment, server: Server, hire: Hire
) -> None:
    workers = [hire(sdk, server, "steady"), hire(sdk, server, "steady")]
    instances = [f"shared-{number}" for number in range(60)]
    for instance_id in instances:
        server.begin("leg", instance_id, "done")
    for instance_id in instances:
        assert server.output(instance_id) == "done"
    runs = [[line["instance"] for line in worker.lines if "step" in line] for worker in workers]
    # Nobody does all of it, and nothing is done twice.
    assert all(runs)
    assert sorted(runs[0] + runs[1]) == sorted(instances)


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Server]:
    """A server that asks for a token."""
    server = Server.in_folder(tmp_path)
    server.environment = {"DAPR_API_TOKEN": "open sesame"}
    server.start()
    try:
        yield server
    finally:
        server.close()


def test_a_worker_with_the_token_works(sdk: Environment, guarded: Server, hire: Hire) -> None:
    hire(sdk, guarded, "steady")
    guarded.begin("leg", "guarded", "done")
    assert guarded.output("guarded") == "done"


def test_a_worker_without_the_token_is_given_nothing(
    sdk: Environment, guarded: Server, hire: Hire
) -> None:
    guarded.begin("leg", "guarded", "done")
    stranger = Server(guarded.store, guarded.log, guarded.http_port, guarded.grpc_port)
    thief = hire(sdk, stranger, "knocking")
    thief.wait_for(refused="UNAUTHENTICATED")
    assert guarded.state("guarded")["runtimeStatus"] == "PENDING"
    hire(sdk, guarded, "steady")
    assert guarded.output("guarded") == "done"
    assert thief.count(instance="guarded") == 0
