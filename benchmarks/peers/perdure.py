"""perdure itself, with either worker: `perdure serve` on one SQLite file."""

import sqlite3
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from benchmarks.peers.engine import APPLICATIONS, HOST, answers, free_ports
from benchmarks.peers.environments import python_of, versions_of
from benchmarks.peers.processes import Processes, Program
from tests.e2e.venvs import DAPR_1_18

WORKERS: Final = APPLICATIONS.parents[1] / "workers"


@dataclass(frozen=True, slots=True)
class Perdure:
    """perdure with the released Dapr SDK as its worker, or with a lean one."""

    lean: bool
    embedded: bool = False

    @property
    def name(self) -> str:
        """How the report calls it."""
        return "perdure, lean worker" if self.lean else "perdure, Dapr SDK"

    def install(self) -> Mapping[str, str]:
        """Make the worker's environment."""
        ours = {"perdure": version("perdure"), "SQLite": sqlite3.sqlite_version}
        if self.lean:
            return ours
        python_of(DAPR_1_18)
        return {**ours, **versions_of(DAPR_1_18)}

    def place(self, folder: Path) -> "PerdurePlace":
        """Choose ports."""
        http_port, grpc_port = free_ports(2)
        return PerdurePlace(folder, http_port, grpc_port, lean=self.lean)


@dataclass(frozen=True, slots=True)
class PerdurePlace:
    """One store on two ports."""

    folder: Path
    http_port: int
    grpc_port: int
    lean: bool
    store: str | None = None  # instead of a file in the folder

    @property
    def environment(self) -> dict[str, str]:
        """What a Dapr SDK reads to find its server."""
        return {
            "DAPR_HTTP_PORT": str(self.http_port),
            "DAPR_GRPC_PORT": str(self.grpc_port),
            "DAPR_RUNTIME_HOST": HOST,
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
        python = sys.executable if self.lean else str(python_of(DAPR_1_18))
        worker = WORKERS / ("lean.py" if self.lean else "dapr_python.py")
        processes.program("worker", [python, str(worker)], environment=self.environment)

    def load(self, processes: Processes) -> Program:
        """Start the load."""
        command = [sys.executable, str(APPLICATIONS / "perdure_load.py")]
        return processes.program("load", command, environment=self.environment)

    def syncs(self) -> str:
        """Ask the file; how the server writes to it is its own promise, and strace counts it."""
        with sqlite3.connect(f"file:{self.folder / 'store.db'}?mode=ro", uri=True) as database:
            mode = database.execute("PRAGMA journal_mode").fetchone()[0]
        database.close()
        return f"SQLite, journal_mode={mode}, synchronous=FULL"
