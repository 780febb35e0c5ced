"""Messages from queues of RabbitMQ.

- A message is acknowledged after it was accepted; the server sends no more than there is room for
  (the channel's prefetch), and delivers again what a lost connection had in hand.
- The property `message_id` names a message, where its publisher set one; ours does. Without it,
  what the payload says decides, and the server's word whether it delivered the message before.
- A message that has to wait is held, never given back: quorum queues count that, and drop.
"""

import asyncio
import time
from typing import Any, Final

from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from aiormq.exceptions import AMQPError, ChannelInvalidStateError

from perdure.triggers.brokers.amqp_place import TIMEOUT_S, AmqpPlace, Queue
from perdure.triggers.brokers.sessions import SessionSource
from perdure.triggers.deliveries import Deliveries
from perdure.triggers.port import Message, Receiver
from perdure.triggers.reconnecting import connected

TROUBLES: Final = (AMQPError, ChannelInvalidStateError)
# What a channel's prefetch can say at most.
PREFETCH_MOST: Final = 65_535


class AmqpSource(SessionSource):
    """The messages of one queue that the server gives to this consumer."""

    troubles = TROUBLES

    def __init__(
        self, name: str, topic: str, place: AmqpPlace, queue: Queue, deliveries_max: int
    ) -> None:
        super().__init__(name)
        self._topic = topic
        self._place = place
        self._queue = queue
        self._deliveries_max = deliveries_max

    async def _session(self, receive: Receiver) -> None:
        connection = await self._place.connect()
        try:
            channel = await connection.channel()
            await channel.set_qos(prefetch_count=self._deliveries_max, timeout=TIMEOUT_S)
            queue = await self._queue.declare(channel)
            arrived: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue(self._deliveries_max)
            async with Deliveries(
                receive, self.standing, name=self.name, most=self._deliveries_max
            ) as deliveries:
                deliveries.beside(_until(await _end_of(channel)))
                await queue.consume(arrived.put, timeout=TIMEOUT_S)
                connected(self.name, self.standing)
                while True:
                    incoming = await arrived.get()
                    await deliveries.room()
                    deliveries.hand_on(_message(self._topic, incoming), incoming.ack)
        finally:
            await asyncio.shield(connection.close())


async def _end_of(channel: AbstractChannel) -> "asyncio.Future[str]":
    """Return what will tell how the channel, or the consumer on it, was ended."""
    ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def end(words: str) -> None:
        if not ended.done():
            ended.set_result(words)

    def closed(_channel: Any, reason: BaseException | None) -> None:
        end(f"the channel was closed: {reason}")

    def cancelled(_frame: object) -> None:
        # Such as when the queue is deleted: it is to be declared anew.
        end("the server ended the consumer")

    channel.close_callbacks.add(closed)
    underlay = await channel.get_underlay_channel()
    underlay.on_consumer_cancel_callbacks.add(cancelled)
    return ended


async def _until(ended: "asyncio.Future[str]") -> None:
    raise ConnectionError(await ended)


def _message(topic: str, incoming: AbstractIncomingMessage) -> Message:
    headers = {str(key): _text(value) for key, value in (incoming.headers or {}).items()}
    if incoming.routing_key:
        headers["routingKey"] = incoming.routing_key
    if incoming.correlation_id:
        headers["correlationID"] = incoming.correlation_id
    return Message(
        message_id=incoming.message_id or None,
        data=incoming.body,
        content_type=incoming.content_type or None,
        attributes=tuple(sorted(headers.items())),
        topic=topic,
        received_at_us=time.time_ns() // 1_000,
        redelivered=bool(incoming.redelivered),
    )


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
