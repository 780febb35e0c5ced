"""A way to a server that can be cut, stalled and healed, or keeps callers waiting while it is away.

A line that is *cut* ends at both ends at once, as when a process dies. A line that is *stalled*
carries nothing for a while, as when a network loses every packet: nobody is told, and what was sent
meanwhile arrives when it heals, even if who sent it has hung up since.

With patience, new connections are taken while there is no server, as a balancer's queue does, and
go on when it is back. (The SDK waits for two to fifteen seconds after a connection was refused.
Over this way a worker misses little of what happens between two kills.)
"""

import asyncio
import contextlib
import threading
import time
from typing import Final

HOST: Final = "127.0.0.1"
PATIENCE_S: Final = 30.0
_POLL_S: Final = 0.02
_CHUNK_BYTES: Final = 64 * 1024


class Proxy:
    """Carries connections on a port of its own to `target_port`, on a thread of its own."""

    def __init__(self, target_port: int, *, patience_s: float = PATIENCE_S) -> None:
        self.port = 0
        self._target_port = target_port
        self._patience_s = patience_s
        self._loop = asyncio.new_event_loop()
        self._listening = threading.Event()
        self._closing = asyncio.Event()
        self._refuses = False
        self._flows = asyncio.Event()
        self._carried: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)

    def start(self) -> "Proxy":
        """Begin to listen; `port` is known when this returns."""
        self._thread.start()
        self._listening.wait(PATIENCE_S)
        assert self.port, "the proxy does not listen"
        return self

    def cut(self) -> None:
        """Cut off every connection that is carried; new ones are taken as before."""
        self._loop.call_soon_threadsafe(self._cut)

    def sever(self) -> None:
        """Cut off every connection, and new ones at once, until it is healed."""
        self._loop.call_soon_threadsafe(self._sever)

    def stall(self) -> None:
        """Carry nothing more, in either direction, until it is healed."""
        self._loop.call_soon_threadsafe(self._flows.clear)

    def heal(self) -> None:
        """Carry everything again."""
        self._loop.call_soon_threadsafe(self._heal)

    def close(self) -> None:
        """Cut every connection off and end the thread."""
        self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join(PATIENCE_S)

    # ---- on the thread

    def _cut(self) -> None:
        for task in self._carried:
            task.cancel()

    def _sever(self) -> None:
        self._refuses = True
        self._cut()

    def _heal(self) -> None:
        self._refuses = False
        self._flows.set()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        self._flows.set()
        server = await asyncio.start_server(self._take, HOST, 0)
        self.port = server.sockets[0].getsockname()[1]
        self._listening.set()
        await self._closing.wait()
        server.close()
        self._cut()
        # All of them: a connection may just have been accepted, and comes to `_take` after this.
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0)  # what was aborted is told so, and lets go of its socket

    def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._closing.is_set():
            writer.transport.abort()
            return
        task = self._loop.create_task(self._carry(reader, writer))
        self._carried.add(task)
        task.add_done_callback(self._carried.discard)
        # At once, whatever was not sent: a line that is cut says nothing any more. A task that is
        # cancelled before its first step runs no line of its own.
        task.add_done_callback(lambda _: writer.transport.abort())

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._refuses:
            await self._carry_both(reader, writer)

    async def _carry_both(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await self._flows.wait()
            there, back = await self._connect()
            pipes = [
                asyncio.ensure_future(self._pipe(reader, back)),
                asyncio.ensure_future(self._pipe(there, writer)),
            ]
            try:
                await asyncio.wait(pipes, return_when=asyncio.FIRST_COMPLETED)
            finally:
                # First of all: who is cut once more while it waits for the pipes comes no further.
                back.transport.abort()
                for pipe in pipes:
                    pipe.cancel()
                await asyncio.gather(*pipes, return_exceptions=True)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        end = time.monotonic() + self._patience_s
        while True:
            try:
                return await asyncio.open_connection(HOST, self._target_port)
            except OSError:
                if time.monotonic() > end:
                    raise
            await asyncio.sleep(_POLL_S)

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while True:
                data = await reader.read(_CHUNK_BYTES)
                # Its end, too, is known on the other side when the line heals, and not before.
                await self._flows.wait()
                if not data:
                    return
                writer.write(data)
                await writer.drain()
