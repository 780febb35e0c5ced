"""Temporal's development server on a database file, with a worker."""

import socket
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.engine import (
    APPLICATIONS,
    HOST,
    PROBE_TIMEOUT_S,
    UnavailableError,
    free_ports,
)
from benchmarks.peers.environments import TEMPORAL, python_of, said, versions_of
from benchmarks.peers.processes import Processes, Program


def _program() -> str:
    return str(python_of(TEMPORAL).with_name("temporal"))


@dataclass(frozen=True, slots=True)
class Temporal:
    """Temporal."""

    name: str = "Temporal dev server"
    embedded: bool = False

    def install(self) -> Mapping[str, str]:
        """Make the environment, which carries the server."""
        told = said(_program(), "--version")
        return {**versions_of(TEMPORAL), "server": told.partition("Server ")[2].partition(",")[0]}

    def place(self, folder: Path) -> "TemporalPlace":
        """Choose ports."""
        return TemporalPlace(folder, *free_ports(3))


@dataclass(frozen=True, slots=True)
class TemporalPlace:
    """One server on a file."""

    folder: Path
    port: int
    http_port: int
    metrics_port: int

    @property
    def _file(self) -> Path:
        return self.folder / "temporal.db"

    @property
    def _environment(self) -> dict[str, str]:
        return {"TEMPORAL_PORT": str(self.port)}

    def launch(self, processes: Processes) -> None:
        """Start the server, then the worker."""
        command = [
            *(_program(), "server", "start-dev", "--headless", "--ip", HOST),
            *("--port", str(self.port), "--http-port", str(self.http_port)),
            *("--metrics-port", str(self.metrics_port), "--log-level", "error"),
            *("--db-filename", str(self._file)),
        ]
        processes.server("temporal", command, self._healthy)
        processes.program("worker", self._application("worker"), environment=self._environment)

    def _healthy(self) -> bool:
        try:
            with socket.create_connection((HOST, self.port), PROBE_TIMEOUT_S):
                pass
        except OSError:
            return False
        # It listens before its namespace is there.
        address = f"{HOST}:{self.port}"
        try:
            said(_program(), "operator", "namespace", "describe", "default", "--address", address)
        except UnavailableError:
            return False
        return True

    def _application(self, part: str) -> list[str]:
        return [str(python_of(TEMPORAL)), str(APPLICATIONS / "temporal_application.py"), part]

    def load(self, processes: Processes) -> Program:
        """Start the load."""
        return processes.program("load", self._application("load"), environment=self._environment)

    def syncs(self) -> str:
        """Ask the file; the server sets `synchronous` itself, and strace counts what it does."""
        with sqlite3.connect(f"file:{self._file}?mode=ro", uri=True) as database:
            mode = database.execute("PRAGMA journal_mode").fetchone()[0]
        database.close()
        return f"SQLite, journal_mode={mode}"
