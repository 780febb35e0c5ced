"""The open streams of work items: what is sent on each, and how the server's stopping ends them."""

import asyncio

import structlog

from perdure.api.grpc.methods import Send
from perdure.base.time import SECOND_US
from perdure.engine.work import Stream

_log = structlog.get_logger(__name__)


class Outlet:
    """One stream's way out: a message at a time, each within `timeout_us`."""

    def __init__(self, send: Send, timeout_us: int) -> None:
        """Send through `send`."""
        self._send = send
        self._timeout_s = timeout_us / SECOND_US
        self._turn = asyncio.Lock()
        self._loop = asyncio.get_running_loop()
        self.sent_at_s = self._loop.time()

    async def put(self, message: bytes) -> None:
        """Send a message. Raises TimeoutError if the worker does not take it in time."""
        async with self._turn, asyncio.timeout(self._timeout_s):
            await self._send(message)
            self.sent_at_s = self._loop.time()

    def rest_s(self, idle_us: int) -> float:
        """Return how long it is until nothing has been sent for `idle_us`."""
        return self.sent_at_s + idle_us / SECOND_US - self._loop.time()


class WorkerStreams:
    """The streams of all connected workers."""

    def __init__(self) -> None:
        """Begin with no worker."""
        self._open: set[Stream] = set()

    @property
    def count(self) -> int:
        """How many workers are connected."""
        return len(self._open)

    async def serve(
        self, stream: Stream, outlet: Outlet, ping: bytes | None, ping_after_us: int
    ) -> None:
        """Send a stream's items until it ends, the worker goes, or does not take what is sent.

        Whatever the reason, the stream is closed then, so that its work goes to another worker.
        """
        self._open.add(stream)
        pings = None if ping is None else _pinging(outlet, ping, ping_after_us, stream)
        task = None if pings is None else asyncio.create_task(pings)
        try:
            async for item in stream.items():
                await outlet.put(item)
        except TimeoutError:
            _log.warning("a worker does not take its work, its stream is ended")
        finally:
            stream.close()
            if task is not None:
                task.cancel()
            self._open.discard(stream)

    def end(self) -> None:
        """Let every stream end with OK."""
        for stream in tuple(self._open):
            stream.close()


async def _pinging(outlet: Outlet, ping: bytes, after_us: int, stream: Stream) -> None:
    """Send `ping` whenever nothing else was sent for `after_us`; end the stream if that fails."""
    try:
        while True:
            rest_s = outlet.rest_s(after_us)
            if rest_s > 0:
                await asyncio.sleep(rest_s)
            else:
                await outlet.put(ping)
    except Exception as error:  # noqa: BLE001 - whatever it is, the worker is not there any more
        _log.warning("a worker cannot be pinged, its stream is ended", error=repr(error))
        stream.close()
