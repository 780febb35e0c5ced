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

from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue
from aiormq.exceptions import AMQPError, ChannelInvalidStateError

from perdure.triggers.brokers.amqp_place import TIMEOUT_S, AmqpPlace, Queue
from perdure.triggers.deliveries import Deliveries
from perdure.triggers.port import Message, Receiver, Standing
from perdure.triggers.reconnecting import connected, stay_connected

TROUBLES: Final = (AMQPError, ChannelInvalidStateError)
# What a channel's prefetch can say at most.
PREFETCH_MOST: Final = 65_535


class AmqpSource:
    """The messages of one queue that the server gives to this consumer."""

    def __init__(
        self, name: str, topic: str, place: AmqpPlace, queue: Queue, deliveries_max: int
    ) -> None:
        self.name = name
        self.standing = Standing()
        self._topic = topic
        self._place = place
        self._queue = queue
        self._deliveries_max = deliveries_max

    async def run(self, receive: Receiver, position: str | None) -> None:
        """Receive until cancelled; the queue keeps the position."""
        del position

        async def session() -> None:
            await self._session(receive)

        await stay_connected(session, name=self.name, standing=self.standing, troubles=TROUBLES)

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
                deliveries.beside(_until_closed(channel))
                await _consume(channel, queue, arrived)
                connected(self.name, self.standing)
                while True:
                    incoming = await arrived.get()
                    await deliveries.room()
                    deliveries.hand_on(_message(self._topic, incoming), incoming.ack)
        finally:
            await asyncio.shield(connection.close())


async def _consume(
    channel: AbstractChannel,
    queue: AbstractQueue,
    arrived: "asyncio.Queue[AbstractIncomingMessage]",
) -> None:
    underlay = await channel.get_underlay_channel()

    async def cancelled(_frame: object) -> None:
        # The server takes the consumer away, such as when the queue is deleted: start afresh.
        await underlay.close(ConnectionError("the server ended the consumer"))

    underlay.on_consumer_cancel_callbacks.add(cancelled)
    await queue.consume(arrived.put, timeout=TIMEOUT_S)


async def _until_closed(channel: AbstractChannel) -> None:
    closing: asyncio.Future[BaseException | None] = asyncio.get_running_loop().create_future()

    def closed(_channel: Any, reason: BaseException | None) -> None:
        if not closing.done():
            closing.set_result(reason)

    channel.close_callbacks.add(closed)
    reason = await closing
    raise ConnectionError(f"the server closed the channel: {reason}")


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
