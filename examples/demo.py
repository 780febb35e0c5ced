"""What `make demo` shows: two orders on their way through a server and a worker.

It starts `perdure serve` with a store of its own and, as a second process, the order worker, which
is written with the released Dapr Python SDK. Everything else it does over HTTP, as anybody could
with curl. It exits with 0 if both orders went as they should.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[1]
WORKER_PYTHON = ROOT / ".venvs" / "dapr-1.18.3" / "bin" / "python"
WORKER = ROOT / "examples" / "order_processing" / "app.py"
STEP_DEADLINE_S = 30.0
STOP_DEADLINE_S = 10.0
POLL_S = 0.1
LOG_LINES = 30

State = dict[str, Any]

GOOD_ORDER = {"customer": "Ada", "item": "loom", "quantity": 2, "price": 700, "city": "Lisbon"}
BAD_ORDER = {
    "customer": "Percy",
    "item": "telescope",
    "quantity": 1,
    "price": 90,
    "city": "Atlantis",
}


class DemoError(Exception):
    """Something did not go as it should; the text says what."""


class Narrator:
    """Prints one line for each thing that happens, with the seconds since the beginning."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._lock = threading.Lock()

    def tell(self, who: str, words: str) -> None:
        with self._lock:
            print(f"{time.monotonic() - self._began:6.2f} s  {who:<7} {words}", flush=True)


class Demo:
    """A server and a worker, what is asked of them, and what they say."""

    def __init__(self, folder: Path, narrator: Narrator, cleanup: ExitStack) -> None:
        self._folder = folder
        self._narrator = narrator
        self._cleanup = cleanup
        self._http_port, self._grpc_port = free_ports()
        self.logs = [folder / "server.log", folder / "worker.log"]

    def start_server(self) -> None:
        store = self._folder / "demo.db"
        ports = ["--dapr-http-port", str(self._http_port), "--dapr-grpc-port", str(self._grpc_port)]
        command = [sys.executable, "-m", "perdure", "serve", "--store", str(store), *ports]
        process = self._spawn([*command, "--app-id", "orders"], self.logs[0], subprocess.DEVNULL)
        await_that("the server is ready", self._is_ready, process.poll)
        self._narrator.tell("server", f"perdure serves on port {self._http_port}, with one file")

    def start_worker(self) -> None:
        process = self._spawn([str(WORKER_PYTHON), str(WORKER)], self.logs[1], subprocess.PIPE)
        ready = threading.Event()
        reader = threading.Thread(target=self._relay, args=(process, ready), daemon=True)
        reader.start()
        await_that("the worker is ready", ready.is_set, process.poll)

    def _relay(self, process: subprocess.Popen[str], ready: threading.Event) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self._narrator.tell("worker", line.rstrip())
            ready.set()

    def _spawn(self, command: list[str], log: Path, output: int) -> subprocess.Popen[str]:
        environment = {
            **os.environ,
            "DAPR_GRPC_PORT": str(self._grpc_port),
            "DAPR_HTTP_PORT": str(self._http_port),
            "PYTHONUNBUFFERED": "1",
        }
        with log.open("w") as trouble:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=trouble if output == subprocess.DEVNULL else output,
                stderr=trouble,
                cwd=self._folder,
                env=environment,
                text=True,
            )
        self._cleanup.callback(end, process)
        return process

    def start_order(self, order_id: str, order: dict[str, Any]) -> None:
        answer = self._ask("POST", f"order_processing/{order_id}/start", order)
        self._narrator.tell("caller", f"started {order_id}: {json.dumps(order)}")
        self._narrator.tell(
            "caller", f"was answered {answer.status_code}, see {answer.headers['Location']}"
        )

    def approve(self, order_id: str) -> None:
        self.await_order(order_id, lambda state: "approval" in str(state.get("customStatus")))
        self._narrator.tell("caller", f"sees {order_id} {self.state(order_id)['customStatus']}")
        decision = {"approved": True, "by": "Charles"}
        answer = self._ask("POST", f"order_processing/{order_id}/raiseEvent/approval", decision)
        self._narrator.tell("caller", f"approves it over HTTP, was answered {answer.status_code}")

    def await_order(self, order_id: str, met: Callable[[State], bool]) -> State:
        """Tell each change of the order's status until it is as wanted."""
        told = ""

        def look() -> bool:
            nonlocal told
            state = self.state(order_id)
            status = f"{state['runtimeStatus']}, {state.get('customStatus') or 'nothing said yet'}"
            if status != told:
                told = status
                self._narrator.tell("caller", f"sees {order_id} {status}")
            return met(state)

        await_that(f"{order_id} comes as far as it should", look)
        return self.state(order_id)

    def state(self, order_id: str) -> State:
        state: State = self._ask("GET", f"order_processing/{order_id}").json()
        return state

    def _ask(self, method: str, path: str, body: object = None) -> httpx.Response:
        answer = self._request(method, f"/v1.0/workflows/{path}", body)
        if answer.is_error:
            raise DemoError(f"{method} {path} was answered {answer.status_code}: {answer.text}")
        return answer

    def _is_ready(self) -> bool:
        try:
            return self._request("GET", "/v1.0/healthz").is_success
        except httpx.TransportError:
            # Nobody listens yet.
            return False

    def _request(self, method: str, path: str, body: object = None) -> httpx.Response:
        url = f"http://127.0.0.1:{self._http_port}{path}"
        with httpx.Client(trust_env=False, timeout=STEP_DEADLINE_S) as client:
            return client.request(method, url, content=None if body is None else json.dumps(body))


