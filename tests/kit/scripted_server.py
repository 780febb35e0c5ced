"""An HTTP server whose every answer a test gives by hand, streams with their accidents included.

`next` returns the next request that has come; until the test answers it, it waits.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Self
from urllib.parse import parse_qsl, urlsplit

from perdure.base.time import SECOND_US
from tests.kit.clock import VirtualLoop

_ROUNDS_MAX = 20_000


class Stream:
    """An answer that goes on until it is ended, properly or not."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    async def send(self, part: bytes) -> None:
        """Send some bytes as they are, in a chunk of their own."""
        self._writer.write(b"%x\r\n%s\r\n" % (len(part), part))
        await self._writer.drain()

    async def send_json(self, *values: object) -> None:
        """Send lines of JSON."""
        for value in values:
            await self.send(json.dumps(value).encode() + b"\n")

    async def end(self) -> None:
        """Come to the proper end."""
        self._writer.write(b"0\r\n\r\n")
        await self._writer.drain()
        self._writer.close()

    def tear(self) -> None:
        """Let the connection break."""
        self._writer.transport.abort()

    async def closed(self) -> None:
        """Wait until the other side has closed the connection."""
        await self._writer.wait_closed()


class Request:
    """A request that waits for its answer."""

    def __init__(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes,
        writer: asyncio.StreamWriter,
    ) -> None:  # fmt: skip
        parts = urlsplit(target)
        self.method = method
        self.path = parts.path
        self.query = dict(parse_qsl(parts.query, keep_blank_values=True))
        self.headers = headers
        self.body = body
        self._writer = writer

    async def answer(
        self, value: object, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        """Answer with JSON, or with bytes as they are."""
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        self._head(status, {**(headers or {}), "Content-Length": str(len(body))})
        self._writer.write(body)
        await self._writer.drain()
        self._writer.close()

    async def stream(self, headers: Mapping[str, str] | None = None) -> Stream:
        """Begin an answer without an end."""
        self._head(200, {**(headers or {}), "Transfer-Encoding": "chunked"})
        await self._writer.drain()
        return Stream(self._writer)

    def tear(self) -> None:
        """Break the connection instead of an answer."""
        self._writer.transport.abort()

    def _head(self, status: int, headers: Mapping[str, str]) -> None:
        lines = [f"HTTP/1.1 {status} Because", "Content-Type: application/json"]
        lines += ["Connection: close", *(f"{name}: {value}" for name, value in headers.items())]
        self._writer.write("\r\n".join([*lines, "", ""]).encode())


class ScriptedServer:
    """Use it with `async with`."""

    def __init__(self) -> None:
        self._requests: asyncio.Queue[Request] = asyncio.Queue()
        self._writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()[:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await self._server.wait_closed()

    async def next(self, *, passes_time: bool = False) -> Request:
        """Return the next request; while it does not come, virtual time may pass."""
        if not passes_time:
            return await self._requests.get()
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        for _ in range(_ROUNDS_MAX):
            if not self._requests.empty():
                break
            loop.passed_us += SECOND_US // 100
            for _ in range(10):
                await asyncio.sleep(0)
        return self._requests.get_nowait()

    def nothing_came(self) -> bool:
        """Tell whether no request waits."""
        return self._requests.empty()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
            return
        method, target, _ = head[0].split(" ")
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head[1:] if line)
        }
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self._requests.put_nowait(Request(method, target, headers, body, writer))
