"""The three small applications of this folder, each written with one released SDK, and their runs.

An application is a worker and a client in one process. It is built with the tools of its language
from its own list of dependencies, once a session; a build that fails, fails its tests.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.e2e.building import build
from tests.e2e.programs import Line, Program, tail
from tests.e2e.serving import HOST, Server

FOLDER = Path(__file__).resolve().parent
BUILD_DEADLINE_S = 420.0
CATALOGUE_DEADLINE_S = 240.0


@dataclass(frozen=True, slots=True)
class Application:
    """How an application is built and started, both in its own folder."""

    name: str
    build: tuple[str, ...]
    command: tuple[str, ...]

    @property
    def folder(self) -> Path:
        return FOLDER / self.name


GO = Application("go", ("go", "build", "-o", "target/wfapp", "."), ("target/wfapp",))
JAVA = Application(
    "java",
    ("mvn", "--quiet", "--batch-mode", "package"),
    ("java", "-cp", f"target/wfapp-1.0.0.jar{os.pathsep}target/libraries/*", "wfapp.Main"),
)
JS = Application("js", ("npm", "ci", "--ignore-scripts"), ("node", "main.js"))


@cache
def built(application: Application) -> Application:
    """Build the application if this session has not, and return it."""
    build(application.build, folder=application.folder, deadline_s=BUILD_DEADLINE_S)
    return application


def start(
    application: Application, *words: str, log: Path, environment: Mapping[str, str]
) -> Program:
    """Start the application: `catalogue` and the cases to run, or `long` for one long workflow."""
    command = [*built(application).command, *words]
    if "/" in command[0]:
        # Looked up from here, not from the folder it will run in.
        command[0] = str(application.folder / command[0])
    return Program(command, log=log, folder=application.folder, environment=environment)


def run_cases(application: Application, server: Server, log: Path, *cases: str) -> dict[str, Line]:
    """Run the named cases, or all, and return what the application told of each, in its order."""
    # The endpoint is the newer way to be told of a server; the long runs are told of ports.
    endpoint = {"DAPR_GRPC_ENDPOINT": f"{HOST}:{server.grpc_port}"}
    environment = {**server.worker_environment, **endpoint}
    program = start(application, "catalogue", *cases, log=log, environment=environment)
    try:
        code = program.wait_end(CATALOGUE_DEADLINE_S)
    finally:
        program.kill()
    said = [line for line in program.lines if "text" not in line]
    assert code == 0, (
        f"{application.name} ended with {code} after {len(said)} lines:\n{tail(log)}\n"
        f"and the server:\n{tail(server.log)}"
    )
    assert said[-1] == {"done": True}, said[-1]
    return {line["case"]: line for line in said[:-1]}
