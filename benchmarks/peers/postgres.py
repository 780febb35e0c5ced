"""A Postgres of our own: made in a folder, on a port of its own, with its defaults."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.peers.engine import HOST, free_ports
from benchmarks.peers.environments import on_path, said
from benchmarks.peers.processes import GaveUpError, Processes

# Debian keeps the programs out of PATH.
FOLDERS: Final = "/usr/lib/postgresql/*/bin"
MAKE_DEADLINE_S: Final = 60.0


def version() -> str:
    """Return the server's version; UnavailableError if there is none."""
    return said(on_path("postgres", FOLDERS), "--version").split()[2]


def _user() -> str | None:
    """Postgres refuses to run as root: its own user is for that."""
    return "postgres" if os.geteuid() == 0 else None


@dataclass(frozen=True, slots=True)
class Postgres:
    """One cluster of databases."""

    data: Path
    port: int

    @classmethod
    def in_folder(cls, folder: Path) -> "Postgres":
        """Make the cluster."""
        data = folder / "postgres"
        data.mkdir()
        user = _user()
        if user is not None:
            folder.chmod(0o755)
            shutil.chown(data, user)
        command = [on_path("initdb", FOLDERS), "-A", "trust", "-U", "bench", "-D", str(data)]
        try:
            subprocess.run(
                command,
                check=True,
                capture_output=True,
                user=user,
                cwd=data,
                timeout=MAKE_DEADLINE_S,
            )
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as fault:
            raise GaveUpError(f"initdb: {fault} {fault.stderr!r}") from fault
        return cls(data, free_ports(1)[0])

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"postgresql://bench@{HOST}:{self.port}/postgres"

    def launch(self, processes: Processes) -> None:
        """Start the server."""
        command = [
            *(on_path("postgres", FOLDERS), "-D", str(self.data), "-h", HOST),
            *("-p", str(self.port), "-k", str(self.data)),
        ]
        is_ready = on_path("pg_isready", FOLDERS)

        def ready() -> bool:
            probe = [is_ready, "-q", "-h", HOST, "-p", str(self.port)]
            return subprocess.run(probe, check=False).returncode == 0

        processes.server("postgres", command, ready, user=_user())

    def syncs(self) -> str:
        """Return what the running server says about its syncs."""
        names = ("fsync", "synchronous_commit", "wal_sync_method")
        return "Postgres, " + ", ".join(f"{name}={self.show(name)}" for name in names)

    def show(self, setting: str) -> str:
        """Return a setting as the running server tells it."""
        return said(on_path("psql", FOLDERS), self.url, "-Atc", f"SHOW {setting}")
