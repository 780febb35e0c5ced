"""perdure itself, with either worker: `perdure serve` on one SQLite file."""

import sqlite3
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from importlib.metadata import version
from pathlib import Path
from typing import Final

from benchmarks.peers.engine import APPLICATIONS, HOST, answers, free_ports
from benchmarks.peers.environments import python_of, versions_of
from benchmarks.peers.processes import Processes, Program
from tests.e2e.venvs import DAPR_1_18

WORKERS: Final = APPLICATIONS.parents[1] / "workers"


class Worker(Enum):
    """Who does the work, as the report calls it."""

    DAPR = "Dapr SDK"
    OWN = "own worker"
    LEAN = "lean worker"


PROGRAMS: Final = {
    Worker.DAPR: "dapr_python.py",
    Worker.OWN: "perdure_python.py",
    Worker.LEAN: "lean.py",
}


@dataclass(frozen=True, slots=True)
class Perdure:
    """perdure with a worker: on the released Dapr SDK, on perdure's own module, or a lean one."""

    worker: Worker
    embedded: bool = False

    @property
    def name(self) -> str:
        """How the report calls it."""
        return f"perdure, {self.worker.value}"

    def install(self) -> Mapping[str, str]:
        """Make the worker's environment."""
        ours = {"perdure": version("perdure"), "SQLite": sqlite3.sqlite_version}
        if self.worker is not Worker.DAPR:
            return ours
        python_of(DAPR_1_18)
        return {**ours, **versions_of(DAPR_1_18)}

    def place(self, folder: Path) -> "PerdurePlace":
        """Choose ports."""
        http_port, grpc_port = free_ports(2)
        return PerdurePlace(folder, http_port, grpc_port, self.worker)


@dataclass(frozen=True, slots=True)
class PerdurePlace:
    """One store on two ports."""

    folder: Path
    http_port: int
    grpc_port: int
    worker: Worker
    store: str | None = None  # instead of a file in the folder

    @property
    def environment(self) -> dict[str, str]:
        """What a Dapr SDK reads to find its server."""
        return {
            "DAPR_HTTP_PORT": str(self.http_port),
            "DAPR_GRPC_PORT": str(self.grpc_port),
            "DAPR_RUNTIME_HOST": HOST,
            "DAPR_GRPC_ENDPOINT": f"{HOST}:{self.grpc_port}",
        }

    def launch(self, processes: Processes) -> None:
        """Start the server, then the worker."""
        command = [
            *(sys.executable, "-m", "perdure", "serve"),
            *("--store", self.store or str(self.folder / "store.db")),
            *("--dapr-http-port", str(self.http_port)),
            *("--dapr-grpc-port", str(self.grpc_port)),
            *("--app-id", "bench", "--log-level", "warn"),
        ]
        health = f"http://{HOST}:{self.http_port}/v1.0/healthz"
        processes.server("perdure", command, lambda: answers(health))
        self.launch_worker(processes)

    def launch_worker(self, processes: Processes) -> None:
        """Start the worker alone."""
        is_dapr = self.worker is Worker.DAPR
        python = str(python_of(DAPR_1_18)) if is_dapr else sys.executable
        command = [python, str(WORKERS / PROGRAMS[self.worker])]
        processes.program("worker", command, environment=self.environment)

    def load(self, processes: Processes) -> Program:
        """Start the load."""
        command = [sys.executable, str(APPLICATIONS / "perdure_load.py")]
        return processes.program("load", command, environment=self.environment)

    def syncs(self) -> str:
        """Ask the file."""
        return syncs_of(self.folder / "store.db")


@dataclass(frozen=True, slots=True)
class InProcess:
    """perdure as a library: the program that gives the load is the engine."""

    embedded: bool = True

    @property
    def name(self) -> str:
        """How the report calls it."""
        return "perdure, in process"

    def install(self) -> Mapping[str, str]:
        """Nothing is to be installed."""
        return {"perdure": version("perdure"), "SQLite": sqlite3.sqlite_version}

    def place(self, folder: Path) -> "InProcessPlace":
        """Name the file."""
        return InProcessPlace(folder / "store.db")


@dataclass(frozen=True, slots=True)
class InProcessPlace:
    """One file."""

    file: Path

    def launch(self, processes: Processes) -> None:
        """There is no server."""

    def load(self, processes: Processes) -> Program:
        """Start the application."""
        command = [sys.executable, str(APPLICATIONS / "perdure_application.py"), str(self.file)]
        return processes.program("application", command)

    def syncs(self) -> str:
        """Ask the file."""
        return syncs_of(self.file)


def syncs_of(file: Path) -> str:
    """Ask a file; how perdure writes to it is its own promise, and strace counts it."""
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as database:
        mode = database.execute("PRAGMA journal_mode").fetchone()[0]
    database.close()
    return f"SQLite, journal_mode={mode}, synchronous=FULL"
