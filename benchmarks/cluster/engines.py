"""perdure over Postgres, with one node or several, each with a worker of its own."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from benchmarks.peers.engine import APPLICATIONS, free_ports
from benchmarks.peers.environments import python_of, versions_of
from benchmarks.peers.perdure import PerdurePlace, Worker
from benchmarks.peers.postgres import Postgres
from benchmarks.peers.postgres import version as postgres_version
from benchmarks.peers.processes import Processes, Program
from tests.e2e.venvs import DAPR_1_18


@dataclass(frozen=True, slots=True)
class PerdureOnPostgres:
    """So many nodes over one Postgres; clients spread what they ask over all of them."""

    nodes: int
    lean: bool
    embedded: bool = False

    @property
    def name(self) -> str:
        """How the report calls it."""
        nodes = "1 node" if self.nodes == 1 else f"{self.nodes} nodes"
        return f"perdure on Postgres, {nodes}, {'lean worker' if self.lean else 'Dapr SDK'}"

    def install(self) -> Mapping[str, str]:
        """Make the workers' environment, and look for Postgres."""
        ours = {"perdure": version("perdure"), "postgres": postgres_version()}
        if self.lean:
            return ours
        python_of(DAPR_1_18)
        return {**ours, **versions_of(DAPR_1_18)}

    def place(self, folder: Path) -> "PostgresPlace":
        """Make the database, and choose ports."""
        postgres = Postgres.in_folder(folder)
        nodes = []
        for _ in range(self.nodes):
            http_port, grpc_port = free_ports(2)
            worker = Worker.LEAN if self.lean else Worker.DAPR
            place = PerdurePlace(folder, http_port, grpc_port, worker, store=postgres.url)
            nodes.append(place)
        return PostgresPlace(folder, postgres, nodes)


@dataclass(frozen=True, slots=True)
class PostgresPlace:
    """One Postgres, and nodes over it."""

    folder: Path
    postgres: Postgres
    nodes: list[PerdurePlace]

    def launch(self, processes: Processes) -> None:
        """Start Postgres, then every node with its worker."""
        self.postgres.launch(processes)
        for node in self.nodes:
            node.launch(processes)

    def load(self, processes: Processes) -> Program:
        """Start the load, which asks every node in turn."""
        ports = ",".join(str(node.grpc_port) for node in self.nodes)
        command = [sys.executable, str(APPLICATIONS / "perdure_load.py")]
        return processes.program("load", command, environment={"DAPR_GRPC_PORT": ports})

    def syncs(self) -> str:
        """Ask the running Postgres."""
        return self.postgres.syncs()
