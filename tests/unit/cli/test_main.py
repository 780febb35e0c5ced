"""How the program ends: with an exit code and a sentence, never with a traceback."""

import subprocess
import sys

import pytest
import typer

import perdure
from perdure.base.errors import ConfigurationError, StoreBroken
from perdure.cli import main as program
from perdure.cli.exits import ExitCode, Trouble


def run(*arguments: str) -> int:
    return program.main(arguments)


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == ExitCode.OK
    assert capsys.readouterr().out == f"perdure {perdure.__version__}\n"


def test_it_runs_as_a_module() -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "perdure", "--version"], capture_output=True, text=True, check=True
    )
    assert finished.stdout == f"perdure {perdure.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--help"], ["serve", "run", "workflow", "perdure workflow watch ID"]),
        (["workflow", "--help"], ["start", "list", "raise-event", "rerun"]),
        (["workflow", "start", "--help"], ["--input-file", "--tag", "jq .order"]),
        (["run", "-h"], ["DAPR_GRPC_ENDPOINT", "-- python app.py"]),
    ],
)
def test_help_helps(
    arguments: list[str], expected: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == ExitCode.OK
    told = capsys.readouterr().out
    assert all(each in told for each in expected)


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["serv"], "serv"),
        (["serve", "--dapr-http-prt", "1"], "--dapr-http-prt"),
        (["serve", "--dapr-http-port", "x"], "--dapr-http-port"),
        (["serve", "--dapr-http-port", "70000"], "--dapr-http-port"),
        (["serve", "--log-level", "loud"], "--log-level"),
        (["serve", "--max-body-size", "large"], "--max-body-size"),
        (["serve", "--store", "mysql://db/x"], "postgres://"),
        (["run"], "PROGRAM"),
        (["workflow", "start"], "TYPE"),
        (["workflow", "start", "order", "--server", "ftp://x"], "--server"),
        (["workflow", "start", "order", "--input", "{"], "line 1, column 2"),
        (["workflow", "list", "--status", "RUNING"], "Did you mean RUNNING or"),
        (["workflow", "rerun", "x"], "--from"),
    ],
)
def test_what_cannot_be_meant_is_told_by_name(
    arguments: list[str], names: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == ExitCode.USAGE
    told = capsys.readouterr()
    assert names in told.err + told.out
    assert "Traceback" not in told.err


@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        (Trouble("No such thing.", advice="Make one.", code=ExitCode.NOT_FOUND), 3, "Make one."),
        (ConfigurationError("--config x.yaml:3: bad"), 2, "x.yaml:3"),
        (StoreBroken("the file is damaged"), 1, "damaged"),
        (ZeroDivisionError("division by zero"), 1, "ZeroDivisionError: division by zero"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_whatever_goes_wrong_ends_with_a_sentence(
    fault: BaseException,
    code: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken = typer.Typer(pretty_exceptions_enable=False)

    @broken.command()
    def fail() -> None:
        raise fault

    monkeypatch.setattr(program, "app", broken)
    assert run() == code
    told = capsys.readouterr().err
    assert said in told
    assert "Traceback" not in told


def test_a_fault_of_ours_shows_its_place_to_whoever_asks(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = typer.Typer(pretty_exceptions_enable=False)

    @broken.command()
    def fail() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(program, "app", broken)
    monkeypatch.setenv(program.DEBUG_VARIABLE, "1")
    assert run() == ExitCode.FAILED
    assert "Traceback" in capsys.readouterr().err


def test_a_reader_that_has_had_enough_is_no_fault() -> None:
    finished = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m perdure serve --help | true"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert finished.stderr == ""


def test_what_the_machine_refuses_is_told_as_that(capsys: pytest.CaptureFixture[str]) -> None:
    name = "d" * 300
    assert run("serve", "--store", f"{name}.db") == ExitCode.FAILED
    told = " ".join(capsys.readouterr().err.split())
    assert "File name too long" in told
    assert "shorter name" in told
    assert "fault of perdure" not in told


_TOO_FEW_FILES = """
import os, resource, sys
from perdure.cli import main as program

resource.setrlimit(resource.RLIMIT_NOFILE, (9, 9))
program.app = lambda **_: [os.dup(0) for _ in range(9)]
sys.exit(program.main())
"""


def test_too_few_open_files_are_told_as_that() -> None:
    finished = subprocess.run(
        [sys.executable, "-c", _TOO_FEW_FILES], capture_output=True, text=True, check=False
    )
    assert finished.returncode == ExitCode.FAILED
    assert "ulimit -n" in finished.stderr


_INTERRUPTED_WHILE_LOADING = """
import sys

class Interrupting:
    def find_spec(self, name, path, target=None):
        if name == "perdure.cli.main":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupting())
from perdure.__main__ import main
sys.exit(main())
"""


def test_ctrl_c_while_it_is_loaded_leaves_no_trace() -> None:
    finished = subprocess.run(
        [sys.executable, "-c", _INTERRUPTED_WHILE_LOADING],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (finished.returncode, finished.stderr) == (ExitCode.INTERRUPTED, "")
