"""`perdure run`: a real server and an application, together from the first line to the last."""

import json
import os
import signal
import socket
import sys

import pytest

from tests.conformance.cli.calling import Caller

NAMES = (
    "APP_ID",
    "DAPR_HTTP_PORT",
    "DAPR_GRPC_PORT",
    "DAPR_HTTP_ENDPOINT",
    "DAPR_GRPC_ENDPOINT",
    "DAPR_API_TOKEN",
)
TELL = f"import json, os; print(json.dumps({{k: os.environ.get(k) for k in {NAMES!r}}}))"
STARTS = """
import os, urllib.error, urllib.request as web
request = web.Request(
    os.environ["DAPR_HTTP_ENDPOINT"] + "/v1.0/workflows/order/order-1/start",
    method="POST",
    headers={"dapr-api-token": os.environ["DAPR_API_TOKEN"]},
)
try:
    print("start:", web.build_opener(web.ProxyHandler({})).open(request).status)
except urllib.error.HTTPError as error:
    print("start:", error.code)
"""
WAITS = "import os, signal; print('ready', os.getpid(), flush=True); signal.pause()"


def run(*arguments: str) -> list[str]:
    return ["run", "--log-level", "warn", *arguments, "--", sys.executable, "-c"]


def test_the_application_is_told_where_its_server_is(caller: Caller) -> None:
    told = caller.call(*run("--app-id", "shop"), TELL).stdout
    environ = json.loads(told.removeprefix("== APP == "))
    assert environ["APP_ID"] == "shop"
    http_port, grpc_port = environ["DAPR_HTTP_PORT"], environ["DAPR_GRPC_PORT"]
    assert {http_port, grpc_port}.isdisjoint({"3500", "50001"})
    assert environ["DAPR_HTTP_ENDPOINT"] == f"http://127.0.0.1:{http_port}"
    assert environ["DAPR_GRPC_ENDPOINT"] == f"http://127.0.0.1:{grpc_port}"
    assert environ["DAPR_API_TOKEN"] is None


def test_the_application_can_use_its_server_from_its_first_line_on(caller: Caller) -> None:
    with_token = Caller(caller.folder, {"DAPR_API_TOKEN": "s3cret-token"})
    finished = with_token.call(*run(), STARTS)
    assert finished.stdout == "== APP == start: 202\n"
    assert "s3cret-token" not in finished.stderr
    # What was started outlives both: it is in the file.
    assert with_token.call(*run(), STARTS).stdout == "== APP == start: 409\n"


@pytest.mark.parametrize("code", [0, 7])
def test_the_exit_code_is_that_of_the_application(caller: Caller, code: int) -> None:
    told = caller.call(*run(), f"import sys; sys.exit({code})", code=code).stderr
    assert f"ended with exit code {code}" in told


def test_ctrl_c_stops_both(caller: Caller) -> None:
    with caller.running("run", "--", sys.executable, "-c", WAITS) as lines:
        told = lines.read_until("Server: HTTP")
        port = int(told.partition("127.0.0.1:")[2].partition(",")[0])
        lines.read_until("ready")
        socket.create_connection(("127.0.0.1", port)).close()
        lines.process.send_signal(signal.SIGINT)
        assert lines.end() == 130
    assert any("stopped" in line for line in lines.seen)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_a_server_that_dies_takes_the_application_with_it(caller: Caller) -> None:
    with caller.running("run", "--", sys.executable, "-c", WAITS) as lines:
        server_id = lines.read_until("is ready").partition("process=")[2]
        lines.read_until("== APP == ready")
        os.kill(int(server_id), signal.SIGKILL)
        assert lines.end() == 1
    assert "The server ended with exit code 137" in lines.text


def test_ports_that_were_asked_for_are_taken(caller: Caller) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    told = caller.call(*run("--dapr-http-port", str(port)), TELL).stdout
    assert json.loads(told.removeprefix("== APP == "))["DAPR_HTTP_PORT"] == str(port)


def test_a_port_in_use_is_told_before_anything_starts(caller: Caller) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        told = caller.call(*run("--dapr-grpc-port", str(port)), TELL, code=2)
    assert f"Port {port}" in told.stderr
    assert "APP" not in told.stdout
    assert not (caller.folder / "perdure.db").exists()


def test_a_file_in_use_is_told_and_the_application_is_not_started(caller: Caller) -> None:
    with caller.running("run", "--", sys.executable, "-c", WAITS) as lines:
        lines.read_until("== APP == ready")
        second = caller.call(*run(), TELL, code=4)
    assert "before it was ready" in second.stderr
    assert second.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["run", "--", "no-such-program"], 3, "no-such-program"),
        (["run", "--store", "none/x.db", "--", "true"], 2, "--store"),
        (["run", "--max-body-size", "x", "--", "true"], 2, "--max-body-size"),
    ],
)
def test_what_cannot_start_is_told(
    caller: Caller, arguments: list[str], code: int, said: str
) -> None:
    assert said in caller.call(*arguments, code=code).stderr
