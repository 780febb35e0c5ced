"""`bindings.rabbitmq`: the messages of one queue of RabbitMQ.

Unlike with Dapr, the queue is durable unless the metadata say otherwise, and there are never more
messages on their way than can be handled. What names a message is told in `brokers.amqp_queues`.
"""

from typing import Any, Final

from perdure.base.limits import DELIVERIES_DEFAULT
from perdure.triggers.bindings.items import check_direction
from perdure.triggers.brokers.amqp_place import Queue, place_of
from perdure.triggers.brokers.amqp_queues import PREFETCH_MOST, AmqpSource
from perdure.triggers.port import Settings, Source

_SECONDS_MOST: Final = 2**32
_PRIORITIES_MOST: Final = 255


def build(settings: Settings) -> Source:
    """Return the source that `settings` describe."""
    check_direction(settings)
    arguments: dict[str, Any] = {}
    if ttl_s := settings.integer("ttlInSeconds", 0, least=0, most=_SECONDS_MOST):
        arguments["x-message-ttl"] = ttl_s * 1_000
    if priorities := settings.integer("maxPriority", 0, least=0, most=_PRIORITIES_MOST):
        arguments["x-max-priority"] = priorities
    name = settings.text("queueName")
    queue = Queue(
        name=name,
        durable=settings.flag("durable", default=True),
        auto_delete=settings.flag("deleteWhenUnused", default=False),
        exclusive=settings.flag("exclusive", default=False),
        arguments=arguments,
    )
    prefetch = (
        settings.integer("prefetchCount", 0, least=0, most=PREFETCH_MOST) or DELIVERIES_DEFAULT
    )
    return AmqpSource(settings.component, name, place_of(settings, "host"), queue, prefetch)
