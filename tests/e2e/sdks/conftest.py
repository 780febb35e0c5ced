"""What the tests of the three applications share."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.programs import Line, Program, tail
from tests.e2e.sdks.applications import Application, run_cases, start
from tests.e2e.serving import Server

OutcomesOf = Callable[[Application], dict[str, Line]]
Begin = Callable[[Application], "LongRun"]

# An SDK comes back to a restarted server after at most fifteen seconds.
RECONNECT_DEADLINE_S = 45.0


@pytest.fixture(scope="session")
def outcomes_of(tmp_path_factory: pytest.TempPathFactory) -> OutcomesOf:
    """Tell what an application made of its cases; they are run together, once a session."""
    known: dict[Application, dict[str, Line]] = {}

    def outcomes(application: Application) -> dict[str, Line]:
        if application not in known:
            folder = tmp_path_factory.mktemp(application.name)
            server = Server.in_folder(folder).start()
            try:
                known[application] = run_cases(application, server, folder / "application.log")
            finally:
                server.close()
        return known[application]

    return outcomes


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Server]:
    """A server that wants a token from whoever calls it."""
    server = Server.in_folder(tmp_path)
    server.environment = {"DAPR_API_TOKEN": "a token of the tests"}
    server.start()
    try:
        yield server
    finally:
        server.close()


class LongRun:
    """A workflow of three activities, of which the second runs until it is let go."""

    def __init__(self, application: Application, server: Server, folder: Path) -> None:
        self.server = server
        self._application = application
        self._folder = folder
        self._gate = folder / "go-on"
        self._programs: list[Program] = []
        self.hire()

    @property
    def program(self) -> Program:
        return self._programs[-1]

    def hire(self) -> None:
        """Start a process of the application; it finds the workflow if one began it before."""
        log = self._folder / f"{self._application.name}-{len(self._programs)}.log"
        environment = {**self.server.worker_environment, "WFAPP_GO_ON": str(self._gate)}
        self._programs.append(start(self._application, "long", log=log, environment=environment))

    def second_runs(self, attempt: int) -> None:
        """Wait until the process has been handed the second activity for the n-th time."""
        self.program.wait_for(RECONNECT_DEADLINE_S, step="second", attempt=attempt)

    def finish(self) -> None:
        """Let the second activity go, and see the workflow through to its end."""
        self._gate.touch()
        outcome = self.program.wait_for(RECONNECT_DEADLINE_S, case="long")
        assert outcome["ok"], f"{outcome['detail']}\n{tail(self.server.log)}"
        told = {name: self._count(name) for name in ("first", "third")}
        assert told == {"first": 1, "third": 1}, "an activity with a result was run again"

    def _count(self, step: str) -> int:
        return sum(program.count(step=step) for program in self._programs)

    def close(self) -> None:
        for program in self._programs:
            program.kill()


@pytest.fixture
def begin(server: Server, tmp_path: Path) -> Iterator[Begin]:
    """Begin a long workflow with an application, and wait until its second activity runs."""
    runs: list[LongRun] = []

    def long_run(application: Application) -> LongRun:
        runs.append(LongRun(application, server, tmp_path))
        runs[-1].second_runs(attempt=1)
        return runs[-1]

    yield long_run
    for run in runs:
        run.close()
