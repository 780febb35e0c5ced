"""What `perdure run` works out before it starts anything."""

import socket
import sys

import pytest

from perdure.cli.exits import ExitCode, Trouble
from perdure.cli.run import app_environ, asked_ports, callable_host, check_program, choose_ports


@pytest.mark.parametrize(
    ("addresses", "host"),
    [
        (["127.0.0.1"], "127.0.0.1"),
        (["0.0.0.0", "127.0.0.1"], "127.0.0.1"),
        (["[::]"], "::1"),
        (["10.1.2.3", "127.0.0.1"], "10.1.2.3"),
    ],
)
def test_the_server_is_called_where_it_listens(addresses: list[str], host: str) -> None:
    assert callable_host(addresses) == host


def test_a_flag_wins_over_the_environment_and_without_both_any_port_will_do() -> None:
    environ = {"DAPR_HTTP_PORT": "41", "DAPR_GRPC_PORT": ""}
    assert asked_ports({"dapr_http_port": 42}, environ) == (42, 0)
    assert asked_ports({}, environ) == (41, 0)
    assert asked_ports({}, {}) == (0, 0)


def test_free_ports_differ() -> None:
    ports = choose_ports("127.0.0.1", 0, 0)
    assert len(set(ports)) == 2
    assert all(ports)


def test_a_port_in_use_is_told() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(Trouble, match=f"Port {port}") as caught:
            choose_ports("127.0.0.1", port, 0)
    assert caught.value.code is ExitCode.USAGE
    assert "--dapr-http-port" in caught.value.advice


def test_a_program_that_is_not_there_is_told_before_anything_starts() -> None:
    check_program([sys.executable])
    with pytest.raises(Trouble, match="no-such-program") as caught:
        check_program(["no-such-program", "app.py"])
    assert caught.value.code is ExitCode.NOT_FOUND


def test_the_application_finds_the_server_by_its_environment() -> None:
    environ = app_environ(
        {"DAPR_API_TOKEN": "secret", "APP_ID": "other", "DAPR_HTTP_PORT": "1", "HOME": "there"},
        app_id="shop",
        http_address="[::1]:41",
        grpc_address="[::1]:42",
        grpc_scheme="https",
    )
    assert environ == {
        "DAPR_API_TOKEN": "secret",
        "HOME": "there",
        "APP_ID": "shop",
        "DAPR_HTTP_PORT": "41",
        "DAPR_GRPC_PORT": "42",
        "DAPR_HTTP_ENDPOINT": "http://[::1]:41",
        "DAPR_GRPC_ENDPOINT": "https://[::1]:42",
        "PYTHONUNBUFFERED": "1",
    }


def test_who_wants_python_to_hold_lines_back_is_heard() -> None:
    environ = app_environ(
        {"PYTHONUNBUFFERED": ""},
        app_id="a",
        http_address="h:1",
        grpc_address="h:2",
        grpc_scheme="http",
    )
    assert environ["PYTHONUNBUFFERED"] == ""
