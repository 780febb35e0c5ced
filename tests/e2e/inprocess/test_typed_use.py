"""What a user's type checker knows of workflows: the results of calls, and what is a mistake."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.venvs import REPOSITORY

pytestmark = pytest.mark.timeout(600)

USE = (Path(__file__).parent / "typed_use.txt").read_text()
WRONG = {number for number, line in enumerate(USE.splitlines(), 1) if line.endswith("# error")}


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The program, in a folder of its own."""
    path = tmp_path / "use.py"
    path.write_text(USE)
    return path


def _said(command: list[str], folder: Path) -> str:
    """What a checker says of a program that has mistakes in it."""
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


def test_mypy_knows_what_is_right_and_what_is_wrong(program: Path) -> None:
    (program.parent / "mypy.ini").write_text(
        f"[mypy]\nstrict = True\nmypy_path = {REPOSITORY / 'src'}\n"
    )
    said = _said(["mypy", program.name], program.parent)
    found = {int(line) for line in re.findall(r"^use\.py:(\d+): error", said, re.MULTILINE)}
    assert found == WRONG, said


def test_pyright_knows_what_is_right_and_what_is_wrong(program: Path) -> None:
    settings = {"extraPaths": [str(REPOSITORY / "src")], "typeCheckingMode": "standard"}
    (program.parent / "pyrightconfig.json").write_text(json.dumps(settings))
    command = ["pyright", "--pythonpath", sys.executable, "--outputjson", program.name]
    said = json.loads(_said(command, program.parent))["generalDiagnostics"]
    found = {each["range"]["start"]["line"] + 1 for each in said if each["severity"] == "error"}
    assert found == WRONG, said
