"""A receiver that a test steers, and sources that run while a test looks."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Self

from perdure.triggers.port import Message, Settled, Source, Standing

DEADLINE_S = 80.0
Answer = Callable[[Message], Awaitable[Settled]]


async def accept(_message: Message) -> Settled:
    return Settled.ACCEPTED


class Reception:
    """Notes every message that comes, and answers as the test wants it."""

    def __init__(self, answer: Answer = accept) -> None:
        self.answer = answer
        self.came: list[Message] = []  # every call, in the order of their beginning
        self.accepted: list[Message] = []
        self.under_way = 0
        self.most_under_way = 0
        self._changed = asyncio.Condition()

    async def receive(self, message: Message) -> Settled:
        """Be the receiver of a source."""
        self.came.append(message)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        await self._tell()
        try:
            settled = await self.answer(message)
            if settled is Settled.ACCEPTED:
                self.accepted.append(message)
            return settled
        finally:
            self.under_way -= 1
            await self._tell()

    async def until(self, met: Callable[[], bool]) -> None:
        """Wait until something holds that depends on what came."""
        try:
            async with asyncio.timeout(DEADLINE_S), self._changed:
                await self._changed.wait_for(met)
        except TimeoutError:
            told = [(each.message_id, each.data[:40]) for each in self.came]
            raise AssertionError(f"it did not happen; {len(told)} came: {told[-20:]}") from None

    async def until_accepted(self, bodies: Sequence[bytes]) -> None:
        """Wait until each of the bodies was accepted."""
        await self.until(lambda: set(bodies) <= set(self.bodies()))

    def bodies(self) -> list[bytes]:
        """What was accepted, in the order of accepting."""
        return [message.data for message in self.accepted]

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()


class WatchedStanding(Standing):
    """A standing that tells whoever waits when it changes."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()
        super().__init__()

    def __setattr__(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)
        self._changed.set()

    async def until(self, met: Callable[[Standing], bool]) -> None:
        """Wait until the standing is as the test wants it."""
        try:
            async with asyncio.timeout(DEADLINE_S):
                while not met(self):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"it did not come to this: {self}") from None


class Listening:
    """A source that runs while the block is entered, from when it is connected."""

    def __init__(self, source: Source, reception: Reception) -> None:
        self.source = source
        self.standing = source.standing = WatchedStanding()
        self._reception = reception
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self.begin()
        await self.standing.until(lambda standing: standing.connected)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.end()

    async def begin(self) -> None:
        """Run the source, without waiting for the broker."""
        self._task = asyncio.create_task(self.source.run(self._reception.receive, None))

    async def end(self) -> None:
        """Cancel it, and see that nothing else has ended it."""
        task, self._task = self._task, None
        if task is None:
            return
        assert not task.done(), f"a source does not end by itself: {task}"
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
