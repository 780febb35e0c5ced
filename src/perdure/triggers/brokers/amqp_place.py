"""Where a RabbitMQ is and how to get in, and what is declared there."""

import logging
import ssl
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlsplit

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractQueue

from perdure.base.limits import BROKER_ANSWER_TIMEOUT_US
from perdure.base.time import SECOND_US
from perdure.triggers.brokers.tls import certificates, context_of
from perdure.triggers.port import Settings

# A server that is away is told by its source in a line for each attempt, and without a traceback.
for _library in ("aio_pika", "aiormq"):
    logging.getLogger(_library).setLevel(logging.CRITICAL)

TIMEOUT_S: Final = BROKER_ANSWER_TIMEOUT_US / SECOND_US
_SCHEMES: Final = ("amqp", "amqps")


@dataclass(frozen=True, slots=True, kw_only=True)
class AmqpPlace:
    """A server's address, with the credentials in it."""

    url: str
    tls: ssl.SSLContext | None
    client_name: str

    async def connect(self) -> AbstractConnection:
        """Return a connection that does not come back by itself once it is lost."""
        return await aio_pika.connect(
            self.url,
            ssl_context=self.tls,
            timeout=TIMEOUT_S,
            client_properties={"connection_name": self.client_name},
        )


def place_of(settings: Settings, url_item: str) -> AmqpPlace:
    """Read the address and TLS; `url_item` is the item that holds a whole address."""
    for name in ("saslExternal", "externalSasl"):
        if settings.flag(name, default=False):
            raise settings.fault(name, "is not supported; use a user name and a password")
    url = settings.optional(url_item) or _assembled(settings, url_item)
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise settings.fault(url_item, "expected amqp://user:password@host:5672 or amqps://…")
    protocol = settings.optional("protocol")
    if protocol and protocol != parts.scheme:
        raise settings.fault("protocol", f"{url_item} says {parts.scheme}; remove one of them")
    tls = context_of(settings, certificates(settings)) if parts.scheme == "amqps" else None
    return AmqpPlace(url=url, tls=tls, client_name=f"perdure {settings.component}")


def _assembled(settings: Settings, url_item: str) -> str:
    host = settings.optional("hostname")
    if not host:
        raise settings.fault(url_item, "is missing; add it, such as amqp://guest:guest@host:5672")
    protocol = settings.one_of("protocol", _SCHEMES, "amqp")
    user, password = settings.optional("username"), settings.optional("password")
    credentials = f"{quote(user, safe='')}:{quote(password or '', safe='')}@" if user else ""
    return f"{protocol}://{credentials}{host}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What a topic is: an exchange of its name."""

    name: str
    kind: str
    durable: bool
    auto_delete: bool

    async def declare(self, channel: AbstractChannel) -> "aio_pika.abc.AbstractExchange":
        """Declare it; it must not be there with other properties."""
        return await channel.declare_exchange(
            self.name,
            self.kind,
            durable=self.durable,
            auto_delete=self.auto_delete,
            timeout=TIMEOUT_S,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """What messages wait in, and where they come from."""

    name: str
    durable: bool
    auto_delete: bool
    exclusive: bool = False
    arguments: dict[str, Any] = field(default_factory=dict)
    bound_to: Exchange | None = None
    routing_keys: tuple[str, ...] = ("",)
    dead_letters: bool = False

    async def declare(self, channel: AbstractChannel) -> AbstractQueue:
        """Declare the queue, its exchange and its dead letter queue, and bind them."""
        arguments = dict(self.arguments)
        if self.dead_letters:
            arguments["x-dead-letter-exchange"] = await self._declare_dead_letters(channel)
        queue = await channel.declare_queue(
            self.name,
            durable=self.durable,
            auto_delete=self.auto_delete,
            exclusive=self.exclusive,
            arguments=arguments,
            timeout=TIMEOUT_S,
        )
        if self.bound_to is not None:
            exchange = await self.bound_to.declare(channel)
            for key in self.routing_keys:
                await queue.bind(exchange, routing_key=key, timeout=TIMEOUT_S)
        return queue

    async def _declare_dead_letters(self, channel: AbstractChannel) -> str:
        exchange = await channel.declare_exchange(
            f"dlx-{self.name}",
            "fanout",
            durable=True,
            auto_delete=self.auto_delete,
            timeout=TIMEOUT_S,
        )
        queue = await channel.declare_queue(
            f"dlq-{self.name}",
            durable=True,
            auto_delete=self.auto_delete,
            arguments={"x-queue-mode": "lazy", **self.limits},
            timeout=TIMEOUT_S,
        )
        await queue.bind(exchange, timeout=TIMEOUT_S)
        return exchange.name

    @property
    def limits(self) -> dict[str, Any]:
        """The bounds of the queue's length, which hold for its dead letters too."""
        return {key: value for key, value in self.arguments.items() if "x-max-length" in key}
