"""DBOS, a library over SQLite or Postgres: the program that gives the load is the engine."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.engine import APPLICATIONS
from benchmarks.peers.environments import DBOS, python_of, said, versions_of
from benchmarks.peers.postgres import Postgres
from benchmarks.peers.postgres import version as postgres_version
from benchmarks.peers.processes import Processes, Program


@dataclass(frozen=True, slots=True)
class Dbos:
    """DBOS on one of its two stores."""

    on_postgres: bool
    embedded: bool = True

    @property
    def name(self) -> str:
        """How the report calls it."""
        return "DBOS on Postgres" if self.on_postgres else "DBOS on SQLite"

    def install(self) -> Mapping[str, str]:
        """Make the environment, and look for Postgres."""
        python = str(python_of(DBOS))
        packages = versions_of(DBOS)
        ours = {"dbos": packages["dbos"]}
        if self.on_postgres:
            return {**ours, "psycopg": packages["psycopg"], "postgres": postgres_version()}
        return {**ours, "SQLite": said(python, "-c", _SQLITE_VERSION)}

    def place(self, folder: Path) -> "DbosPlace":
        """Make the database."""
        return DbosPlace(folder, Postgres.in_folder(folder) if self.on_postgres else None)


# As the application chooses it: the standard library's if it is new enough.
_SQLITE_VERSION = """
import sqlite3
if sqlite3.sqlite_version_info < (3, 42):
    import pysqlite3 as sqlite3
print(sqlite3.sqlite_version)
"""


@dataclass(frozen=True, slots=True)
class DbosPlace:
    """One database."""

    folder: Path
    postgres: Postgres | None

    @property
    def _file(self) -> Path:
        return self.folder / "dbos.db"

    def launch(self, processes: Processes) -> None:
        """Start Postgres, if it is on Postgres."""
        if self.postgres is not None:
            self.postgres.launch(processes)

    def load(self, processes: Processes) -> Program:
        """Start the application."""
        url = f"sqlite:///{self._file}" if self.postgres is None else self.postgres.url
        command = [str(python_of(DBOS)), str(APPLICATIONS / "dbos_application.py"), url]
        return processes.program("application", command)

    def syncs(self) -> str:
        """Ask Postgres, or the file; DBOS leaves SQLite's `synchronous` at its default, FULL."""
        if self.postgres is not None:
            return self.postgres.syncs()
        with sqlite3.connect(f"file:{self._file}?mode=ro", uri=True) as database:
            mode = database.execute("PRAGMA journal_mode").fetchone()[0]
        database.close()
        return f"SQLite, journal_mode={mode}, synchronous left at its default (FULL)"
