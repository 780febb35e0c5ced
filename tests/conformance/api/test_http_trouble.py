"""Faults beneath the door, hostile requests, and callers that leave, over a socket."""

import asyncio
import http.client
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import pytest

from perdure.api.http.app import end_waits
from perdure.base.errors import (
    CallerFault,
    ShuttingDown,
    StoreBroken,
    StoreFailed,
    StoreUnavailable,
)
from perdure.components.port import InstanceView, WorkflowComponent
from tests.conformance.api.http_door import Server, json_of, serving


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as server:
        yield server


class Troubled:
    """The engine's component, every call of which meets a fault that an engine seldom has."""

    def __init__(self, component: WorkflowComponent, fault: Exception) -> None:
        self.name = component.name
        self.kind = component.kind
        self.deliveries = component.deliveries
        self._component = component
        self._fault = fault

    def trouble(self) -> str | None:
        return None

    def __getattr__(self, name: str) -> Callable[..., Any]:
        assert hasattr(self._component, name)
        return self._raise

    async def _raise(self, *_args: Any, **_details: Any) -> Any:
        raise self._fault


CALLS = [
    ("POST", "/v1.0/workflows/Waits/i/start", "ERR_START_WORKFLOW"),
    ("GET", "/v1.0/workflows/Waits/i", "ERR_GET_WORKFLOW"),
    ("POST", "/v1.0/workflows/Waits/i/terminate", "ERR_TERMINATE_WORKFLOW"),
    ("POST", "/v1.0/workflows/dapr/i/suspend", "ERR_PAUSE_WORKFLOW"),
    ("POST", "/v1.0/workflows/Waits/i/resume", "ERR_RESUME_WORKFLOW"),
    ("DELETE", "/v1.0/workflows/dapr/i", "ERR_PURGE_WORKFLOW"),
    ("POST", "/v1.0/workflows/Waits/i/raiseEvent/go", "ERR_RAISE_EVENT_WORKFLOW"),
    ("GET", "/v1.0/workflows/dapr/i/history", "ERR_GET_WORKFLOW"),
    ("GET", "/v1.0/workflows/dapr/i/activities", "ERR_GET_WORKFLOW"),
    ("GET", "/v1.0/workflows", "ERR_QUERY_WORKFLOW"),
    ("POST", "/v1.0/workflows/dapr/Waits/start", "ERR_START_WORKFLOW"),
    ("GET", "/v1.0/workflows/dapr/i", "ERR_GET_WORKFLOW"),
    ("POST", "/v1.0/workflows/dapr/i/terminate", "ERR_TERMINATE_WORKFLOW"),
    ("POST", "/v1.0/workflows/dapr/i/pause", "ERR_PAUSE_WORKFLOW"),
    ("POST", "/v1.0/workflows/dapr/i/resume", "ERR_RESUME_WORKFLOW"),
    ("POST", "/v1.0/workflows/dapr/i/purge", "ERR_PURGE_WORKFLOW"),
    ("POST", "/v1.0/workflows/dapr/i/raiseEvent/go", "ERR_RAISE_EVENT_WORKFLOW"),
]


@pytest.mark.parametrize(("method", "path", "code"), CALLS)
@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (StoreFailed("the disk is full"), 500),
        (StoreUnavailable("the store is away"), 503),
        (ShuttingDown("the server is stopping"), 503),
        (StoreBroken("the file is damaged"), 500),
    ],
)
async def test_a_fault_names_the_call(
    fault: Exception, status: int, method: str, path: str, code: str
) -> None:
    async with serving(wrap=lambda component: Troubled(component, fault)) as server:
        answer = await server.call(method, path)
    assert (answer.status_code, json_of(answer)["errorCode"]) == (status, code)
    assert json_of(answer)["message"].endswith(f": {fault}")
    assert ("retry-after" in answer.headers) is (status == 503)


async def test_the_callers_fault() -> None:
    fault = CallerFault("the input is of the wrong shape")
    async with serving(wrap=lambda component: Troubled(component, fault)) as server:
        answer = await server.call("GET", "/v1.0/workflows")
    assert answer.status_code == 400
    assert json_of(answer) == {"errorCode": "ERR_MALFORMED_REQUEST", "message": str(fault)}


