"""Code that does not do what a history says stalls the instance, and code that does goes on."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.programs import Program
from tests.e2e.serving import Server
from tests.e2e.test_changing_code import await_custom_status, await_stall
from tests.e2e.venvs import REPOSITORY

Begin = Callable[[str], Program]


@pytest.fixture
def begin(server: Server, tmp_path: Path) -> Iterator[Begin]:
    """Start a worker with the code before or after the change."""
    begun: list[Program] = []

    def start(role: str) -> Program:
        program = Program(
            [sys.executable, "-m", "tests.e2e.workers.perdure_python.changing", role],
            log=tmp_path / f"{role}.log",
            folder=REPOSITORY,
            environment=server.worker_environment,
        )
        begun.append(program)
        program.wait_for(ready=role)
        return program

    yield start
    for program in begun:
        program.kill()


def test_a_change_that_does_not_fit_stalls_until_code_that_fits_is_back(
    server: Server, begin: Begin
) -> None:
    first = begin("before")
    server.begin("trip", "trip-1", "null")
    await_custom_status(server, "trip-1", "booked")
    first.kill()
    changed = begin("after")
    server.raise_event("trip-1", "go", "now")
    await_stall(server, "trip", "trip-1")
    told = changed.log.read_text()
    assert "workflow 'trip' (trip-1) does not do what its history says" in told
    assert "step 1 was activity 'step', and the code asks for a timer at " in told
    assert "changing.py:" in told
    changed.kill()
    again = begin("before")
    assert server.output("trip-1") == ["book", "travel"]
    assert again.count(step="book") == 0
