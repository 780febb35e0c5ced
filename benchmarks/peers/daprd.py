"""Dapr's own sidecar, where it was built or is on PATH: with the same SDK application.

It is measured on each durable store that its users have, with every commit synced.
"""

import re
import sqlite3
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Final

from benchmarks.peers.engine import HOST, answers, free_ports
from benchmarks.peers.environments import on_path, python_of, said, versions_of
from benchmarks.peers.perdure import PerdurePlace, Worker
from benchmarks.peers.postgres import Postgres
from benchmarks.peers.postgres import version as postgres_version
from benchmarks.peers.processes import GaveUpError, Processes, Program
from tests.e2e.venvs import DAPR_1_18, REPOSITORY

# Workflows need the other two services of Dapr as well.
PROGRAMS: Final = ("daprd", "placement", "scheduler")
# Where `make daprd` puts them; else they are looked for on PATH.
BUILT: Final = str(REPOSITORY / "tests" / "e2e" / "daprd" / "target")
_PORTS: Final = 11


class Store(Enum):
    """Where the sidecar keeps its state, as the report calls it."""

    SQLITE = "SQLite"
    # What `dapr init` sets up, but made durable: by itself it keeps no log.
    REDIS = "Redis"
    POSTGRES = "Postgres"


# A component for each, without what all have.
_SETTINGS: Final = {
    Store.SQLITE: ("sqlite", "v1", "connectionString", "{file}?_pragma=synchronous(FULL)"),
    Store.REDIS: ("redis", "v1", "redisHost", "{host}:{port}"),
    Store.POSTGRES: ("postgresql", "v2", "connectionString", "{url}"),
}
_COMPONENT: Final = """
apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: state
spec:
  type: state.{type}
  version: {version}
  metadata:
    - name: {name}
      value: "{value}"
    - name: actorStateStore
      value: "true"
{more}"""
# Of SQLite's alone. By default it waits 2 s for the file, and under this load starts fail.
_PATIENCE: Final = """    - name: busyTimeout
      value: "60s"
"""


@dataclass(frozen=True, slots=True)
class Daprd:
    """daprd with its placement and scheduler services."""

    store: Store = Store.SQLITE
    embedded: bool = False

    @property
    def name(self) -> str:
        """How the report calls it."""
        return f"daprd on {self.store.value}"

    def install(self) -> Mapping[str, str]:
        """Look for its programs, and make the worker's place."""
        found = [on_path(program, BUILT) for program in PROGRAMS]
        python_of(DAPR_1_18)
        ours = {"daprd, placement and scheduler": said(found[0], "--version")}
        match self.store:
            case Store.SQLITE:
                pass
            case Store.REDIS:
                ours["redis"] = said(on_path("redis-server"), "--version").split()[2][2:]
            case Store.POSTGRES:
                ours["postgres"] = postgres_version()
        return {**ours, **versions_of(DAPR_1_18)}

    def place(self, folder: Path) -> "DaprdPlace":
        """Choose ports, make the database, and write the component."""
        ports = free_ports(_PORTS)
        on_postgres = self.store is Store.POSTGRES
        postgres = Postgres.in_folder(folder) if on_postgres else None
        kind, version, name, value = _SETTINGS[self.store]
        url = "" if postgres is None else postgres.url
        value = value.format(file=folder / "dapr.db", host=HOST, port=ports[-1], url=url)
        (folder / "components").mkdir()
        more = _PATIENCE if self.store is Store.SQLITE else ""
        component = _COMPONENT.format(type=kind, version=version, name=name, value=value, more=more)
        (folder / "components" / "state.yaml").write_text(component, "utf-8")
        return DaprdPlace(folder, ports, self.store, postgres)


