"""Dapr's own sidecar, where it is on PATH: with the same SDK application, on its SQLite store."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.peers.engine import HOST, answers, free_ports
from benchmarks.peers.environments import on_path, python_of, said, versions_of
from benchmarks.peers.perdure import PerdurePlace, Worker
from benchmarks.peers.processes import Processes, Program
from tests.e2e.venvs import DAPR_1_18

# Workflows need the other two services of Dapr as well.
PROGRAMS: Final = ("daprd", "placement", "scheduler")
_STATE: Final = """
apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: state
spec:
  type: state.sqlite
  version: v1
  metadata:
    - name: connectionString
      value: "{file}?_pragma=synchronous(FULL)"
    - name: actorStateStore
      value: "true"
"""


@dataclass(frozen=True, slots=True)
class Daprd:
    """daprd with its placement and scheduler services."""

    name: str = "daprd"
    embedded: bool = False

    def install(self) -> Mapping[str, str]:
        """Look for its programs, which no package registry carries, and make the worker's place."""
        found = [on_path(program) for program in PROGRAMS]
        python_of(DAPR_1_18)
        return {"daprd": said(found[0], "--version"), **versions_of(DAPR_1_18)}

    def place(self, folder: Path) -> "DaprdPlace":
        """Choose ports and write the component."""
        (folder / "components").mkdir()
        component = folder / "components" / "state.yaml"
        component.write_text(_STATE.format(file=folder / "dapr.db"), "utf-8")
        return DaprdPlace(folder, free_ports(10))


@dataclass(frozen=True, slots=True)
class DaprdPlace:
    """One sidecar with its services."""

    folder: Path
    ports: list[int]
    _sdk: PerdurePlace = field(init=False)

    def __post_init__(self) -> None:
        """Its worker and its load are those of perdure."""
        sdk = PerdurePlace(self.folder, self.ports[0], self.ports[1], Worker.DAPR)
        object.__setattr__(self, "_sdk", sdk)

    def launch(self, processes: Processes) -> None:
        """Start the services, the sidecar and the worker."""
        http, grpc, internal, placement, p_health, scheduler, s_health, etcd_client, etcd, _ = map(
            str, self.ports
        )
        quiet = ("--log-level", "error")
        processes.server(
            "placement",
            [
                *(on_path("placement"), "--port", placement, "--healthz-port", p_health),
                *("--enable-metrics=false", *quiet),
            ],
            lambda: answers(f"http://{HOST}:{p_health}/healthz"),
        )
        processes.server(
            "scheduler",
            [
                *(on_path("scheduler"), "--port", scheduler, "--healthz-port", s_health),
                *("--etcd-data-dir", str(self.folder / "scheduler")),
                *("--etcd-client-port", etcd_client, "--id", "dapr-scheduler-server-0"),
                *("--etcd-initial-cluster", f"dapr-scheduler-server-0=http://{HOST}:{etcd}"),
                *("--enable-metrics=false", *quiet),
            ],
            lambda: answers(f"http://{HOST}:{s_health}/healthz"),
        )
        processes.server(
            "daprd",
            [
                *(on_path("daprd"), "--app-id", "bench", "--dapr-http-port", http),
                *("--dapr-grpc-port", grpc, "--dapr-internal-grpc-port", internal),
                *("--placement-host-address", f"{HOST}:{placement}"),
                *("--scheduler-host-address", f"{HOST}:{scheduler}"),
                *("--resources-path", str(self.folder / "components")),
                *("--enable-metrics=false", *quiet),
            ],
            lambda: answers(f"http://{HOST}:{http}/v1.0/healthz/outbound"),
        )
        self._sdk.launch_worker(processes)

    def load(self, processes: Processes) -> Program:
        """Start the load."""
        return self._sdk.load(processes)

    def syncs(self) -> str:
        """Ask the file; the component asks for `synchronous` FULL, and strace counts."""
        with sqlite3.connect(f"file:{self.folder / 'dapr.db'}?mode=ro", uri=True) as database:
            mode = database.execute("PRAGMA journal_mode").fetchone()[0]
        database.close()
        return f"SQLite, journal_mode={mode}, synchronous=FULL; the scheduler's etcd syncs too"