async def test_a_mistake_of_ours_is_logged_and_not_shown(
    caplog: pytest.LogCaptureFixture,
) -> None:
    mistake = RuntimeError("secret detail")
    async with serving(wrap=lambda component: Troubled(component, mistake)) as server:
        answer = await server.call("GET", "/v1.0/workflows")
        assert (await server.call("GET", "/v1.0/healthz")).status_code == 204
    assert answer.status_code == 500
    assert json_of(answer)["errorCode"] == "ERR_INTERNAL"
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert "secret detail" in caplog.text


# ---- hostile requests

RAW: list[tuple[bytes, int]] = [
    (b"nonsense\r\n\r\n", 400),
    (b"GET /v1.0/workflows/dapr/\xff HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (b"GET /v1.0/workflows/dapr/a\x00b HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (b"GET /v1.0/healthz HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n", 400),
    (b"GET /v1.0/healthz HTTP/1.1\r\nHost: x\r\na: \x00\r\n\r\n", 400),
    (b"POST /v1.0/shutdown HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
    (b"POST /v1.0/shutdown HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nContent-Length: 1\r\n\r\n",
     400),
    (b"POST /v1.0/shutdown HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    (b"GET /v1.0/healthz HTTP/1.0\r\n\r\n", 204),
    (b"GET /v1.0/workflows?" + b"a" * 60_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (b"POST /v1.0/workflows/W/i/start HTTP/1.1\r\nHost: a b<c>\r\nContent-Length: 0\r\n\r\n", 202),
    ((b"POST /v1.0/workflows/W/i/start HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
     b"Content-Length: 99999999\r\n\r\n"), 413),
]  # fmt: skip


def port_of(server: Server) -> int:
    return int(server.base_url.rpartition(":")[2])


async def exchange(server: Server, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(server))
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    return head


@pytest.mark.parametrize(("request_bytes", "status"), RAW)
async def test_hostile_bytes(server: Server, request_bytes: bytes, status: int) -> None:
    head = await exchange(server, request_bytes)
    assert head.startswith(f"HTTP/1.1 {status} ".encode()), head
    assert (await server.call("GET", "/v1.0/healthz")).status_code == 204
    assert server.process.stops.empty()


async def test_a_host_that_is_none_does_not_reach_the_location(server: Server) -> None:
    request = (
        b"POST /v1.0/workflows/W/i/start HTTP/1.1\r\nHost: evil.x/?\r\nContent-Length: 0\r\n\r\n"
    )
    head = await exchange(server, request)
    assert f"location: {server.base_url}/v1.0/workflows/W/i\r\n".encode() in head.lower().replace(
        b"/w/i", b"/W/i"
    )


async def test_the_callers_name_for_the_server_stands_in_the_location(server: Server) -> None:
    answer = await server.call(
        "POST", "/v1.0/workflows/My%20Flow/i/start", headers={"Host": "flows.example:8080"}
    )
    assert answer.headers["location"] == "http://flows.example:8080/v1.0/workflows/My%20Flow/i"


async def test_a_head_without_an_end(server: Server) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(server))
    writer.write(b"GET /v1.0/healthz HTTP/1.1\r\nHost: x\r\n")
    with suppress(ConnectionError):
        for _ in range(20):
            writer.write(b"a: " + b"x" * 60_000 + b"\r\n")
            await writer.drain()
    received = b""
    with suppress(ConnectionError):
        # The server closes; what it says before that may be lost, since it reads no more.
        received = await reader.read()
    assert received == b"" or received.startswith(b"HTTP/1.1 400 ")
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()
    assert (await server.call("GET", "/v1.0/healthz")).status_code == 204


async def test_many_requests_on_one_connection(server: Server) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(server))
    # The server reads no more of a body than it has to, and the connection goes on.
    body = b"x" * (2 * 1024 * 1024)
    writer.write(
        b"POST /v1.0/workflows/W/i/start HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
        % len(body)
        + body
        + b"GET /v1.0/healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 3
    )
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 413 ")
    await reader.readuntil(b"}")
    for _ in range(3):
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204 ")
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize("framing", ["announced", "chunked"])
async def test_who_closes_afterwards_hears_what_was_too_large(server: Server, framing: str) -> None:
    parts = [b"x" * 65_536] * 48

    def post() -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", port_of(server), timeout=30)
        connection.connect()
        # Whoever writes is not far ahead of who reads.
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
        length = {"Content-Length": str(65_536 * 48)} if framing == "announced" else {}
        connection.request(
            "POST",
            "/v1.0/workflows/W/i/start",
            iter(parts),
            {"Connection": "close", **length},
        )
        answer = connection.getresponse()
        return answer.status, answer.read()

    status, body = await asyncio.to_thread(post)
    assert status == 413
    assert b"ERR_BODY_READ" in body


@pytest.mark.parametrize("depth", [500, 90_000])
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1.0/workflows/query", {400}),
        ("/v1.0/workflows/dapr/i/rerun", {400}),
        ("/v1.0/workflows/dapr/i/raiseEvent", {400}),
        ("/v1.0/workflows/Waits/j/start", {202}),
    ],
)
async def test_deep_json(server: Server, path: str, status: set[int], depth: int) -> None:
    await server.bring("i", "RUNNING")
    answer = await server.call("POST", path, '{"filter":' * depth + "{}" + "}" * depth)
    assert answer.status_code in status
    assert (await server.call("GET", "/v1.0/workflows/Waits/j")).status_code in {202, 404}


