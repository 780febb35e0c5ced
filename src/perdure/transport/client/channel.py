"""A connection to one server: opened when it is needed, and again when it was lost."""

import asyncio
import math
import ssl
from collections.abc import AsyncGenerator
from typing import Final, cast

from perdure.base.limits import KIB, MESSAGE_BYTES_MAX
from perdure.transport import headers as hd
from perdure.transport.client.call import UNAVAILABLE, CallFailed, ClientCall
from perdure.transport.client.peer import Peer
from perdure.transport.options import Options
from perdure.transport.silence import Silence
from perdure.transport.wire import Wire

_DEADLINE_EXCEEDED: Final = 4
# Eight digits are all that the protocol allows.
_TIMEOUT_MS_MAX: Final = 99_999_999
_CONNECT_S: Final = 5.0
_PING_AFTER_S: Final = 30.0
_PING_TIMEOUT_S: Final = 20.0
_BLOCKS_MAX: Final = 256

# Indices of HPACK's static table: POST, the scheme, and names whose values follow.
_POST: Final = b"\x83"
_SCHEMES: Final = {False: b"\x86", True: b"\x87"}


def request_block(path: str, authority: str, *, tls: bool, metadata: hd.Pairs = ()) -> bytes:
    """Return the header block of a call. It uses no table: equal calls are equal bytes."""
    parts = [
        _POST,
        _SCHEMES[tls],
        hd.literal(":path", path),
        hd.literal(":authority", authority),
        hd.literal("content-type", "application/grpc"),
        hd.literal("te", "trailers"),
        hd.literal("user-agent", "perdure"),
        *(hd.metadatum(name, value) for name, value in metadata),
    ]
    return b"".join(parts)


class Channel:
    """Calls to one server. Made on the loop that it is used on; `close` it at the end."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        tls: ssl.SSLContext | None = None,
        metadata: hd.Pairs = (),
        message_bytes_max: int = 16 * MESSAGE_BYTES_MAX,
    ) -> None:
        """Connect when first used; `metadata` goes with every call."""
        self._host = host
        self._port = port
        self._tls = tls
        self._metadata = tuple(metadata)
        self._options = Options(
            message_bytes_max=message_bytes_max,
            header_bytes_max=64 * KIB,
            patience_s=_CONNECT_S,
            ping_after_s=_PING_AFTER_S,
            ping_timeout_s=_PING_TIMEOUT_S,
        )
        self._socket: _Socket | None = None
        self._connecting: asyncio.Task[_Socket] | None = None
        self._blocks: dict[tuple[str, hd.Pairs], bytes] = {}
        self._closed = False

    async def unary(
        self,
        path: str,
        message: bytes,
        *,
        timeout_s: float | None = None,
        metadata: tuple[tuple[str, str | bytes], ...] = (),
    ) -> bytes:
        """Make a call of one message each way. Raises CallFailed, also when time is up.

        The time counts from now, and what it takes to connect is part of it.
        """
        try:
            async with asyncio.timeout(timeout_s):
                peer, call = await self._begin(path, message, metadata, timeout_s)
                try:
                    return await call.answer()
                finally:
                    if not call.done:
                        peer.cancel(call)
        except TimeoutError as error:
            raise CallFailed(_DEADLINE_EXCEEDED, f"no answer within {timeout_s} s") from error

    async def stream(
        self,
        path: str,
        message: bytes,
        *,
        metadata: tuple[tuple[str, str | bytes], ...] = (),
    ) -> AsyncGenerator[bytes, None]:
        """Yield the messages of a streamed answer. Raises CallFailed if it does not end well."""
        peer, call = await self._begin(path, message, metadata, None)
        try:
            async for each in call.messages():
                yield each
        finally:
            if not call.done:
                peer.cancel(call)

    def drop(self) -> None:
        """Cut the connection: calls under way fail, and the next one opens another."""
        if self._socket is not None:
            self._socket.abort()

    async def close(self) -> None:
        """Close the connection; calls under way fail."""
        self._closed = True
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait([self._connecting])
        if self._socket is not None:
            self._socket.abort()

    async def _begin(
        self,
        path: str,
        message: bytes,
        metadata: tuple[tuple[str, str | bytes], ...],
        timeout_s: float | None,
    ) -> tuple[Peer, ClientCall]:
        socket = self._socket
        if socket is None or socket.peer.leaving:
            socket = await self._connected()
            if socket.peer.leaving:  # it has left before a word was said
                raise socket.peer.fault or CallFailed(UNAVAILABLE, "the server is leaving")
        block = self._block(path, metadata)
        if timeout_s is not None:
            # Rounded up: a server whose time is up before ours resets the call, and would be taken
            # for one that has cancelled it.
            told_ms = max(1, min(_TIMEOUT_MS_MAX, math.ceil(timeout_s * 1e3)))
            block += hd.literal("grpc-timeout", f"{told_ms}m")
        return socket.peer, socket.peer.begin(block, message)

    def _block(self, path: str, metadata: tuple[tuple[str, str | bytes], ...]) -> bytes:
        key = (path, metadata)
        block = self._blocks.get(key)
        if block is None:
            if len(self._blocks) >= _BLOCKS_MAX:
                self._blocks.clear()
            host = f"[{self._host}]" if ":" in self._host else self._host
            authority = f"{host}:{self._port}"
            block = self._blocks[key] = request_block(
                path,
                authority,
                tls=self._tls is not None,
                metadata=(*self._metadata, *metadata),
            )
        return block

    async def _connected(self) -> "_Socket":
        """Return an open connection; those who ask at once share one attempt."""
        if self._closed:
            raise CallFailed(UNAVAILABLE, "the channel is closed")
        if self._connecting is None or self._connecting.done():
            self._connecting = asyncio.create_task(self._connect())
            self._connecting.add_done_callback(_seen)
        return await asyncio.shield(self._connecting)

    async def _connect(self) -> "_Socket":
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_CONNECT_S):
                _, socket = await loop.create_connection(
                    lambda: _Socket(self._options), self._host, self._port, ssl=self._tls
                )
        except (OSError, TimeoutError) as error:
            place = f"{self._host}:{self._port}"
            raise CallFailed(UNAVAILABLE, f"no connection to {place}: {error}") from error
        self._socket = socket
        return socket


def _seen(connecting: "asyncio.Task[_Socket]") -> None:
    # Those who asked for it may all have gone away; whoever has not is told.
    if not connecting.cancelled():
        connecting.exception()


class _Socket(asyncio.Protocol):
    """The socket of a connection. All that is sent in one turn of the loop is one write."""

    def __init__(self, options: Options) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._wire = Wire(self._schedule, self._flush)
        self.peer = Peer(self._wire, options, self._close)
        self._silence = Silence(options, self.peer.ping, self.abort)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.peer.greet()
        self._silence.begin()

    def data_received(self, data: bytes) -> None:
        self._silence.heard_s = self._loop.time()
        self.peer.take(data)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc  # whatever it was, the server is gone
        self._silence.end()
        self.peer.lost()

    def pause_writing(self) -> None:
        self._wire.paused = True

    def resume_writing(self) -> None:
        self._wire.paused = False
        self._wire.go_on()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def _close(self) -> None:
        self._flush()
        if self._transport is not None:
            self._transport.close()

    def _schedule(self) -> None:
        self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        data = self._wire.take()
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)
