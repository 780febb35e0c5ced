"""Dapr's own sidecar with its two services, built from the Go modules of a release."""

import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx

from tests.e2e.building import build
from tests.e2e.polling import until
from tests.e2e.programs import clean_environment, tail
from tests.e2e.serving import HOST, Answer, free_ports
from tests.kit.keeper import KEEPER

FOLDER: Final = Path(__file__).resolve().parent
PROGRAMS: Final = FOLDER / "target"
# In the order in which they are started.
NAMES: Final = ("placement", "scheduler", "daprd")
# Both are what Dapr's own releases are built with; the version stands in go.mod as well.
VERSION: Final = "1.18.2"
TAGS: Final = "stablecomponents"
# It is large, and on a fresh machine some 600 modules are fetched first.
BUILD_DEADLINE_S: Final = 2_400.0
START_DEADLINE_S: Final = 60.0
STOP_DEADLINE_S: Final = 10.0
_PORTS: Final = 11
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
      value: "{file}"
    - name: actorStateStore
      value: "true"
"""


def build_it() -> None:
    """Build all three; Go sees for itself whether anything has changed."""
    command = [
        *("go", "build", "-tags", TAGS, "-o", f"{PROGRAMS}/"),
        *("-ldflags", f"-X github.com/dapr/dapr/pkg/buildinfo.version={VERSION}"),
        *(f"github.com/dapr/dapr/cmd/{name}" for name in NAMES),
    ]
    build(command, folder=FOLDER, deadline_s=BUILD_DEADLINE_S)


@dataclass(slots=True)
class Sidecar:
    """One daprd in a folder of its own; its state is in an SQLite file, its timers in etcd's."""

    folder: Path
    app_id: str = "wfapp"
    options: tuple[str, ...] = ()
    token: str | None = None
    beside: "Sidecar | None" = None  # whose services and state are used, for another app
    programs: Path = PROGRAMS
    ports: list[int] = field(default_factory=lambda: free_ports(_PORTS))
    _running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def http_port(self) -> int:
        """Where it speaks HTTP."""
        return self.ports[0]

    @property
    def grpc_port(self) -> int:
        """Where it speaks gRPC."""
        return self.ports[1]

    @property
    def log(self) -> Path:
        """What daprd says."""
        return self.folder / "daprd.log"

    @property
    def worker_environment(self) -> dict[str, str]:
        """What a Dapr SDK reads to find its sidecar."""
        return {
            "DAPR_GRPC_PORT": str(self.grpc_port),
            "DAPR_HTTP_PORT": str(self.http_port),
            "DAPR_RUNTIME_HOST": HOST,
            **self._token,
        }

    @property
    def _token(self) -> dict[str, str]:
        return {} if self.token is None else {"DAPR_API_TOKEN": self.token}

    def start(self) -> "Sidecar":
        """Start all three, and return once the sidecar says that it is ready."""
        try:
            commands = self._commands()
            for name in NAMES if self.beside is None else ("daprd",):
                self._begin(name, commands[name])
            self._await_ready()
        except BaseException:
            self.close()
            raise
        return self

    def kill(self) -> None:
        """Kill the sidecar alone, as a crash does."""
        sidecar = self._running.pop()
        sidecar.kill()
        sidecar.wait()
        KEEPER.let_go(sidecar.pid)

    def start_again(self) -> None:
        """Start the sidecar alone, and return once it is ready."""
        self._begin("daprd", self._commands()["daprd"])
        self._await_ready()

    def close(self) -> None:
        """End all three, the sidecar first."""
        while self._running:
            process = self._running.pop()
            process.terminate()
            try:
                process.wait(STOP_DEADLINE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            KEEPER.let_go(process.pid)

    def request(
        self, method: str, path: str, body: bytes | str | None = None, timeout_s: float = 30.0
    ) -> Answer:
        """Ask it over HTTP."""
        with httpx.Client(trust_env=False, timeout=timeout_s) as client:
            url = f"http://{HOST}:{self.http_port}{path}"
            headers = {} if self.token is None else {"dapr-api-token": self.token}
            answer = client.request(method, url, content=body, headers=headers)
        return Answer(answer.status_code, dict(answer.headers), answer.text)

    def _commands(self) -> dict[str, list[str]]:
        http, grpc, internal, *_ = map(str, self.ports)
        host = self.beside or self
        placement, p_health, raft, scheduler, s_health, client, peers, _ = map(str, host.ports[3:])
        resources = host.folder / "components"
        resources.mkdir(exist_ok=True)
        (resources / "state.yaml").write_text(_STATE.format(file=host.folder / "dapr.db"))
        return {
            "placement": [
                *("--port", placement, "--healthz-port", p_health, "--listen-address", HOST),
                *("--initial-cluster", f"dapr-placement-0={HOST}:{raft}"),
            ],
            "scheduler": [
                *("--port", scheduler, "--healthz-port", s_health, "--listen-address", HOST),
                *("--etcd-data-dir", str(self.folder / "etcd"), "--etcd-client-port", client),
                *("--id", "dapr-scheduler-server-0", "--etcd-initial-cluster"),
                f"dapr-scheduler-server-0=http://{HOST}:{peers}",
            ],
            "daprd": [
                *("--app-id", self.app_id, "--dapr-http-port", http, "--dapr-grpc-port", grpc),
                *("--dapr-internal-grpc-port", internal, "--dapr-listen-addresses", HOST),
                *("--placement-host-address", f"{HOST}:{placement}"),
                *("--scheduler-host-address", f"{HOST}:{scheduler}"),
                *("--resources-path", str(resources), *self.options),
            ],
        }

    def _begin(self, name: str, options: list[str]) -> None:
        program = self.programs / name
        assert program.exists(), f"{program} was not built: `make test-daprd` builds it"
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [str(program), *options, "--enable-metrics=false"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env=clean_environment(self._token),
            )
        KEEPER.keep(process.pid)
        self._running.append(process)

    def _await_ready(self) -> None:
        names = NAMES[-len(self._running) :]

        def look() -> tuple[bool, str]:
            ended = [names[n] for n, each in enumerate(self._running) if each.poll() is not None]
            assert not ended, f"{ended} ended:\n{tail(self.folder / f'{ended[0]}.log')}"
            return self._is_ready(), tail(self.log)

        until(look, lambda seen: seen[0], deadline_s=START_DEADLINE_S, what="daprd is ready")

    def _is_ready(self) -> bool:
        try:
            answer = self.request("GET", "/v1.0/healthz/outbound")
            metadata = self.request("GET", "/v1.0/metadata")
        except httpx.TransportError:
            # Nobody listens yet: that is what is being waited for.
            return False
        # Until the scheduler is found, timers and reminders of workflows are refused.
        return answer.status == httpx.codes.NO_CONTENT and "connected_addresses" in metadata.text


if __name__ == "__main__":
    # `python -m tests.e2e.daprd.sidecar` builds it ahead of time.
    build_it()
