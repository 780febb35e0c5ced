"""`perdure serve` as an operator meets it: what it tells, how it ends, what it refuses."""

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from perdure.cli.run import choose_ports
from tests.conformance.cli.calling import Caller, Lines

TOKEN = "s3cret-token"


@contextmanager
def serving(caller: Caller, *arguments: str) -> Iterator[tuple[Lines, Caller]]:
    """A server, and a caller in the same folder who knows where it is."""
    http_port, grpc_port = choose_ports("127.0.0.1", 0, 0)
    ports = ("--dapr-http-port", str(http_port), "--dapr-grpc-port", str(grpc_port))
    with caller.running("serve", *ports, *arguments) as server:
        server.read_until("is ready")
        yield server, Caller(caller.folder, {"DAPR_HTTP_PORT": str(http_port)})


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_in_good_order(caller: Caller, number: signal.Signals) -> None:
    with serving(caller) as (server, there):
        order = there.workflow("start", "order").strip()
        server.process.send_signal(number)
        assert server.end() == 0
    assert "Traceback" not in server.text
    with serving(caller) as (_, there):
        assert there.read("get", order)["runtimeStatus"] == "PENDING"


def test_a_port_in_use_is_told(caller: Caller) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        told = caller.call("serve", "--dapr-http-port", str(port), code=2).stderr
    assert str(port) in told
    assert "--dapr-http-port" in told


def test_a_file_in_use_is_told(caller: Caller) -> None:
    with serving(caller):
        ports = ("--dapr-http-port", "0", "--dapr-grpc-port", "0")
        told = caller.call("serve", *ports, code=4).stderr
    assert "perdure.db" in told
    assert "--store" in told


def test_a_file_that_is_no_store_is_told(caller: Caller) -> None:
    (caller.folder / "perdure.db").write_text("no database at all, but a text" * 50, "utf-8")
    told = caller.call("serve", "--dapr-http-port", "0", "--dapr-grpc-port", "0", code=1).stderr
    assert "perdure.db" in told
    assert "--store" in told


def test_a_bad_configuration_is_told_with_its_place(caller: Caller, tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(
        "apiVersion: dapr.io/v1alpha1\nkind: Configuration\n"
        "metadata:\n  name: shop\nspec:\n"
        "  workflow:\n    stateRetentionPolicy:\n      completed: soon\n",
        "utf-8",
    )
    told = caller.call("serve", "--config", str(file), code=2).stderr
    assert "config.yaml:8:7: spec.workflow.stateRetentionPolicy.completed" in told
    assert "1h30m" in told


def test_a_token_is_asked_for_and_never_told(caller: Caller) -> None:
    with_token = Caller(caller.folder, {"DAPR_API_TOKEN": TOKEN})
    with serving(with_token) as (server, there):
        assert "Set DAPR_API_TOKEN" in there.trouble("list", code=6)
        wrong = Caller(there.folder, {**there.environ, "DAPR_API_TOKEN": "wr0ng-token"})
        told = wrong.trouble("start", "order", code=6)
        assert "differs" in told
        assert "wr0ng-token" not in told
        right = Caller(there.folder, {**there.environ, "DAPR_API_TOKEN": TOKEN})
        order = right.ask("start", "order")
        shown = right.ask("get", order.stdout.strip())
        assert TOKEN not in shown.stdout + shown.stderr + order.stderr
        server.process.terminate()
        assert server.end() == 0
    assert TOKEN not in server.text


def test_no_server_is_told_with_where_it_was_looked_for(caller: Caller) -> None:
    [port] = choose_ports("127.0.0.1", 0)
    there = Caller(caller.folder, {"DAPR_HTTP_PORT": str(port)})
    told = there.trouble("list", code=5)
    assert f"http://127.0.0.1:{port} (DAPR_HTTP_PORT)" in told
    assert "perdure serve" in told


def test_the_grpc_port_is_told_from_the_http_port(caller: Caller) -> None:
    http_port, grpc_port = choose_ports("127.0.0.1", 0, 0)
    ports = ("--dapr-http-port", str(http_port), "--dapr-grpc-port", str(grpc_port))
    with caller.running("serve", *ports) as server:
        server.read_until("is ready")
        told = caller.trouble("list", "--server", f"127.0.0.1:{grpc_port}", code=5)
    assert "gRPC port" in told


def test_a_server_that_stops_while_it_is_waited_for_is_told(caller: Caller) -> None:
    with serving(caller) as (server, there):
        order = there.workflow("start", "order").strip()
        with there.running("workflow", "watch", order) as watch:
            watch.read_until("PENDING")
            server.process.kill()
            assert watch.end() == 5
    assert "Traceback" not in watch.text
    assert "error:" in watch.text


def test_what_is_too_large_is_told(caller: Caller) -> None:
    with serving(caller, "--max-body-size", "64Ki") as (_, there):
        large = caller.folder / "large.json"
        large.write_text('"' + "x" * 100_000 + '"', "utf-8")
        told = there.trouble("start", "order", "--input-file", str(large), code=2)
    assert "--max-body-size" in told
