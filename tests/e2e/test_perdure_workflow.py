"""Applications of Dapr's SDK come to the same with `perdure.workflow` in its place."""

import sys
from pathlib import Path

import pytest

from tests.e2e import venvs
from tests.e2e.catalogue import cases_of
from tests.e2e.conftest import CASES_DEADLINE_S, SILENT
from tests.e2e.programs import Line, Program, tail
from tests.e2e.serving import Server
from tests.e2e.venvs import REPOSITORY
from tests.kit import postgres

# The first test of a place waits until all cases are run there.
pytestmark = pytest.mark.timeout(300)

ALL = cases_of(venvs.DAPR_1_19)
# An engine in a process has one app, and no others to call.
OF_OTHER_APPS = {"a_client_starts_and_tells_a_workflow_of_another_app"}
OWN = tuple(case for case in ALL if case not in OF_OTHER_APPS)
PLACES = {
    "in_process": OWN,
    "in_process_on_postgres": OWN,
    "at_a_server": ALL,
}


@pytest.fixture(scope="module")
def known() -> dict[str, dict[str, Line]]:
    return {}


def _in_process(folder: Path) -> dict[str, Line]:
    environment = {"PERDURE_STORE": str(folder / "store.db"), "APP_ID": "wfapp"}
    return _cases("in_process", folder, environment)


def _on_postgres(folder: Path) -> dict[str, Line]:
    with postgres.running() as database:
        environment = {"PERDURE_STORE": database.url, "APP_ID": "wfapp"}
        return _cases("in_process_on_postgres", folder, environment)


def _at_a_server(folder: Path) -> dict[str, Line]:
    server = Server.in_folder(folder)
    server.start()
    try:
        told = _cases("at_a_server", folder, server.worker_environment)
        assert server.stop() == 0
    finally:
        server.close()
    return told


RUN = {
    "in_process": _in_process,
    "in_process_on_postgres": _on_postgres,
    "at_a_server": _at_a_server,
}


def _cases(place: str, folder: Path, environment: dict[str, str]) -> dict[str, Line]:
    log = folder / "worker.log"
    program = Program(
        [sys.executable, "-m", "tests.e2e.workers.perdure_python.main", *PLACES[place]],
        log=log,
        folder=REPOSITORY,
        environment=environment,
    )
    try:
        program.wait_until(_finished, CASES_DEADLINE_S)
    finally:
        program.kill()
    told = {line["case"]: line for line in program.lines if "case" in line}
    return {
        case: line if line["ok"] else {**line, "detail": f"{line['detail']}\n{tail(log)}"}
        for case, line in ((case, told.get(case, SILENT)) for case in PLACES[place])
    }


def _finished(lines: list[Line]) -> list[Line]:
    return [line for line in lines if "finished" in line]


@pytest.mark.parametrize(
    ("place", "case"),
    [(place, case) for place, cases in PLACES.items() for case in cases],
)
def test_promise(
    place: str,
    case: str,
    known: dict[str, dict[str, Line]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    if place not in known:
        known[place] = RUN[place](tmp_path_factory.mktemp(place))
    outcome = known[place][case]
    if not outcome["ok"]:
        pytest.fail(outcome["detail"], pytrace=False)
