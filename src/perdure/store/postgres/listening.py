"""A connection that listens for news, and is made anew whenever it is lost."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from perdure.store.leases import ANYTHING, News
from perdure.store.postgres.connections import Link, connect
from perdure.store.postgres.faults import TROUBLE
from perdure.store.postgres.messages import read
from perdure.store.postgres.url import Address

_PAUSE_FIRST_S: Final = 0.1
_PAUSE_LONGEST_S: Final = 5.0
# A connection whose other end is gone without a word is found out by asking.
_ALIVE_EVERY_S: Final = 10.0
_ALIVE_TIMEOUT_S: Final = 5.0


def channel_of(address: Address) -> str:
    """Return the channel that the nodes on one store use."""
    return f"news_{address.schema}"


class Listener:
    """Tells somebody of what others have done. On the store's loop."""

    def __init__(
        self,
        address: Address,
        teller: str,
        hear: Callable[[News], None],
        somebody_is_there: Callable[[], None],
    ) -> None:
        """Leave out what `teller` tells. Whoever else is heard, be it of nothing, is there."""
        self._somebody_is_there = somebody_is_there
        self._address = address
        self._teller = teller
        self._hear = hear
        self._link: Link | None = None
        self._lost = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin; returns once nothing is missed any more. Raises what asyncpg raises."""
        await self._listen()
        self._task = asyncio.get_running_loop().create_task(self._keep_listening())

    async def stop(self) -> None:
        """End; nothing is told any more."""
        self._hear = _nothing
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        if self._link is not None:
            self._link.drop()

    async def _listen(self) -> None:
        link = await connect(self._address)
        self._lost.clear()
        try:
            link.raw.add_termination_listener(self._when_lost)
            await link.raw.add_listener(channel_of(self._address), self._when_told)
        except BaseException:
            link.drop()
            raise
        self._link = link

    def _when_told(self, _connection: Any, _process: int, _channel: str, payload: object) -> None:
        teller, news = read(str(payload))
        if teller != self._teller:
            self._somebody_is_there()
            if news != News():
                self._hear(news)

    def _when_lost(self, _connection: Any) -> None:
        self._lost.set()

    async def _keep_listening(self) -> None:
        while True:
            await self._until_lost()
            pause_s = _PAUSE_FIRST_S
            while True:
                try:
                    await self._listen()
                    break
                except TROUBLE:
                    await asyncio.sleep(pause_s)
                    pause_s = min(2 * pause_s, _PAUSE_LONGEST_S)
            self._hear(ANYTHING)

    async def _until_lost(self) -> None:
        link = self._link
        assert link is not None, "it has listened before"
        while not self._lost.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(_ALIVE_EVERY_S):
                    await self._lost.wait()
                    return
            try:
                async with asyncio.timeout(_ALIVE_TIMEOUT_S):
                    await link.value("SELECT 1")
            except TROUBLE:
                break
        link.drop()
        self._link = None


def _nothing(_news: News) -> None:
    """What is told after the end is for nobody."""
