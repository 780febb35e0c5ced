"""`pubsub.in-memory`: a broker that is a queue for each topic, and needs nothing installed.

Messages live as long as the process, and a topic that nobody receives drops them, as in Dapr: for
development and tests. What was not accepted when a source stops stands first in its queue again.
"""

import asyncio
import uuid
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from perdure.base.errors import StoreUnavailable
from perdure.base.limits import BROKER_ANSWER_TIMEOUT_US, DELIVERIES_DEFAULT, MIB
from perdure.base.time import SECOND_US
from perdure.triggers.brokers.subscribing import only_known
from perdure.triggers.deliveries import Deliveries
from perdure.triggers.port import Message, Outgoing, PubSub, Receiver, Settings, Source, Standing

TOPICS_MAX: Final = 1_000
QUEUE_MESSAGES_MAX: Final = 10_000
QUEUE_BYTES_MAX: Final = 64 * MIB


def build(settings: Settings) -> PubSub:
    """Return the broker of a component, which has no settings."""
    return InMemoryPubSub(settings)


class _Topic:
    """The queue of one topic, bounded in messages and in bytes."""

    def __init__(self) -> None:
        self._waiting: deque[Message] = deque()
        self._bytes = 0
        self._changed = asyncio.Condition()

    async def put(self, message: Message) -> None:
        """Add a message once there is room."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._has_room(message))
            self._waiting.append(message)
            self._bytes += len(message.data)
            self._changed.notify_all()

    async def take(self) -> Message:
        """Return the first message, once there is one."""
        async with self._changed:
            await self._changed.wait_for(lambda: bool(self._waiting))
            message = self._waiting.popleft()
            self._bytes -= len(message.data)
            self._changed.notify_all()
            return message

    async def put_back(self, messages: list[Message]) -> None:
        """Put messages that were not accepted in front, marked as such."""
        async with self._changed:
            for message in reversed(messages):
                self._waiting.appendleft(replace(message, redelivered=True))
                self._bytes += len(message.data)
            self._changed.notify_all()

    def _has_room(self, message: Message) -> bool:
        few = len(self._waiting) < QUEUE_MESSAGES_MAX
        return few and (not self._waiting or self._bytes + len(message.data) <= QUEUE_BYTES_MAX)


class InMemoryPubSub:
    """The topics of one component."""

    def __init__(self, settings: Settings) -> None:
        self.name = settings.component
        self._settings = settings
        self._topics: dict[str, _Topic] = {}

    def subscribe(self, topic: str, metadata: Mapping[str, str]) -> Source:
        """Return the source of a topic; raises ConfigurationError for metadata."""
        only_known(self._settings, topic, metadata, ())
        if topic not in self._topics and len(self._topics) >= TOPICS_MAX:
            raise self._settings.fault(None, f"it has at most {TOPICS_MAX} topics")
        queue = self._topics.setdefault(topic, _Topic())
        return _InMemorySource(f"{self.name}/{topic}", queue)

    async def publish(self, topic: str, message: Outgoing) -> None:
        """Queue a message, if anybody receives the topic; raises StoreUnavailable when full."""
        queue = self._topics.get(topic)
        if queue is None:
            return
        queued = Message(
            message_id=str(uuid.uuid4()),
            data=message.data,
            content_type=message.content_type,
            attributes=message.attributes,
            topic=topic,
        )
        try:
            async with asyncio.timeout(BROKER_ANSWER_TIMEOUT_US / SECOND_US):
                await queue.put(queued)
        except TimeoutError as error:
            raise StoreUnavailable(
                f"the queue of topic {topic} is full: {QUEUE_MESSAGES_MAX} messages or "
                f"{QUEUE_BYTES_MAX // MIB} MiB wait in it"
            ) from error

    async def close(self) -> None:
        """Let go of nothing: what waits goes with the process."""


class _InMemorySource:
    """Receives one topic."""

    def __init__(self, name: str, queue: _Topic) -> None:
        self.name = name
        self.standing = Standing()
        self._queue = queue

    async def run(self, receive: Receiver, position: str | None) -> None:  # noqa: ARG002 - the port's
        """Receive until cancelled; the queue is what keeps the place."""
        unaccepted: dict[str, Message] = {}
        self.standing.connected = True
        try:
            async with Deliveries(
                receive, self.standing, name=self.name, most=DELIVERIES_DEFAULT
            ) as deliveries:
                while True:
                    await deliveries.room()
                    message = await self._queue.take()
                    assert message.message_id is not None, "given when it was published"
                    unaccepted[message.message_id] = message
                    deliveries.hand_on(message, _Acceptance(unaccepted, message.message_id))
        finally:
            self.standing.connected = False
            await self._queue.put_back(list(unaccepted.values()))


class _Acceptance:
    """Forgets a message that was accepted."""

    def __init__(self, unaccepted: dict[str, Message], message_id: str) -> None:
        self._unaccepted = unaccepted
        self._message_id = message_id

    async def __call__(self) -> None:
        self._unaccepted.pop(self._message_id, None)
