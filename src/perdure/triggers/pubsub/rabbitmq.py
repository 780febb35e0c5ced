"""`pubsub.rabbitmq`: a topic is an exchange, and each app has a queue of its own bound to it.

Unlike Dapr's, queues and exchanges are durable, survive without a consumer, and messages are
persistent, unless the metadata say otherwise: a message must not be lost because nobody was there.
Publishing is always confirmed. What names a message is told in `brokers.amqp_queues`.
"""

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange

from perdure.base.errors import StoreUnavailable
from perdure.base.limits import DELIVERIES_DEFAULT
from perdure.base.time import SECOND_US
from perdure.triggers.brokers.amqp_place import TIMEOUT_S, AmqpPlace, Exchange, Queue, place_of
from perdure.triggers.brokers.amqp_queues import PREFETCH_MOST, TROUBLES, AmqpSource
from perdure.triggers.brokers.subscribing import only_known, whole_number
from perdure.triggers.port import Outgoing, PubSub, Settings, Source
from perdure.triggers.reconnecting import in_words

_LENGTH_MOST: Final = 2**53
_PERSISTENT: Final = 2
_MODES_MOST: Final = 255
_TRUE: Final = frozenset({"1", "t", "true", "y", "yes", "on"})
_SUBSCRIPTION_ITEMS: Final = (
    *("maxLen", "maxLenBytes", "maxPriority", "queueName", "queueType", "routingKey"),
    "singleActiveConsumer",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Habits:
    """How exchanges and queues are declared, and messages published."""

    consumer_id: str
    exchange_kind: str
    durable: bool
    auto_delete: bool
    persistent: bool
    dead_letters: bool
    deliveries_max: int
    ttl_ms: int
    queue_arguments: dict[str, Any] = field(default_factory=dict)

    def exchange(self, topic: str) -> Exchange:
        return Exchange(
            name=topic,
            kind=self.exchange_kind,
            durable=self.durable,
            auto_delete=self.auto_delete,
        )


@dataclass(slots=True)
class _Outlet:
    """An open connection to publish on, and the exchanges declared on it."""

    connection: AbstractConnection
    channel: AbstractChannel
    exchanges: dict[str, AbstractExchange] = field(default_factory=dict)


class RabbitPubSub:
    """One RabbitMQ."""

    def __init__(self, settings: Settings, place: AmqpPlace, habits: _Habits) -> None:
        self.name = settings.component
        self._settings = settings
        self._place = place
        self._habits = habits
        self._outlet: _Outlet | None = None
        self._opening = asyncio.Lock()

    def subscribe(self, topic: str, metadata: Mapping[str, str]) -> Source:
        """Return the source of the queue that is bound to the topic's exchange."""
        items = only_known(self._settings, topic, metadata, _SUBSCRIPTION_ITEMS)
        habits = self._habits
        queue = Queue(
            name=items.get("queueName") or f"{habits.consumer_id}-{topic}",
            durable=habits.durable,
            auto_delete=habits.auto_delete,
            arguments=self._queue_arguments(topic, items),
            bound_to=habits.exchange(topic),
            routing_keys=tuple(items.get("routingKey", "").split(",")),
            dead_letters=habits.dead_letters,
        )
        return AmqpSource(f"{self.name}/{topic}", topic, self._place, queue, habits.deliveries_max)

    def _queue_arguments(self, topic: str, items: Mapping[str, str]) -> dict[str, Any]:
        kind = items.get("queueType", "classic")
        if kind not in {"classic", "quorum"}:
            raise self._settings.fault(
                None, f"the subscription to {topic} has queueType {kind}; use classic or quorum"
            )
        arguments: dict[str, Any] = {**self._habits.queue_arguments, "x-queue-type": kind}
        for name, argument, most in (
            ("maxLen", "x-max-length", _LENGTH_MOST),
            ("maxLenBytes", "x-max-length-bytes", _LENGTH_MOST),
            ("maxPriority", "x-max-priority", 255),
        ):
            value = whole_number(self._settings, topic, items, name, most=most)
            if value is not None:
                arguments[argument] = value
        if items.get("singleActiveConsumer", "").lower() in _TRUE:
            arguments["x-single-active-consumer"] = True
        return arguments

    async def publish(self, topic: str, message: Outgoing) -> None:
        """Publish to the topic's exchange; returns when the server has confirmed it."""
        attributes = dict(message.attributes)
        routing_key = attributes.pop("routingKey", "")
        outgoing = aio_pika.Message(
            message.data,
            content_type=message.content_type,
            headers=dict(attributes),
            message_id=str(uuid.uuid4()),
            delivery_mode=_PERSISTENT if self._habits.persistent else 1,
            expiration=self._habits.ttl_ms / 1_000 if self._habits.ttl_ms else None,
        )
        try:
            async with asyncio.timeout(TIMEOUT_S):
                exchange = await self._exchange(topic)
                await exchange.publish(outgoing, routing_key, mandatory=False)
        except (*TROUBLES, OSError, TimeoutError) as error:
            await self.close()
            raise StoreUnavailable(
                f"{self.name} did not confirm the message: {in_words(error)}"
            ) from error

    async def _exchange(self, topic: str) -> AbstractExchange:
        async with self._opening:
            if self._outlet is None:
                connection = await self._place.connect()
                self._outlet = _Outlet(connection, await connection.channel())
            outlet = self._outlet
            if topic not in outlet.exchanges:
                declared = await self._habits.exchange(topic).declare(outlet.channel)
                outlet.exchanges[topic] = declared
            return outlet.exchanges[topic]

    async def close(self) -> None:
        """Let go of the connection."""
        outlet, self._outlet = self._outlet, None
        if outlet is not None:
            await outlet.connection.close()


def build(settings: Settings) -> PubSub:
    """Return the broker that `settings` describe."""
    if settings.flag("autoAck", default=False):
        raise settings.fault(
            "autoAck", "a message is acknowledged only after it is on disk; remove this item"
        )
    # Publishing is confirmed either way; the item is known, so that it is not warned about.
    settings.flag("publisherConfirm", default=True)
    single = settings.one_of("concurrency", ("parallel", "single"), "parallel") == "single"
    prefetch = (
        settings.integer("prefetchCount", 0, least=0, most=PREFETCH_MOST) or DELIVERIES_DEFAULT
    )
    habits = _Habits(
        consumer_id=settings.text("consumerID", settings.app_id),
        exchange_kind=settings.one_of("exchangeKind", ("fanout", "topic"), "fanout"),
        durable=settings.flag("durable", default=True),
        auto_delete=settings.flag("deletedWhenUnused", default=False),
        persistent=settings.integer("deliveryMode", _PERSISTENT, least=0, most=_MODES_MOST)
        == _PERSISTENT,
        dead_letters=settings.flag("enableDeadLetter", default=False),
        deliveries_max=1 if single else prefetch,
        ttl_ms=_ttl_ms(settings),
        queue_arguments=_lengths(settings),
    )
    return RabbitPubSub(settings, place_of(settings, "connectionString"), habits)


def _ttl_ms(settings: Settings) -> int:
    value = settings.optional("ttlInSeconds") or ""
    if value.isdecimal():
        return settings.integer("ttlInSeconds", 0, least=0, most=_LENGTH_MOST // 1_000) * 1_000
    return settings.duration_us("ttlInSeconds", 0) * 1_000 // SECOND_US


def _lengths(settings: Settings) -> dict[str, Any]:
    wanted = {
        "x-max-length": settings.integer("maxLen", 0, least=0, most=_LENGTH_MOST),
        "x-max-length-bytes": settings.integer("maxLenBytes", 0, least=0, most=_LENGTH_MOST),
    }
    return {name: value for name, value in wanted.items() if value}
