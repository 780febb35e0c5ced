"""Released Python SDKs, unmodified, against a real server: one test for each SDK and promise."""

import pytest

from tests.e2e import venvs
from tests.e2e.catalogue import AFTERWARDS, cases_of
from tests.e2e.conftest import OutcomeOf
from tests.e2e.venvs import Environment

# The first test of an SDK installs it, and waits until all its cases are run.
pytestmark = pytest.mark.timeout(400)

PROMISES = [
    pytest.param(sdk, case, id=f"{sdk.name}-{case}")
    for sdk in venvs.ALL.values()
    for case in (*cases_of(sdk), AFTERWARDS)
]


@pytest.mark.parametrize(("sdk", "case"), PROMISES)
def test_promise(sdk: Environment, case: str, outcome_of: OutcomeOf) -> None:
    outcome = outcome_of(sdk, case)
    if not outcome["ok"]:
        pytest.fail(outcome["detail"], pytrace=False)
