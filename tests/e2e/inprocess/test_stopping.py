"""Ctrl-C and SIGTERM for a user's own process, and a second process on the same file."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from perdure import Status, SyncEngine
from tests.e2e.inprocess.stopping import registry
from tests.e2e.polling import until
from tests.e2e.programs import clean_environment
from tests.e2e.venvs import REPOSITORY

DEADLINE_S = 60.0
LONG_S = "3"  # an activity that is not over when the signal comes


class Process:
    """The program, and what it has printed."""

    def __init__(self, kind: str, store: Path, seconds: str, stop_timeout: str) -> None:
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.e2e.inprocess.stopping"),
                *(kind, str(store), seconds, stop_timeout),
            ],
            cwd=REPOSITORY,
            env=clean_environment({"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def begun(self) -> None:
        """Return when both activities run."""
        assert self._process.stdout is not None
        lines = {self._process.stdout.readline() for _ in range(2)}
        assert lines == {'{"began": "slow"}\n', '{"began": "blocking"}\n'}

    def said(self) -> dict[str, Any]:
        """The next line that it prints."""
        assert self._process.stdout is not None
        line: dict[str, Any] = json.loads(self._process.stdout.readline())
        return line

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def ended(self) -> tuple[int, str, str]:
        """Its exit code, what it has printed, and what it has complained of."""
        out, err = self._process.communicate(timeout=DEADLINE_S)
        return self._process.returncode, out, err

    def wait(self, seconds: float) -> None:
        """Return when it has ended; raises TimeoutExpired if it does not in time."""
        self._process.wait(seconds)

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()


@pytest.fixture
def processes() -> Iterator[list[Process]]:
    """Those that a test has started; none is left over."""
    started: list[Process] = []
    yield started
    for process in started:
        process.close()


def _results(store: Path) -> dict[str, object]:
    with SyncEngine(store, registry=registry) as engine:
        return {each.id: engine.handle(each.id).result(DEADLINE_S) for each in engine.instances()}


@pytest.mark.parametrize("kind", ["async", "sync"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_running_activities_come_to_their_end(
    processes: list[Process],
    tmp_path: Path,
    kind: str,
    number: signal.Signals,
    capsys: pytest.CaptureFixture[str],
) -> None:
    store = tmp_path / "orders.db"
    process = Process(kind, store, LONG_S, "30")
    processes.append(process)
    process.begun()
    process.send(number)
    code, out, err = process.ended()
    assert '{"ended": "slow"}' in out
    assert '{"ended": "blocking"}' in out
    assert '{"left": "in good order"}' in out
    # As a shell and a supervisor expect it of a program that is stopped by a signal.
    assert code == (-signal.SIGINT if number is signal.SIGINT else 143), err
    if number is signal.SIGTERM:
        assert err == ""
    assert _results(store) == {"slow": "slow", "blocking": "blocking"}
    # Their results were on disk: nothing has run again.
    assert "began" not in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["async", "sync"])
def test_what_takes_too_long_is_cut_off_and_runs_again(
    processes: list[Process], tmp_path: Path, kind: str
) -> None:
    store = tmp_path / "orders.db"
    process = Process(kind, store, "600", "0.7")
    processes.append(process)
    process.begun()
    began_s = time.monotonic()
    process.send(signal.SIGTERM)
    code, out, err = process.ended()
    assert time.monotonic() - began_s < 30
    assert code == 143
    assert '{"ended"' not in out
    assert "2 activities are cut off, and will run again" in err
    with SyncEngine(store) as engine:
        assert {each.status for each in engine.instances()} == {Status.RUNNING}


@pytest.mark.parametrize("kind", ["async", "sync"])
def test_who_is_in_a_hurry_asks_twice(processes: list[Process], tmp_path: Path, kind: str) -> None:
    store = tmp_path / "orders.db"
    process = Process(kind, store, "600", "600")
    processes.append(process)
    process.begun()
    process.send(signal.SIGINT)
    # The first signal is taken before the second is sent: nothing more begins.
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.5)
    process.send(signal.SIGINT)
    code, out, _ = process.ended()
    assert code == -signal.SIGINT
    assert '{"left"' in out
    with SyncEngine(store) as engine:
        assert len(list(engine.instances(status=Status.RUNNING))) == 2


def test_a_process_of_an_activity_does_not_outlive_the_program(
    processes: list[Process], tmp_path: Path
) -> None:
    program = Process("async", tmp_path / "orders.db", "-1", "0")
    processes.append(program)
    computing = program.said()["process"]
    os.kill(computing, 0)
    program.send(signal.SIGKILL)
    program.ended()
    until(
        lambda: _is_there(computing),
        lambda is_there: not is_there,
        deadline_s=DEADLINE_S,
        what=f"process {computing} goes on for nobody",
    )


def _is_there(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_second_process_on_the_file_is_told_what_to_do(
    processes: list[Process], tmp_path: Path
) -> None:
    store = tmp_path / "orders.db"
    first = Process("async", store, "600", "0")
    processes.append(first)
    first.begun()
    second = Process("sync", store, "0", "0")
    processes.append(second)
    code, out, _ = second.ended()
    assert code == 0
    assert "is in use by process" in out
    assert "grpc=50001" in out
    # kill -9 lets go of the file, however it was held.
    first.send(signal.SIGKILL)
    first.ended()
    with SyncEngine(store) as engine:
        assert len(list(engine.instances())) == 2
