"""What `perdure prove` says of a broken promise, of a wrong flag, and when it is interrupted."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from perdure.cli.exits import ExitCode
from perdure.cli.main import main
from tests.simulation.mutants.patching import MUTANTS
from tests.simulation.mutants.running import caught

ROOT = Path(__file__).resolve().parents[2]
SEED, HOURS = 7, 0.1  # neither an app in its node's process nor two dialects, as of the mutant


def test_a_broken_promise_is_told_with_all_that_it_takes_to_see_it_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    mutant = MUTANTS["lose-message-to-parent"]
    known = caught(mutant, SEED, HOURS)
    assert known is not None
    with mutant.in_force():
        code = main(["prove", "--seed", str(SEED), "--hours", str(HOURS)])
    told = capsys.readouterr().out
    assert code == ExitCode.FAILED
    assert f"P4 at step {known.steps}: {known.text}" in told
    assert f"to see it again: perdure prove --seed {SEED} --hours {HOURS}\n" in told
    assert f"\n    {known.steps} " in told, "the step itself is among the last lines"


def test_what_repeats_a_run_is_told_to_the_last_digit(capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--seed", str(SEED), "--hours", "0.0512345678", "--store", "sqlite"]
    with MUTANTS["lose-message-to-parent"].in_force():
        main(["prove", *flags])
    told = capsys.readouterr().out
    (again,) = [line for line in told.splitlines() if "to see it again" in line]
    repeated = again.partition("perdure ")[2].split()
    assert "--store sqlite" in again
    with MUTANTS["lose-message-to-parent"].in_force():
        main(repeated)
    assert capsys.readouterr().out == told


def test_a_broken_promise_is_told_to_programs(capsys: pytest.CaptureFixture[str]) -> None:
    with MUTANTS["lose-message-to-parent"].in_force():
        code = main(["prove", "--seed", str(SEED), "--hours", str(HOURS), "--json"])
    told = json.loads(capsys.readouterr().out)
    assert code == ExitCode.FAILED
    (run,) = told["runs"]
    assert told["violations"] == len(run["violations"]) > 0
    assert run["violations"][0]["promise"] == "P4"
    assert len(run["trace"]) > 10


def test_a_store_that_there_is_not_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", "--store", "tape"]) == ExitCode.USAGE
    assert "memory or sqlite" in capsys.readouterr().err


def test_an_interrupt_tells_what_was_done_so_far() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "perdure", "prove", "--seed", "5", "--hours", "900"],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert "seed 5" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    told, _ = process.communicate(timeout=60)
    assert process.returncode == ExitCode.INTERRUPTED
    assert "ended           in the first phase" in told
