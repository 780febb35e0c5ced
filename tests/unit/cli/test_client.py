"""Every way in which a call can fail, against servers that fail in just that way."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from perdure.cli.address import Address
from perdure.cli.client import Client
from perdure.cli.exits import ExitCode, Trouble


@contextmanager
def answering(reply: bytes | None) -> Iterator[tuple[str, list[bytes]]]:
    """A server for one call: it reads the request's head, sends `reply` and hangs up."""
    requests: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = threading.Thread(target=_answer, args=(listener, reply, requests))
        serving.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", requests
        serving.join()


def _answer(listener: socket.socket, reply: bytes | None, requests: list[bytes]) -> None:
    connection, _ = listener.accept()
    with connection:
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(65_536)
        requests.append(head)
        if reply is not None:
            connection.sendall(reply)


def http(status: str, body: str) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


def trouble_of(
    reply: bytes | None, token: str | None = None, call: Callable[[Client], object] | None = None
) -> Trouble:
    with (
        answering(reply) as (url, _),
        Client(Address(url, "--server"), token) as client,
        pytest.raises(Trouble) as caught,
    ):
        (call or (lambda client: client.must("GET", "/x")))(client)
    return caught.value


def test_an_answer_is_json_where_it_is_json() -> None:
    with (
        answering(http("202 Accepted", '{"a": 1}')) as (url, _),
        Client(Address(url, ""), None) as c,
    ):
        answer = c.call("GET", "/x")
    assert (answer.status, answer.body, answer.is_success) == (202, {"a": 1}, True)


def test_what_is_asked_is_sent() -> None:
    with (
        answering(http("200 OK", "")) as (url, requests),
        Client(Address(url, ""), "secret-ü") as client,
    ):
        client.call(
            "GET",
            "/x",
            query={"type": "a b"},
            headers=[("dapr-workflow-metadata", "k=ü")],
            wait_s=7,
        )
    head = requests[0].decode()
    assert head.startswith(("GET /x?type=a+b ", "GET /x?type=a%20b "))
    for line in ("prefer: wait=7", "dapr-api-token: secret-ü", "dapr-workflow-metadata: k=ü"):
        assert line in head


def test_nobody_there_is_told_with_the_address_and_how_to_start_one() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with Client(Address(url, "DAPR_HTTP_PORT"), None) as c, pytest.raises(Trouble) as caught:
            c.call("GET", "/x")
    assert caught.value.code is ExitCode.AWAY
    assert f"{url} (DAPR_HTTP_PORT)" in caught.value.message
    assert "perdure serve" in caught.value.advice


def test_a_server_that_hangs_up_may_have_heard_the_call() -> None:
    trouble = trouble_of(None)
    assert trouble.code is ExitCode.AWAY
    assert "Look before you repeat" in trouble.advice


def test_the_grpc_port_is_told_from_the_http_port() -> None:
    trouble = trouble_of(b"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x05\x00\x00\x40\x00")
    assert trouble.code is ExitCode.AWAY
    assert "gRPC port" in trouble.advice


@pytest.mark.parametrize(
    ("token", "advice"),
    [(None, "Set DAPR_API_TOKEN"), ("secret", "differs from that of the server")],
)
def test_a_wrong_token_is_told_and_never_repeated(token: str | None, advice: str) -> None:
    trouble = trouble_of(http("401 Unauthorized", "invalid api token"), token)
    assert trouble.code is ExitCode.DENIED
    assert advice in trouble.advice
    assert "secret" not in trouble.advice + trouble.message


@pytest.mark.parametrize(
    ("status", "body", "code", "message"),
    [
        ("404 Not Found", '{"errorCode":"ERR_X","message":"none."}', 3, "none (ERR_X)."),
        ("409 Conflict", '{"errorCode":"ERR_X","message":"taken"}', 4, "taken (ERR_X)."),
        ("400 Bad Request", '{"message":"bad"}', 2, "bad."),
        ("413 Too Large", "too large", 2, "too large."),
        ("500 Internal Server Error", "", 1, "HTTP 500 Internal Server Error."),
        ("503 Service Unavailable", "{}", 5, "HTTP 503 Service Unavailable."),
        ("404 Not Found", '{"errorCode":"ERR_DIRECT_INVOKE","message":"x"}', 3, "this call"),
    ],
)
def test_an_error_is_told_in_the_words_of_the_server(
    status: str, body: str, code: int, message: str
) -> None:
    trouble = trouble_of(http(status, body))
    assert trouble.code == code
    assert message in trouble.message


@pytest.mark.parametrize(
    ("status", "body"),
    [("404 Not Found", "<!DOCTYPE HTML>\n<html lang='en'><p>Nothing.</html>"), ("200 OK", "Hi")],
)
def test_who_is_no_perdure_is_told_from_one(status: str, body: str) -> None:
    trouble = trouble_of(http(status, body))
    assert trouble.code == ExitCode.AWAY
    assert "is no perdure" in trouble.message
    assert body not in trouble.message


def test_a_call_that_may_fail_returns_the_error() -> None:
    with (
        answering(http("409 Conflict", "{}")) as (url, _),
        Client(Address(url, ""), None) as client,
    ):
        answer = client.call("GET", "/x")
    assert not answer.is_success
    assert client.trouble(answer, "Wait.").advice == "Wait."


@pytest.mark.parametrize(("app_id", "sent"), [(None, None), ("", None), ("shop", "shop")])
def test_calls_are_made_as_the_app_that_is_named(app_id: str | None, sent: str | None) -> None:
    with (
        answering(http("200 OK", "{}")) as (url, requests),
        Client(Address(url, ""), None, app_id) as client,
    ):
        client.must("GET", "/v1.0/workflows")
    lines = requests[0].decode().lower().split("\r\n")
    assert [each for each in lines if each.startswith("dapr-app-id")] == (
        [] if sent is None else [f"dapr-app-id: {sent}"]
    )
