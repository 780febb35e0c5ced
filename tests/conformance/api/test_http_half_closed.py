"""Callers that close their side of the connection when they have sent everything."""

import asyncio

import pytest

from tests.conformance.api.http_door import Server, serving
from tests.conformance.api.test_http_trouble import START, WAITS, Watched, port_of

GET = b"GET /v1.0/workflows/Waits/i HTTP/1.1\r\nHost: x\r\n\r\n"
RAISE = (
    b"POST /v1.0/workflows/Waits/i/raiseEvent/other HTTP/1.1\r\nHost: x\r\n"
    b"Content-Length: 3\r\n\r\n"
)


async def told(server: Server, *parts: bytes) -> bytes:
    """Return everything that is answered to who sends this and then nothing more."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(server))
    for part in parts:
        writer.write(part)
        await writer.drain()
    writer.write_eof()
    try:
        return await reader.read()
    finally:
        writer.close()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ([GET], b"202 Accepted"),
        ([GET[:20], GET[20:]], b"202 Accepted"),
        ([RAISE + b'"x"'], b"202 Accepted"),
        ([RAISE, b'"x"'], b"202 Accepted"),
        ([GET.replace(b"/i", b"/none")], b"404 Not Found"),
    ],
)
async def test_an_answer_reaches_who_sends_nothing_more(sent: list[bytes], status: bytes) -> None:
    async with serving() as server:
        await server.bring("i", "RUNNING")
        answer = await told(server, *sent)
        assert answer.startswith(b"HTTP/1.1 " + status)


async def test_each_of_several_requests_is_answered() -> None:
    async with serving() as server:
        await server.bring("i", "RUNNING")
        answer = await told(server, RAISE + b'"x"' + GET + GET.replace(b"/i", b"/none"))
        statuses = [part[:3] for part in answer.split(b"HTTP/1.1 ")[1:]]
        assert statuses == [b"202", b"202", b"404"]


@pytest.mark.parametrize("request_bytes", [WAITS, START])
async def test_who_would_wait_is_told_how_things_stand(request_bytes: bytes) -> None:
    """It cannot be told from one that has left, and that is not waited for."""
    async with serving(wrap=Watched) as server:
        watched = server.component
        assert isinstance(watched, Watched)
        await server.bring("i", "PENDING")
        answer = await told(server, request_bytes)
        assert answer.startswith(b"HTTP/1.1 202 Accepted")
        assert b"retry-after" in answer
        assert watched.ended.is_set()


async def test_half_a_request_is_not_waited_for() -> None:
    async with serving() as server:
        await server.bring("i", "RUNNING")
        assert await told(server, RAISE + b'"') == b""
        assert await told(server, GET[:-2]) == b""
        assert await told(server) == b""
