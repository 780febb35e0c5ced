"""What the end-to-end tests share: servers, workers, and what each SDK made of its cases."""

from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import catalogue, venvs
from tests.e2e.programs import Line, Program, tail
from tests.e2e.serving import Server
from tests.e2e.venvs import REPOSITORY, Environment

CASES_DEADLINE_S = 100.0
SILENT: Line = {"ok": False, "detail": "the program never told of this case"}

# The logs of the running test's server and workers, shown when it fails.
LOGS = pytest.StashKey[list[Path]]()

OutcomeOf = Callable[[Environment, str], Line]
Hire = Callable[[Environment, Server, str], Program]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    report = yield
    if report.failed:
        for log in item.stash.get(LOGS, []):
            report.sections.append((f"end of {log.name}", tail(log)))
    return report


def module_of(environment: Environment) -> str:
    """The package of this suite that is written with the environment's SDK."""
    if environment is venvs.PERDURE:
        return "tests.e2e.workers.perdure_python"
    name = "dapr_python" if environment in catalogue.DAPR else "durabletask_python"
    return f"tests.e2e.workers.{name}"


@pytest.fixture
def server(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server of the test's own, which the test may kill and start again."""
    server = Server.in_folder(tmp_path)
    request.node.stash.setdefault(LOGS, []).append(server.log)
    server.start()
    try:
        yield server
    finally:
        server.close()


@pytest.fixture
def hire(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Hire]:
    """Start a worker in a role, and wait until it is ready; all are killed when the test ends."""
    hired: list[Program] = []

    def start(environment: Environment, server: Server, role: str) -> Program:
        log = tmp_path / f"worker-{len(hired)}-{role}.log"
        request.node.stash.setdefault(LOGS, []).append(log)
        worker = Program(
            [str(venvs.ensure(environment)), "-m", f"{module_of(environment)}.roles", role],
            log=log,
            folder=REPOSITORY,
            environment=server.worker_environment,
        )
        hired.append(worker)
        worker.wait_for(ready=role)
        return worker

    yield start
    for worker in hired:
        worker.kill()


@pytest.fixture(scope="session")
def outcome_of(tmp_path_factory: pytest.TempPathFactory) -> OutcomeOf:
    """Tell what an SDK made of one of its cases; all its cases are run together, once a session."""
    known: dict[str, dict[str, Line]] = {}

    def outcome(environment: Environment, case: str) -> Line:
        if environment.name not in known:
            folder = tmp_path_factory.mktemp(f"cases-{environment.name}")
            known[environment.name] = _run_cases(environment, folder)
        return known[environment.name][case]

    return outcome


def _run_cases(environment: Environment, folder: Path) -> dict[str, Line]:
    cases = catalogue.cases_of(environment)
    server = Server.in_folder(folder)
    told, metrics, exit_code = try_cases(environment, cases, server, folder)
    troubles = f"worker:\n{tail(folder / 'worker.log')}\nserver:\n{tail(server.log)}"
    outcomes = {case: told.get(case, SILENT) for case in cases}
    outcomes[catalogue.AFTERWARDS] = _judge(metrics, server.log.read_text(), exit_code)
    return {
        case: line if line["ok"] else {**line, "detail": f"{line['detail']}\n{troubles}"}
        for case, line in outcomes.items()
    }


def try_cases(
    environment: Environment,
    cases: Sequence[str],
    server: Server,
    folder: Path,
    deadline_s: float = CASES_DEADLINE_S,
) -> tuple[dict[str, Line], str, int]:
    """Run cases at a server; return what each came to, and the server's metrics and exit code."""
    python = venvs.ensure(environment)
    server.start()
    try:
        program = Program(
            [str(python), "-m", f"{module_of(environment)}.main", *cases],
            log=folder / "worker.log",
            folder=REPOSITORY,
            environment=server.worker_environment,
        )
        try:
            program.wait_until(_finished, deadline_s)
            told = {line["case"]: line for line in program.lines if "case" in line}
            metrics = server.request("GET", "/metrics").text
        finally:
            program.kill()
        exit_code = server.stop()
    finally:
        server.close()
    return told, metrics, exit_code


def _finished(lines: list[Line]) -> list[Line]:
    return [line for line in lines if "finished" in line]


def _judge(metrics: str, log: str, exit_code: int) -> Line:
    """Look at the server after all cases: it must have no fault, and no instance that is stuck."""
    problems = [line for line in log.splitlines() if " ERROR " in line or "Traceback" in line]
    problems += [
        line
        for line in metrics.splitlines()
        if line.startswith("perdure_stuck_instances") and float(line.split()[-1]) != 0
    ]
    if "perdure_stuck_instances" not in metrics:
        problems.append("the metrics say nothing of stuck instances")
    if exit_code != 0:
        problems.append(f"the server ended with {exit_code}")
    return {"ok": not problems, "detail": "\n".join(problems)}
