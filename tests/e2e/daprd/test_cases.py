"""The cases of the SDK at Dapr's own sidecar: with Dapr's package, and with ours in its place.

What a case asks for and the sidecar does otherwise is told below. So these tests hold three things
together: our module works at a real sidecar, the cases ask for what Dapr promises, and where
perdure promises more, that is known.
"""

import sys
from pathlib import Path

import pytest

from tests.e2e import venvs
from tests.e2e.catalogue import cases_of
from tests.e2e.conftest import SILENT, module_of
from tests.e2e.daprd.sidecar import Sidecar
from tests.e2e.programs import Line, Program
from tests.e2e.venvs import REPOSITORY, Environment

pytestmark = pytest.mark.timeout(400)

CASES_DEADLINE_S = 150.0
# With one sidecar for each app, a second app beside it takes the work of the first.
NEEDS_ANOTHER_SIDECAR = "a_client_starts_and_tells_a_workflow_of_another_app"
ALWAYS_OTHERWISE = {
    "an_event_neither_hastens_a_scheduled_start_nor_is_lost": "an event starts it at once",
    "a_scheduled_workflow_can_be_terminated": "terminating starts it, and it may complete",
}
OTHERWISE_WITH_DAPRS_SDK = {
    "resuming_what_is_not_suspended_changes_nothing": "the SDK does not know the event and fails",
}
# Some of these race with the sidecar's own clean-up, some with its lock on the SQLite file.
AT_TIMES_OTHERWISE = {
    "a_timer_fires_when_it_is_due": "it may be some microseconds early",
    "a_child_returns_its_result": "a parent has its child's result before the child has ended",
    "purging_a_parent_purges_its_children": "the same",
    "purging_a_parent_alone_spares_its_children": "the same",
    "a_result_of_an_earlier_round_resolves_nothing": "a late result is taken for the new one's",
    "a_late_result_of_a_terminated_workflow_is_dropped": "the same, or the id is refused",
    "instances_are_listed_page_by_page": "ids with `||` are taken apart wrongly",
}
SQLITE_IS_BUSY = "database is locked"
SDKS = (venvs.DAPR_1_18, venvs.DAPR_1_19, venvs.PERDURE)


def _cases(sdk: Environment) -> tuple[str, ...]:
    generation = venvs.DAPR_1_19 if sdk is venvs.PERDURE else sdk
    return tuple(case for case in cases_of(generation) if case != NEEDS_ANOTHER_SIDECAR)


@pytest.fixture(scope="module")
def known() -> dict[str, dict[str, Line]]:
    return {}


def _run(sdk: Environment, folder: Path) -> dict[str, Line]:
    sidecar = Sidecar(folder).start()
    python = str(sys.executable if sdk is venvs.PERDURE else venvs.ensure(sdk))
    try:
        program = Program(
            [python, "-m", f"{module_of(sdk)}.main", *_cases(sdk)],
            log=folder / "worker.log",
            folder=REPOSITORY,
            environment=sidecar.worker_environment,
        )
        try:
            program.wait_until(
                lambda lines: [line for line in lines if "finished" in line], CASES_DEADLINE_S
            )
        finally:
            program.kill()
    finally:
        sidecar.close()
    told = {line["case"]: line for line in program.lines if "case" in line}
    return {case: told.get(case, SILENT) for case in _cases(sdk)}


@pytest.mark.parametrize(
    ("sdk", "case"),
    [pytest.param(sdk, case, id=f"{sdk.name}-{case}") for sdk in SDKS for case in _cases(sdk)],
)
def test_case(
    sdk: Environment,
    case: str,
    known: dict[str, dict[str, Line]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    if sdk.name not in known:
        known[sdk.name] = _run(sdk, tmp_path_factory.mktemp(sdk.name))
    outcome = known[sdk.name][case]
    otherwise = ALWAYS_OTHERWISE | (OTHERWISE_WITH_DAPRS_SDK if sdk is not venvs.PERDURE else {})
    if case in otherwise:
        assert not outcome["ok"], f"the sidecar does as perdure does, no longer: {otherwise[case]}"
    elif not (outcome["ok"] or case in AT_TIMES_OTHERWISE or SQLITE_IS_BUSY in outcome["detail"]):
        pytest.fail(outcome["detail"], pytrace=False)