async def test_a_lone_surrogate(server: Server) -> None:
    await server.bring("i", "RUNNING")
    body = '{"eventName": "\\ud800", "eventData": 1}'
    answer = await server.call("POST", "/v1.0/workflows/Waits/i/raiseEvent", body)
    assert answer.status_code == 400
    body = '{"eventName": "go", "eventData": "\\ud800"}'
    answer = await server.call("POST", "/v1.0/workflows/Waits/i/raiseEvent", body)
    assert answer.status_code == 400


# ---- callers that leave, and a server that stops


class Watched:
    """The engine's component, which tells when a wait begins and ends."""

    def __init__(self, component: WorkflowComponent) -> None:
        self._component = component
        self.began = asyncio.Event()
        self.ended = asyncio.Event()

    def trouble(self) -> str | None:
        return None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._component, name)

    async def wait(self, *args: Any, **details: Any) -> InstanceView | None:
        self.began.set()
        try:
            return await self._component.wait(*args, **details)
        finally:
            self.ended.set()


WAITS = b"GET /v1.0/workflows/Waits/i HTTP/1.1\r\nHost: x\r\nPrefer: wait=3600\r\n\r\n"
START = (
    b"POST /v1.0/workflows/Waits/j/start HTTP/1.1\r\nHost: x\r\n"
    b"Prefer: wait=3600\r\nContent-Length: 0\r\n\r\n"
)


@pytest.mark.parametrize("request_bytes", [WAITS, START])
async def test_a_caller_that_leaves_is_not_waited_for(request_bytes: bytes) -> None:
    async with serving(wrap=Watched) as server:
        watched = server.component
        assert isinstance(watched, Watched)
        await server.bring("i", "PENDING")
        _, writer = await asyncio.open_connection("127.0.0.1", port_of(server))
        writer.write(request_bytes)
        await watched.began.wait()
        assert not watched.ended.is_set()
        writer.close()
        await watched.ended.wait()
        assert (await server.call("GET", "/v1.0/healthz")).status_code == 204


@pytest.mark.parametrize(
    ("method", "call", "status"), [("GET", "i", 503), ("POST", "j/start", 202)]
)
async def test_waits_end_when_the_server_stops(method: str, call: str, status: int) -> None:
    async with serving(wrap=Watched) as server:
        watched = server.component
        assert isinstance(watched, Watched)
        await server.bring("i", "PENDING")
        path = f"/v1.0/workflows/Waits/{call}"
        asking = asyncio.ensure_future(server.call(method, path, headers={"Prefer": "wait=3600"}))
        await watched.began.wait()
        end_waits(server.app)
        answer = await asking
        assert answer.status_code == status
        assert "retry-after" in answer.headers
