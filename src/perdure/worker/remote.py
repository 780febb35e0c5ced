"""A server at an address as a worker's place: perdure's own, or a daprd.

Theory of operation. One stream of work items at a time; when it ends, however it ends, another is
opened after a pause that doubles, and all that was on it is handed out again by the server. So an
answer belongs to the stream that its item came on: while that is open it is handed in again until
it is taken, and when that is over it is nobody's.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import Final

from perdure.base.time import SECOND_US
from perdure.transport.client.call import CallFailed
from perdure.transport.client.channel import Channel
from perdure.wire.generated import management_pb2 as pb
from perdure.wire.management import own_opening
from perdure.worker.endpoints import Endpoint

_log = logging.getLogger("perdure.worker")

SERVICE: Final = "/TaskHubSidecarService"

PAUSE_FIRST_US: Final = SECOND_US // 5
PAUSE_LONGEST_US: Final = 15 * SECOND_US
ANSWER_ATTEMPTS_MAX: Final = 8
ANSWER_TIMEOUT_S: Final = 30.0
_UNAUTHENTICATED: Final = 16
# What the server said no to; to say it again changes nothing.
_REFUSED: Final = frozenset({3, 5, 7, 12, _UNAUTHENTICATED})

assert PAUSE_FIRST_US <= PAUSE_LONGEST_US


class Remote:
    """A worker's connection, opened again whenever it is lost."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        app_id: str | None = None,
        token: str | None = None,
        stateful: bool = True,
    ) -> None:
        """Connect when items are asked for; without an app id it works for the server's own.

        Unless it is `stateful` it is sent whole histories.
        """
        self._endpoint = endpoint
        self._opening = own_opening(stateful=stateful)
        named = [] if app_id is None else [("dapr-app-id", app_id)]
        secret = [] if token is None else [("dapr-api-token", token)]
        self._channel = Channel(
            endpoint.host, endpoint.port, tls=endpoint.tls_context(), metadata=(*named, *secret)
        )
        self._session = 0  # counts streams; between two there is none
        self._is_open = False
        self._closed = False
        self.connected = asyncio.Event()

    async def items(self) -> AsyncIterator[bytes]:
        """Yield work items for ever, over as many connections as it takes."""
        pause_us = PAUSE_FIRST_US
        while not self._closed:
            try:
                await self._channel.unary(f"{SERVICE}/Hello", b"")
                async with aclosing(
                    self._channel.stream(f"{SERVICE}/GetWorkItems", self._opening)
                ) as stream:
                    self._opened()
                    pause_us = PAUSE_FIRST_US
                    async for item in stream:
                        yield item
                reason = "the server ended the stream"
            except CallFailed as error:
                reason = _reason(error)
            finally:
                self._is_open = False
                self.connected.clear()
            if self._closed:
                return
            _log.warning(
                "no connection to %s (%s); trying again in %.1f s",
                *(self._endpoint, reason, pause_us / SECOND_US),
            )
            await asyncio.sleep(pause_us / SECOND_US)
            pause_us = min(pause_us * 2, PAUSE_LONGEST_US)

    async def answer_turn(self, answer: bytes) -> None:
        await self._answer("CompleteOrchestratorTask", answer)

    async def answer_activity(self, answer: bytes) -> None:
        await self._answer("CompleteActivityTask", answer)

    async def history(self, instance_id: str, count: int) -> Sequence[bytes]:
        request = pb.GetInstanceHistoryRequest(instance_id=instance_id)
        answer = await self._channel.unary(
            f"{SERVICE}/GetInstanceHistory",
            request.SerializeToString(),
            timeout_s=ANSWER_TIMEOUT_S,
        )
        return pb.StoredEvents.FromString(answer).events[:count]

    async def close(self) -> None:
        """Disconnect: what was not answered is handed out again."""
        self._closed = True
        await self._channel.close()

    def _opened(self) -> None:
        self._session += 1
        self._is_open = True
        self.connected.set()
        _log.info("connected to %s", self._endpoint)

    async def _answer(self, method: str, answer: bytes) -> None:
        session, pause_us = self._session, PAUSE_FIRST_US
        for _ in range(ANSWER_ATTEMPTS_MAX):
            if session != self._session or not self._is_open:
                _log.info("an answer comes too late: its connection is lost")
                return
            try:
                await self._channel.unary(f"{SERVICE}/{method}", answer, timeout_s=ANSWER_TIMEOUT_S)
            except CallFailed as error:
                _log.warning("%s was not taken: %s", method, error)
                if error.code in _REFUSED:
                    return
            else:
                return
            await asyncio.sleep(pause_us / SECOND_US)
            pause_us = min(pause_us * 2, PAUSE_LONGEST_US)
        if session == self._session and self._is_open:
            # The server would wait for ever. A stream that is ended has its items handed out again.
            _log.error("an answer is not taken; the connection is given up")
            self._channel.drop()


def _reason(error: CallFailed) -> str:
    if error.code == _UNAUTHENTICATED:
        return f"{error.text}: set DAPR_API_TOKEN to the server's token"
    return error.text
