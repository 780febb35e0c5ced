"""Two apps behind one server: work runs at the worker of the app that it is meant for."""

import pytest

from tests.e2e import catalogue
from tests.e2e.conftest import Hire
from tests.e2e.serving import Server
from tests.e2e.venvs import Environment

pytestmark = pytest.mark.timeout(400)

EACH_DAPR_SDK = pytest.mark.parametrize(
    "sdk", [pytest.param(sdk, id=sdk.name) for sdk in catalogue.DAPR]
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
