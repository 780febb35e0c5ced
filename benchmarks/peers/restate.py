"""Restate: its server, and the application as an ASGI service that the server calls."""

import json
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.engine import APPLICATIONS, HOST, answers, free_ports
from benchmarks.peers.environments import (
    RESTATE,
    RESTATE_SERVER,
    python_of,
    restate_server,
    said,
    versions_of,
)
from benchmarks.peers.processes import Processes, Program

REGISTER_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Restate:
    """Restate with one of the two ASGI servers that its documentation names."""

    asgi: str
    embedded: bool = False

    @property
    def name(self) -> str:
        """How the report calls it."""
        return f"Restate, {self.asgi}"

    def install(self) -> Mapping[str, str]:
        """Install the server with npm and the rest with pip."""
        server = restate_server()
        python_of(RESTATE)
        packages = versions_of(RESTATE)
        return {
            "restate-server": said(str(server), "--version").split()[-1],
            "npm": RESTATE_SERVER,
            "restate-sdk": packages["restate-sdk"],
            self.asgi: packages[self.asgi],
        }

    def place(self, folder: Path) -> "RestatePlace":
        """Choose ports."""
        return RestatePlace(folder, self.asgi, tuple(free_ports(4)))


@dataclass(frozen=True, slots=True)
class RestatePlace:
    """One server and one service."""

    folder: Path
    asgi: str
    ports: tuple[int, ...]

    @property
    def _environment(self) -> dict[str, str]:
        node, ingress, admin, _ = map(str, self.ports)
        return {
            "RESTATE_BASE_DIR": str(self.folder / "restate"),
            "RESTATE_NODE_NAME": "bench",
            "RESTATE_LISTEN_MODE": "tcp",
            "RESTATE_BIND_IP": HOST,
            "RESTATE_BIND_PORT": node,
            "RESTATE_INGRESS__BIND_PORT": ingress,
            "RESTATE_ADMIN__BIND_PORT": admin,
            "RESTATE_DISABLE_TELEMETRY": "true",
            "RESTATE_LOG_FILTER": "warn",
        }

    def _url(self, place: int, path: str) -> str:
        return f"http://{HOST}:{self.ports[place]}{path}"

    def launch(self, processes: Processes) -> None:
        """Start the service and the server, and register the one with the other once."""
        is_new = not (self.folder / "restate").exists()
        options = ("-m", self.asgi, *self._asgi_options)
        service = self._url(3, "/health")
        processes.server(
            "service",
            [str(python_of(RESTATE)), *options, "restate_service:app"],
            lambda: answers(service),
            environment={"PYTHONPATH": str(APPLICATIONS)},
        )
        command = [str(restate_server()), "--no-logo"]
        probes = [self._url(2, "/health"), self._url(1, "/restate/health")]
        processes.server(
            "restate",
            command,
            lambda: all(map(answers, probes)),
            environment=self._environment,
        )
        if is_new:
            self._register()

    @property
    def _asgi_options(self) -> tuple[str, ...]:
        port = str(self.ports[3])
        if self.asgi == "granian":
            return (
                *("--interface", "asgi", "--no-ws", "--loop", "uvloop", "--log-level", "warning"),
                *("--host", HOST, "--port", port),
            )
        return ("--bind", f"{HOST}:{port}", "--log-level", "warning", "--worker-class", "uvloop")

    def _register(self) -> None:
        body = json.dumps({"uri": f"http://{HOST}:{self.ports[3]}"}).encode()
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(self._url(2, "/deployments"), body, headers)  # noqa: S310
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=REGISTER_TIMEOUT_S):
            return

    def load(self, processes: Processes) -> Program:
        """Start the load."""
        command = [str(python_of(RESTATE)), str(APPLICATIONS / "restate_load.py")]
        environment = {"RESTATE_INGRESS_PORT": str(self.ports[1])}
        return processes.program("load", command, environment=environment)

    def syncs(self) -> str:
        """Ask the server for its settings, as it reads them."""
        told = said(str(restate_server()), "--dump-config")
        lines = {line.strip() for line in told.splitlines() if "disable-wal-fsync" in line}
        return f"RocksDB, {', '.join(sorted(lines))}"
