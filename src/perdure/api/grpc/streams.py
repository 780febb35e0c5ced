"""The open streams of work items, and what is sent on each."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from perdure.api.grpc.methods import Send
from perdure.base.time import SECOND_US
from perdure.engine.work import Stream

_log = structlog.get_logger(__name__)


class Outlet:
    """One stream's way out: a message at a time, each within `timeout_us`."""

    def __init__(self, send: Send, send_now: Callable[[bytes], bool], timeout_us: int) -> None:
        """Send through `send`, or `send_now` where nothing has to be waited for."""
        self._send = send
        self._send_now = send_now
        self._timeout_s = timeout_us / SECOND_US
        self._turn = asyncio.Lock()
        self._putting = 0
        self._loop = asyncio.get_running_loop()
        self.sent_at_s = self._loop.time()

    async def put(self, message: bytes) -> None:
        """Send a message. Raises TimeoutError if the worker does not take it in time."""
        self._putting += 1
        try:
            async with self._turn, asyncio.timeout(self._timeout_s):
                await self._send(message)
                self.sent_at_s = self._loop.time()
        finally:
            self._putting -= 1

    def offer(self, message: bytes) -> bool:
        """Send a message now, if none waits before it and it is taken; tells whether it was."""
        if self._putting or not self._send_now(message):
            return False
        self.sent_at_s = self._loop.time()
        return True

    def rest_s(self, idle_us: int) -> float:
        """Return how long it is until nothing has been sent for `idle_us`."""
        return self.sent_at_s + idle_us / SECOND_US - self._loop.time()


@dataclass(frozen=True, slots=True)
class Pings:
    """What to send on a stream on which nothing was sent for `after_us`; None is nothing."""

    message: bytes | None
    after_us: int


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
        self, stream: Stream, outlet: Outlet, pings: Pings, accept: Callable[[], Awaitable[None]]
    ) -> None:
        """Send a stream's items until it ends, the worker goes, or does not take what is sent.

        Whatever the reason, the stream is closed then, so that its work goes to another worker.
        """
        self._open.add(stream)
        pinging = asyncio.create_task(_pinging(outlet, pings, stream)) if pings.message else None
        try:
            await accept()
            stream.goes_by(outlet.offer)
            async for item in stream.items():
                await outlet.put(item)
        except TimeoutError:
            _log.warning("a worker does not take its work, its stream is ended")
        finally:
            stream.close()
            if pinging is not None:
                pinging.cancel()
            self._open.discard(stream)


async def _pinging(outlet: Outlet, pings: Pings, stream: Stream) -> None:
    """Send a ping whenever nothing else was sent for long; end the stream if that fails."""
    assert pings.message is not None, "there is something to send"
    try:
        while True:
            rest_s = outlet.rest_s(pings.after_us)
            if rest_s > 0:
                await asyncio.sleep(rest_s)
            else:
                await outlet.put(pings.message)
    except Exception as error:  # noqa: BLE001 - whatever it is, the worker is not there any more
        _log.warning("a worker cannot be pinged, its stream is ended", error=repr(error))
        stream.close()
