"""Two apps behind one server: work runs at the worker of the app that it is meant for."""

from pathlib import Path

import pytest

from tests.e2e import catalogue, venvs
from tests.e2e.conftest import Hire
from tests.e2e.serving import Server
from tests.e2e.venvs import Environment

pytestmark = pytest.mark.timeout(400)

EACH_DAPR_SDK = pytest.mark.parametrize(
    "sdk", [pytest.param(sdk, id=sdk.name) for sdk in (*catalogue.DAPR, venvs.PERDURE)]
)


@EACH_DAPR_SDK
def test_work_for_another_app_waits_for_that_app(
    sdk: Environment, server: Server, hire: Hire
) -> None:
    hire(sdk, server, "home")
    server.begin("traveller", "travels", "traveller")
    # The worker at home knows the same activity, and must not be given what is for the other.
    server.await_status("travels", "RUNNING")
    hire(sdk, server, "other")
    assert server.output("travels") == [
        "traveller asked home",
        "traveller asked other",
        "traveller asked other",
    ]


POLICY = """\
apiVersion: dapr.io/v1alpha1
kind: WorkflowAccessPolicy
metadata:
  name: gate
scopes: [other]
spec:
  rules:
  - callers:
    - appID: {caller}
    workflows:
    - name: abroad
      operations: [schedule]
    activities:
    - name: who*
"""


@EACH_DAPR_SDK
@pytest.mark.parametrize(("caller", "status"), [("wfapp", "COMPLETED"), ("third", "FAILED")])
def test_an_app_runs_what_the_policy_of_the_other_allows(
    sdk: Environment, tmp_path: Path, hire: Hire, caller: str, status: str
) -> None:
    (tmp_path / "policy.yaml").write_text(POLICY.format(caller=caller))
    server = Server.in_folder(tmp_path, "--resources-path", str(tmp_path))
    server.start()
    try:
        hire(sdk, server, "home")
        hire(sdk, server, "other")
        server.begin("traveller", "travels", "traveller")
        state = server.await_status("travels", status)
        text = "access denied by workflow access policy"
        assert (text in str(state)) is (status == "FAILED")
    finally:
        server.close()
