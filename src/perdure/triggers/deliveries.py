"""Handing messages on: a bounded number at a time, each acknowledged after it was accepted.

Theory of operation.
- A message takes a place from the moment it is handed on until it is acknowledged. There are `most`
  places; a source asks for `room` before it takes more from its broker. That is the back-pressure.
- LATER keeps the place, and the message is tried again after a growing pause: giving it back would
  count as a delivery with brokers that drop a message after so many, and would let others overtake.
- Messages of one lane are handed on one after the other; a later one waits for the earlier to be
  acknowledged.
- What cannot be acknowledged (the connection is lost) ends the session: the broker will deliver the
  message again, and its id says that it is the same.
- On leaving, what is in hand may come to its end for a moment, so that what is on disk is also
  acknowledged. The rest is let go of unacknowledged.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, Self

import structlog

from perdure.base.limits import (
    DELIVERY_GRACE_US,
    LATER_RETRY_FIRST_US,
    LATER_RETRY_LONGEST_US,
)
from perdure.base.time import SECOND_US
from perdure.triggers.port import Message, Receiver, Settled, Standing
from perdure.triggers.reconnecting import Pauses, in_words

_log = structlog.get_logger(__name__)

# A part of a session that does not end is cancelled again after so long, and so often.
_CANCEL_AGAIN_S: Final = 0.2
_CANCELS_MAX: Final = 25

Acknowledge = Callable[[], Awaitable[None]]


class Deliveries:
    """The messages of one session that are being handled; use it with `async with`."""

    def __init__(
        self,
        receive: Receiver,
        standing: Standing,
        *,
        name: str,
        most: int,
        grace_us: int = DELIVERY_GRACE_US,
    ) -> None:
        assert most > 0
        self._receive = receive
        self._standing = standing
        self._name = name
        self._free = most
        self._most = most
        self._grace_s = grace_us / SECOND_US
        self._freed = asyncio.Event()
        self._closing = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._beside: set[asyncio.Task[None]] = set()
        self._lanes: dict[str, asyncio.Task[None]] = {}
        self._fault: BaseException | None = None
        self._body: asyncio.Task[Any] | None = None
        self._cancels = 0

    async def __aenter__(self) -> Self:
        """Bind the session to the running task, which is interrupted when it cannot go on."""
        self._body = asyncio.current_task()
        assert self._body is not None
        self._cancels = self._body.cancelling()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Wait a moment for what is in hand, then let go; raises what ended the session."""
        body, self._body = self._body, None
        assert body is not None
        self._closing.set()
        interrupted = self._fault is not None and body.uncancel() <= self._cancels
        try:
            await self._let_go()
        except asyncio.CancelledError:
            # Our own interruption may arrive only here, when the session was leaving already.
            if not interrupted or body.cancelling() > self._cancels:
                raise
            await self._let_go()
        if self._fault is not None and (kind is None or interrupted):
            raise self._fault

    async def _let_go(self) -> None:
        try:
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=self._grace_s)
        finally:
            await _end(self._tasks | self._beside)

    @property
    def under_way(self) -> int:
        """How many places are taken."""
        return self._most - self._free

    async def room(self) -> int:
        """Wait until there is a free place; return how many there are.

        Raises CancelledError also where a library has swallowed the cancellation, as
        `asyncio.wait_for` of Python 3.11 does when it comes at the moment of success.
        """
        task = asyncio.current_task()
        assert task is not None
        if task.cancelling() > (self._cancels if task is self._body else 0):
            raise asyncio.CancelledError
        while self._free == 0:
            self._freed.clear()
            await self._freed.wait()
        return self._free

    def hand_on(
        self, message: Message, acknowledge: Acknowledge, *, lane: str | None = None
    ) -> None:
        """Begin to deliver a message; there must be room."""
        assert self._free > 0, "a source asks for room first"
        self._free -= 1
        self._standing.received += 1
        before = None if lane is None else self._lanes.get(lane)
        task = asyncio.create_task(self._deliver(message, acknowledge, before))
        self._tasks.add(task)
        if lane is not None:
            self._lanes[lane] = task
        task.add_done_callback(lambda done: self._delivered(done, lane))

    async def quiet(self) -> None:
        """Wait a moment until nothing is in hand; the caller sees to it that nothing is added."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._grace_s)

    def beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something along with the session; if it raises, the session ends with that."""
        task = asyncio.create_task(work)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)
        task.add_done_callback(self._note_fault)

    async def _deliver(
        self, message: Message, acknowledge: Acknowledge, before: asyncio.Task[None] | None
    ) -> None:
        if before is not None and not before.done():
            await asyncio.wait((before,))
        pauses = Pauses(LATER_RETRY_FIRST_US, LATER_RETRY_LONGEST_US)
        while not self._closing.is_set():
            if await self._received(message) is Settled.ACCEPTED:
                await acknowledge()
                return
            try:
                async with asyncio.timeout(pauses.next_s()):
                    await self._closing.wait()
            except TimeoutError:
                continue

    async def _received(self, message: Message) -> Settled:
        try:
            return await self._receive(message)
        except Exception as error:  # noqa: BLE001 - kept, tried again, and logged
            # The receiver has an answer for everything; whatever this is, the message is kept.
            _log.exception(
                "a message could not be received",
                source=self._name,
                message_id=message.message_id,
                exc_info=error,
            )
            return Settled.LATER

    def _delivered(self, task: asyncio.Task[None], lane: str | None) -> None:
        self._tasks.discard(task)
        self._free += 1
        self._freed.set()
        if lane is not None and self._lanes.get(lane) is task:
            del self._lanes[lane]
        self._note_fault(task)

    def _note_fault(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or (fault := task.exception()) is None or self._fault is not None:
            return
        self._fault = fault
        # Told at once: to leave a broker that is away may take its time.
        self._standing.connected = False
        self._standing.trouble = in_words(fault)
        if self._body is not None:
            self._body.cancel()


async def _end(tasks: set[asyncio.Task[None]]) -> None:
    """Cancel tasks until they have ended: a library may swallow the first cancellation."""
    left = tasks
    for _ in range(_CANCELS_MAX):
        if not left:
            return
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=_CANCEL_AGAIN_S)
    _log.error("a part of a source does not end", parts=[str(task) for task in left])
