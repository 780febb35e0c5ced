"""A real `perdure serve` as its own process, for tests that must see it die and come back."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.polling import POLL_S, until
from tests.e2e.programs import clean_environment, tail
from tests.kit.keeper import KEEPER

HOST = "127.0.0.1"
START_DEADLINE_S = 30.0
STOP_DEADLINE_S = 20.0


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago. All are held until the last is found, so they differ."""
    with _held(count) as sockets:
        return [taken.getsockname()[1] for taken in sockets]


@contextmanager
def _held(count: int) -> Iterator[list[socket.socket]]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind((HOST, 0))
        yield sockets
    finally:
        for each in sockets:
            each.close()


@dataclass(frozen=True, slots=True)
class Answer:
    """What an HTTP request came back with."""

    status: int
    headers: Mapping[str, str]
    text: str

    def json(self) -> Any:
        return json.loads(self.text)


@dataclass(slots=True)
class Server:
    """`perdure serve` on a store and on ports of its own, which are the same after a restart."""

    store: Path
    log: Path
    http_port: int
    grpc_port: int
    app_id: str = "wfapp"
    options: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    store_url: str | None = None  # instead of the file
    _process: subprocess.Popen[bytes] | None = None

    @classmethod
    def in_folder(cls, folder: Path, *options: str) -> "Server":
        http_port, grpc_port = free_ports(2)
        return cls(
            folder / "store.db", folder / "server.log", http_port, grpc_port, options=options
        )

    @property
    def pid(self) -> int:
        """The process, while it runs."""
        assert self._process is not None, "the server is not running"
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether it was started, and not ended by the test."""
        return self._process is not None

    @property
    def command(self) -> list[str]:
        return [
            *(sys.executable, "-m", "perdure", "serve"),
            *("--store", self.store_url or str(self.store)),
            *("--dapr-http-port", str(self.http_port)),
            *("--dapr-grpc-port", str(self.grpc_port)),
            *("--app-id", self.app_id),
            *self.options,
        ]

    @property
    def worker_environment(self) -> dict[str, str]:
        """What a Dapr SDK reads to find its server."""
        return {
            "DAPR_GRPC_PORT": str(self.grpc_port),
            "DAPR_HTTP_PORT": str(self.http_port),
            "DAPR_RUNTIME_HOST": HOST,
            **self._token,
        }

    @property
    def _token(self) -> dict[str, str]:
        return {k: v for k, v in self.environment.items() if k == "DAPR_API_TOKEN"}

    def start(self) -> "Server":
        """Start it and return once it says that it is ready."""
        assert self._process is None, "the server is already running"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.store.parent,
                env=clean_environment(self.environment),
            )
        KEEPER.keep(self._process.pid)
        self._await_ready(self._process)
        return self

    def _await_ready(self, process: subprocess.Popen[bytes]) -> None:
        end = time.monotonic() + START_DEADLINE_S
        while time.monotonic() < end:
            code = process.poll()
            if code is not None:
                self._process = None
                raise AssertionError(f"the server ended with {code}:\n{tail(self.log)}")
            if self._is_ready():
                return
            time.sleep(POLL_S)
        self.kill()
        raise AssertionError(f"not ready within {START_DEADLINE_S} s:\n{tail(self.log)}")

    def _is_ready(self) -> bool:
        try:
            return self.request("GET", "/v1.0/healthz").status == httpx.codes.NO_CONTENT
        except httpx.TransportError:
            # Nobody listens yet: that is what is being waited for.
            return False

    def stop(self) -> int:
        """Stop it as an operator does, with SIGTERM, and return its exit code."""
        process = self._release()
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(
                f"did not stop within {STOP_DEADLINE_S} s of SIGTERM:\n{tail(self.log)}"
            ) from None

    def kill(self) -> None:
        """Kill it as a crash does, with SIGKILL."""
        process = self._release()
        process.kill()
        process.wait()

    def close(self) -> None:
        """Stop it if it runs, however the test has left it."""
        if self._process is not None:
            self.stop()

    def _release(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "the server is not running"
        process, self._process = self._process, None
        KEEPER.let_go(process.pid)
        return process

    def request(
        self,
        method: str,
        path: str,
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = 30.0,
    ) -> Answer:
        token = self.environment.get("DAPR_API_TOKEN")
        known = {} if token is None else {"dapr-api-token": token}
        # The proxy settings of the machine are not for a server on the loopback address.
        with httpx.Client(trust_env=False, timeout=timeout_s) as client:
            answer = client.request(
                method,
                f"http://{HOST}:{self.http_port}{path}",
                content=body,
                headers={**known, **(headers or {})},
            )
        return Answer(answer.status_code, dict(answer.headers), answer.text)

    def begin(self, workflow: str, instance_id: str, value: object = None) -> None:
        """Start a workflow in the released form, as an SDK over HTTP would."""
        path = f"/v1.0/workflows/dapr/{workflow}/start?instanceID={instance_id}"
        answer = self.request("POST", path, json.dumps(value))
        assert answer.status == httpx.codes.ACCEPTED, answer

    def raise_event(self, instance_id: str, event: str, value: object = None) -> None:
        path = f"/v1.0/workflows/dapr/{instance_id}/raiseEvent/{event}"
        answer = self.request("POST", path, json.dumps(value))
        assert answer.status == httpx.codes.ACCEPTED, answer

    def state(self, instance_id: str) -> dict[str, Any]:
        answer = self.request("GET", f"/v1.0/workflows/dapr/{instance_id}")
        assert answer.status == httpx.codes.OK, answer
        state: dict[str, Any] = answer.json()
        return state

    def await_state(
        self, instance_id: str, met: Callable[[dict[str, Any]], bool], deadline_s: float = 40.0
    ) -> dict[str, Any]:
        """Ask for the instance's state until it is as wanted."""
        try:
            return until(
                lambda: self.state(instance_id),
                met,
                deadline_s=deadline_s,
                what=f"{instance_id} is as wanted",
            )
        except AssertionError as error:
            error.add_note(tail(self.log))
            raise

    def await_status(
        self, instance_id: str, status: str, deadline_s: float = 40.0
    ) -> dict[str, Any]:
        return self.await_state(
            instance_id, lambda state: state["runtimeStatus"] == status, deadline_s
        )

    def output(self, instance_id: str, deadline_s: float = 40.0) -> Any:
        """Wait until the instance has completed and return what it returned."""
        state = self.await_state(
            instance_id,
            lambda state: state["runtimeStatus"] in {"COMPLETED", "FAILED", "TERMINATED"},
            deadline_s,
        )
        assert state["runtimeStatus"] == "COMPLETED", state
        return json.loads(state["properties"]["dapr.workflow.output"])