def free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        return one.getsockname()[1], two.getsockname()[1]


def await_that(
    what: str, met: Callable[[], bool], ended: Callable[[], int | None] = lambda: None
) -> None:
    end_of_patience = time.monotonic() + STEP_DEADLINE_S
    while not met():
        if (code := ended()) is not None:
            raise DemoError(f"waiting that {what}, but the process ended with {code}")
        if time.monotonic() > end_of_patience:
            raise DemoError(f"within {STEP_DEADLINE_S:.0f} s it did not happen that {what}")
        time.sleep(POLL_S)


def end(process: subprocess.Popen[str]) -> None:
    """Stop a process as an operator does, and kill it only if it does not stop."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_DEADLINE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def has_ended(state: State) -> bool:
    return state["runtimeStatus"] in {"COMPLETED", "FAILED", "TERMINATED"}


def check(state: State, status: str, custom_status: str) -> None:
    seen = (state["runtimeStatus"], state.get("customStatus"))
    if seen != (status, custom_status):
        raise DemoError(f"it should be {status} and {custom_status}, but is {seen}: {state}")


def show(narrator: Narrator, title: str, state: State) -> None:
    narrator.tell("caller", title)
    print("\n" + json.dumps(state, indent=2, ensure_ascii=False) + "\n", flush=True)


def run(demo: Demo, narrator: Narrator) -> None:
    demo.start_server()
    demo.start_worker()

    narrator.tell("caller", "— an order that needs an approval —")
    demo.start_order("order-1", GOOD_ORDER)
    demo.approve("order-1")
    shipped = demo.await_order("order-1", has_ended)
    show(narrator, "GET /v1.0/workflows/order_processing/order-1", shipped)
    check(shipped, "COMPLETED", "done")

    narrator.tell("caller", "— an order that nobody can deliver: what was done is undone —")
    demo.start_order("order-2", BAD_ORDER)
    cancelled = demo.await_order("order-2", has_ended)
    show(narrator, "GET /v1.0/workflows/order_processing/order-2", cancelled)
    check(cancelled, "FAILED", "undone")
    narrator.tell("caller", "Both orders went as they should.")


def main() -> int:
    if not WORKER_PYTHON.exists():
        print(f"There is no {WORKER_PYTHON}: run `make demo`, which makes it.", file=sys.stderr)
        return 1
    narrator = Narrator()
    # The processes end before their folder goes: the stack unwinds from its end.
    with tempfile.TemporaryDirectory(prefix="perdure-demo-") as folder, ExitStack() as cleanup:
        demo = Demo(Path(folder), narrator, cleanup)
        try:
            run(demo, narrator)
        except (DemoError, OSError, httpx.HTTPError) as error:
            print(f"\nThe demo failed: {error}", file=sys.stderr)
            for log in demo.logs:
                lines = log.read_text().splitlines()[-LOG_LINES:] if log.exists() else []
                print(f"\n--- end of {log.name}\n" + "\n".join(lines), file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