@dataclass(frozen=True, slots=True)
class DaprdPlace:
    """One sidecar with its services and its database."""

    folder: Path
    ports: list[int]
    store: Store
    postgres: Postgres | None
    _sdk: PerdurePlace = field(init=False)

    def __post_init__(self) -> None:
        """Its worker and its load are those of perdure."""
        sdk = PerdurePlace(self.folder, self.ports[0], self.ports[1], Worker.DAPR)
        object.__setattr__(self, "_sdk", sdk)

    def launch(self, processes: Processes) -> None:
        """Start the database, the services, the sidecar and the worker."""
        self._launch_database(processes)
        http, grpc, internal, placement, p_health, raft, scheduler, s_health, client, peers, _ = (
            map(str, self.ports)
        )
        options = {
            "placement": [
                *("--port", placement, "--healthz-port", p_health),
                *("--initial-cluster", f"dapr-placement-0={HOST}:{raft}"),
            ],
            "scheduler": [
                *("--port", scheduler, "--healthz-port", s_health, "--etcd-client-port", client),
                *("--etcd-data-dir", str(self.folder / "scheduler")),
                *("--id", "dapr-scheduler-server-0", "--etcd-initial-cluster"),
                f"dapr-scheduler-server-0=http://{HOST}:{peers}",
            ],
            "daprd": [
                *("--app-id", "bench", "--dapr-http-port", http, "--dapr-grpc-port", grpc),
                *("--dapr-internal-grpc-port", internal, "--log-level", "error"),
                *("--placement-host-address", f"{HOST}:{placement}"),
                *("--scheduler-host-address", f"{HOST}:{scheduler}"),
                *("--resources-path", str(self.folder / "components")),
            ],
        }
        probes = {
            "placement": f"{p_health}/healthz",
            "scheduler": f"{s_health}/healthz",
            "daprd": f"{http}/v1.0/healthz/outbound",
        }
        for name in ("placement", "scheduler", "daprd"):
            command = [on_path(name, BUILT), *options[name], "--enable-metrics=false"]
            probe = f"http://{HOST}:{probes[name]}"
            processes.server(name, command, lambda probe=probe: answers(probe))  # type: ignore[misc]
        self._are_of_one_version()
        self._sdk.launch_worker(processes)

    def load(self, processes: Processes) -> Program:
        """Start the load."""
        return self._sdk.load(processes)

    def syncs(self) -> str:
        """Ask the database; how often all of them sync, strace counts."""
        return f"{self._syncs_of_store()}; the scheduler's etcd syncs too"

    def _syncs_of_store(self) -> str:
        match self.store:
            case Store.SQLITE:
                # SQLite tells `synchronous` for one connection alone: it is in the component.
                file = f"file:{self.folder / 'dapr.db'}?mode=ro"
                with sqlite3.connect(file, uri=True) as database:
                    mode = database.execute("PRAGMA journal_mode").fetchone()[0]
                database.close()
                return f"SQLite, journal_mode={mode}, synchronous=FULL"
            case Store.REDIS:
                ask = (on_path("redis-cli"), "-p", str(self.ports[-1]), "config", "get")
                names = ("appendonly", "appendfsync")
                told = [f"{name}={said(*ask, name).splitlines()[1]}" for name in names]
                return f"Redis, {', '.join(told)}"
            case Store.POSTGRES:
                assert self.postgres is not None
                return self.postgres.syncs()

    def _launch_database(self, processes: Processes) -> None:
        if self.postgres is not None:
            self.postgres.launch(processes)
        if self.store is Store.REDIS:
            port = str(self.ports[-1])
            command = [
                *(on_path("redis-server"), "--port", port, "--bind", HOST, "--save", ""),
                *("--dir", str(self.folder), "--appendonly", "yes", "--appendfsync", "always"),
            ]
            ping = [on_path("redis-cli"), "-p", port, "ping"]

            def ready() -> bool:
                done = subprocess.run(ping, check=False, capture_output=True)
                return done.stdout.strip() == b"PONG"

            processes.server("redis", command, ready)

    def _are_of_one_version(self) -> None:
        """Look at what the services say when they start: they have no option that tells it."""
        wanted = said(on_path("daprd", BUILT), "--version")
        for name in ("placement", "scheduler"):
            log = (self.folder / f"{name}.log").read_text("utf-8")
            found = re.search(r"-- version (\S+) --", log)
            if found is None or found[1] != wanted:
                told = "no version" if found is None else found[1]
                raise GaveUpError(f"{name} is {told}, daprd is {wanted}")
