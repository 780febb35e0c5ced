"""Bad input on the HTTP port of a real server: a clear error each, and everybody else goes on."""

import json
import socket
from pathlib import Path
from random import Random

import httpx
import pytest

from tests.e2e.hostile.hands import fresh, going_on
from tests.e2e.hostile.sockets import connected, greeting, reset, send_all, until_closed
from tests.e2e.serving import HOST, Server

MIB = 1024 * 1024
START = "/v1.0/workflows/flow/{}/start"


def status_of(answer: bytes) -> int:
    assert answer.startswith(b"HTTP/1.1 "), answer[:200]
    return int(answer.split()[1])


def exists(server: Server, instance: str) -> bool:
    return server.request("GET", f"/v1.0/workflows/dapr/{instance}").status != 404


@pytest.mark.parametrize("in_chunks", [False, True], ids=["announced", "in-chunks"])
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1.0/workflows/flow/{}/start", 413),
        ("/v1.0/workflows/dapr/flow/start?instanceID={}", 400),
        ("/v1.0/workflows/query", 413),
    ],
)
def test_a_body_that_is_too_large(server: Server, path: str, status: int, in_chunks: bool) -> None:
    instance = fresh("large")
    whole = b"1" * (5 * MIB)
    body = (whole[at : at + MIB] for at in range(0, len(whole), MIB)) if in_chunks else whole
    with going_on(server), httpx.Client(trust_env=False, timeout=30) as client:
        url = f"http://{HOST}:{server.http_port}{path.format(instance)}"
        answer = client.post(url, content=body)
        assert answer.status_code == status
        assert "too large" in answer.json()["message"], answer.text
        assert not exists(server, instance)


def test_a_body_of_a_gibibyte_is_not_read(server: Server) -> None:
    with going_on(server), connected(server.http_port) as opened:
        head = f"POST {START.format(fresh('huge'))} HTTP/1.1\r\nHost: x\r\nContent-Length: {2**30}"
        opened.sendall(head.encode() + b"\r\n\r\n")
        assert status_of(opened.recv(65_536)) == 413
        resident = Path(f"/proc/{server.pid}/statm").read_text().split()[1]
        assert int(resident) * 4096 < 400 * MIB


@pytest.mark.parametrize("leave", [reset, socket.socket.close], ids=["with-a-reset", "with-an-end"])
def test_a_client_that_goes_in_the_middle_of_its_request(server: Server, leave: object) -> None:
    assert callable(leave)
    instance = fresh("gone")
    with going_on(server):
        for _ in range(50):
            with connected(server.http_port) as opened:
                head = f"POST {START.format(instance)} HTTP/1.1\r\nHost: x\r\nContent-Length: 9"
                opened.sendall(head.encode() + b"\r\n\r\n1234")
                leave(opened)
        assert not exists(server, instance)


def test_a_client_that_stops_sending_and_still_listens(server: Server) -> None:
    with going_on(server), connected(server.http_port) as opened:
        opened.sendall(b"GET /v1.0/healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        opened.shutdown(socket.SHUT_WR)
        assert status_of(until_closed(opened)) == 204


def test_clients_that_say_nothing(server: Server) -> None:
    """Two hundred connections that begin a request and never go on with it."""
    with going_on(server) as hands:
        silent = [socket.create_connection((HOST, server.http_port)) for _ in range(200)]
        try:
            for opened in silent:
                opened.sendall(b"POST /v1.0/workflows/flow/silent/start HTTP/1.1\r\nHost:")
            hands.rest(hands.half(fresh("amid")))
        finally:
            for opened in silent:
                opened.close()


@pytest.mark.parametrize("seed", range(3))
def test_random_bytes(server: Server, seed: int) -> None:
    random = Random(seed)
    with going_on(server):
        for _ in range(100):
            with connected(server.http_port) as opened:
                send_all(opened, random.randbytes(random.choice((1, 20, 300, 5_000))))
                if random.random() < 0.5:
                    opened.shutdown(socket.SHUT_WR)
                    assert until_closed(opened)[:9] in {b"", b"HTTP/1.1 "}
                else:
                    reset(opened)


def test_the_other_ports_protocol(server: Server) -> None:
    with going_on(server), connected(server.http_port) as opened:
        opened.sendall(greeting())
        assert status_of(until_closed(opened)) >= 400


@pytest.mark.parametrize("token", [None, "", "wrong", "secre", "secret2", "SECRET", "sécret"])
def test_a_token_that_is_none(tmp_path: Path, token: str | None) -> None:
    server = Server.in_folder(tmp_path)
    server.environment = {"DAPR_API_TOKEN": "secret"}
    server.start()
    try:
        headers: dict[bytes, bytes] = {}
        if token is not None:
            headers[b"dapr-api-token"] = token.encode("latin-1")
        url = f"http://{HOST}:{server.http_port}/v1.0/workflows"
        with httpx.Client(trust_env=False) as client:
            for path in ("/flow/i/start", "/dapr/i/raiseEvent/go", "/dapr/i/terminate"):
                answer = client.post(url + path, headers=headers)
                assert (answer.status_code, answer.text) == (401, "invalid api token")
            assert client.get(url, headers=headers).status_code == 401
            shutdown = f"http://{HOST}:{server.http_port}/v1.0/shutdown"
            assert client.post(shutdown, headers=headers).status_code == 401
        assert json.loads(server.request("GET", "/v1.0/workflows").text) == {"instances": []}
    finally:
        server.close()
