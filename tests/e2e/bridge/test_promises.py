"""What a server promises, the bridge promises: the same applications, on a Temporal cluster.

The workers are those of the embedded engine's tests, unmodified; only the port that they are told
is another server's.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e import test_changing_code as changing_code
from tests.e2e import test_interruptions as interruptions
from tests.e2e import test_two_apps as two_apps
from tests.e2e import test_workers as workers
from tests.e2e import venvs
from tests.e2e.bridge.bridging import BridgeProcess
from tests.e2e.bridge.replaying import replay_all
from tests.e2e.catalogue import AFTERWARDS, cases_of
from tests.e2e.conftest import SILENT, Hire, try_cases
from tests.e2e.programs import Line, tail
from tests.e2e.serving import Server
from tests.e2e.venvs import Environment
from tests.kit.cluster import Cluster

pytestmark = pytest.mark.timeout(400)

SDK = venvs.DAPR_1_18
SDKS = (venvs.DAPR_1_18, venvs.DAPR_1_19, venvs.DURABLETASK_1_12)

# In the words of docs/bridge.md.
EXCEPTIONS = frozenset(
    {
        # A listing is of Temporal's runs, in an order that changes as they end.
        "instances_are_listed_page_by_page",
    }
)
CASES_DEADLINE_S = 250.0
REPLAYED = "every_history_replays"

PROMISES = [
    pytest.param(sdk, case, id=f"{sdk.name}-{case}")
    for sdk in SDKS
    for case in (*cases_of(sdk), AFTERWARDS, REPLAYED)
    if case not in EXCEPTIONS
]

OutcomeOf = Callable[[Environment, str], Line]


@pytest.fixture(scope="session")
def outcome_of(tmp_path_factory: pytest.TempPathFactory) -> OutcomeOf:
    """Tell what an SDK made of one of its cases; all its cases are run together, once a session."""
    known: dict[str, dict[str, Line]] = {}

    def outcome(sdk: Environment, case: str) -> Line:
        if sdk.name not in known:
            known[sdk.name] = _run_cases(sdk, tmp_path_factory.mktemp(f"bridge-{sdk.name}"))
        return known[sdk.name].get(case, SILENT)

    return outcome


def _run_cases(sdk: Environment, folder: Path) -> dict[str, Line]:
    cluster = Cluster(folder, keeps=False)
    cluster.start()
    bridge = BridgeProcess.before(cluster, folder)
    try:
        cases = [case for case in cases_of(sdk) if case not in EXCEPTIONS]
        told, _metrics, exit_code = try_cases(sdk, cases, bridge, folder, CASES_DEADLINE_S)
        count, unlike = asyncio.run(replay_all(cluster.hostport))
    finally:
        cluster.stop()
    log = bridge.log.read_text()
    problems = [line for line in log.splitlines() if " ERROR " in line or "Traceback" in line]
    if exit_code != 0:
        problems.append(f"the bridge ended with {exit_code}")
    told[AFTERWARDS] = {"ok": not problems, "detail": "\n".join(problems)}
    told[REPLAYED] = {"ok": count > 100 and not unlike, "detail": "\n".join([str(count), *unlike])}
    troubles = f"worker:\n{tail(folder / 'worker.log')}\nbridge:\n{tail(bridge.log)}"
    return {
        case: line if line["ok"] else {**line, "detail": f"{line['detail']}\n{troubles}"}
        for case, line in told.items()
    }


@pytest.mark.parametrize(("sdk", "case"), PROMISES)
def test_promise(sdk: Environment, case: str, outcome_of: OutcomeOf) -> None:
    outcome = outcome_of(sdk, case)
    if not outcome["ok"]:
        pytest.fail(outcome["detail"], pytrace=False)


WITH_SDK = [
    changing_code.test_a_patch_is_kept_by_the_workflow_that_took_it,
    changing_code.test_a_worker_without_the_patch_stalls_the_workflow_until_one_with_it_comes,
    changing_code.test_a_worker_without_the_version_stalls_the_workflow_until_one_with_it_comes,
    changing_code.test_a_stalled_workflow_refuses_events_and_can_be_terminated,
    two_apps.test_work_for_another_app_waits_for_that_app,
]


@pytest.mark.parametrize("promise", WITH_SDK)
def test_code_that_changes(
    promise: Callable[[Environment, Server, Hire], None], server: BridgeProcess, hire: Hire
) -> None:
    promise(SDK, server, hire)


def test_an_activity_whose_worker_was_killed_runs_on_another(
    server: BridgeProcess, hire: Hire, tmp_path: Path
) -> None:
    interruptions.test_an_activity_whose_worker_was_killed_runs_on_another(
        SDK, server, hire, tmp_path
    )


@pytest.mark.parametrize("go_down", [interruptions.stop, interruptions.kill])
def test_a_workflow_goes_on_when_its_bridge_comes_back(
    go_down: Callable[[Server], None], server: BridgeProcess, hire: Hire, tmp_path: Path
) -> None:
    interruptions.test_a_workflow_goes_on_when_its_server_comes_back(
        SDK, go_down, server, hire, tmp_path
    )


def test_a_workflow_begun_without_a_worker_waits_for_one(server: BridgeProcess, hire: Hire) -> None:
    workers.test_a_workflow_begun_without_a_worker_waits_for_one(SDK, server, hire)


def test_what_comes_while_no_worker_is_there_is_kept(
    server: BridgeProcess, hire: Hire, tmp_path: Path
) -> None:
    workers.test_what_comes_while_no_worker_is_there_is_kept(SDK, server, hire, tmp_path)


def test_two_workers_of_one_app_share_its_work(server: BridgeProcess, hire: Hire) -> None:
    workers.test_two_workers_of_one_app_share_its_work(SDK, server, hire)
