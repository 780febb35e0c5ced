"""SIGTERM lets the activities of a program come to their end, and what they returned is kept."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.programs import Program
from tests.e2e.serving import Server
from tests.e2e.venvs import REPOSITORY

Begin = Callable[[], Program]
TERMINATED = 143


@pytest.fixture(params=["in_process", "at_a_server"])
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Where the program works."""
    if request.param == "in_process":
        yield {"PERDURE_STORE": str(tmp_path / "slow.db")}
        return
    server = Server.in_folder(tmp_path)
    server.start()
    try:
        yield server.worker_environment
    finally:
        server.close()


@pytest.fixture
def begin(environment: dict[str, str], tmp_path: Path) -> Iterator[Begin]:
    begun: list[Program] = []

    def start() -> Program:
        program = Program(
            [
                sys.executable,
                *("-m", "tests.e2e.workers.perdure_python.slow"),
                str(tmp_path / "gate"),
            ],
            log=tmp_path / "program.log",
            folder=REPOSITORY,
            environment=environment,
        )
        begun.append(program)
        return program

    yield start
    for program in begun:
        program.kill()


def test_what_runs_at_a_sigterm_is_not_run_again(begin: Begin, tmp_path: Path) -> None:
    first = begin()
    first.wait_for(step="holds")
    first.terminate()
    (tmp_path / "gate").touch()
    assert first.wait_end(30) == TERMINATED
    second = begin()
    second.wait_for(output='"held"')
    assert second.count(step="holds") == 0
    assert second.wait_end(30) == 0
