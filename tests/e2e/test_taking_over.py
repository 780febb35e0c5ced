"""A history begun with one SDK goes on with another: numbers of steps and ids are the same."""

from pathlib import Path

import pytest

from tests.e2e import venvs
from tests.e2e.conftest import Hire
from tests.e2e.serving import Server
from tests.e2e.test_interruptions import PASSED, begin_journey
from tests.e2e.venvs import Environment

pytestmark = pytest.mark.timeout(400)

PAIRS = [
    # It sets no timer for a wait without an end, and the others do.
    (venvs.DAPR_1_17, venvs.PERDURE),
    (venvs.DAPR_1_18, venvs.PERDURE),
    (venvs.DAPR_1_19, venvs.PERDURE),
    (venvs.PERDURE, venvs.DAPR_1_18),
    (venvs.PERDURE, venvs.DAPR_1_19),
]


@pytest.mark.parametrize(
    ("first", "second"), PAIRS, ids=[f"{one.name}-{other.name}" for one, other in PAIRS]
)
def test_a_workflow_goes_on_with_the_other(
    first: Environment, second: Environment, server: Server, hire: Hire, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    gate.touch()
    before = hire(first, server, "steady")
    instance_id = begin_journey(server, gate)
    server.await_state(
        instance_id,
        lambda state: state.get("properties", {}).get("dapr.workflow.custom_status") == "waiting",
    )
    before.kill()
    after = hire(second, server, "steady")
    server.raise_event(instance_id, "go", "went")
    assert server.output(instance_id) == PASSED
    assert after.count(step="first") == 0
    assert after.count(step="child") == after.count(step="last") == 1
