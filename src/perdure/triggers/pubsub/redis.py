"""`pubsub.redis`: a topic is a Redis stream, read in a consumer group. Needs Redis 6.2 or later.

The entry's id names a message. `processingTimeout` and `redeliverInterval` say when what a consumer
that died had in hand is taken over; what this process has in hand is kept from that.
"""

import asyncio
import json
import time
from collections.abc import Mapping

import redis.asyncio as aioredis
from redis.exceptions import RedisError

from perdure.base.errors import StoreUnavailable
from perdure.base.limits import BROKER_ANSWER_TIMEOUT_US
from perdure.base.time import SECOND_US
from perdure.triggers.brokers.redis_place import RedisPlace, place_of
from perdure.triggers.brokers.redis_streams import Reading, RedisSource, reading_of
from perdure.triggers.brokers.subscribing import only_known
from perdure.triggers.port import Outgoing, PubSub, Settings, Source
from perdure.triggers.reconnecting import in_words

_CONNECTIONS_MAX = 16
_STREAM_ENTRIES_MOST = 1_000_000_000


class RedisPubSub:
    """One Redis."""

    def __init__(
        self,
        settings: Settings,
        place: RedisPlace,
        reading: Reading,
        *,
        entries_max: int,
        ttl_us: int,
    ) -> None:
        self.name = settings.component
        self._settings = settings
        self._place = place
        self._reading = reading
        self._entries_max = entries_max
        self._ttl_us = ttl_us
        self._client: aioredis.Redis | None = None

    def subscribe(self, topic: str, metadata: Mapping[str, str]) -> Source:
        """Return the source of a stream."""
        only_known(self._settings, topic, metadata, ())
        return RedisSource(f"{self.name}/{topic}", topic, self._place, self._reading)

    async def publish(self, topic: str, message: Outgoing) -> None:
        """Add an entry; returns with its id given by the server."""
        if self._client is None:
            self._client = self._place.client(connections_max=_CONNECTIONS_MAX)
        metadata = {"contentType": message.content_type, **dict(message.attributes)}
        oldest_ms = (time.time_ns() // 1_000 - self._ttl_us) // 1_000 if self._ttl_us else None
        try:
            async with asyncio.timeout(BROKER_ANSWER_TIMEOUT_US / SECOND_US):
                await self._client.xadd(
                    topic,
                    {"data": message.data, "metadata": json.dumps(metadata)},
                    maxlen=self._entries_max or None,
                    minid=None if oldest_ms is None or self._entries_max else f"{oldest_ms}-0",
                    approximate=True,
                )
        except (RedisError, OSError, TimeoutError) as error:
            raise StoreUnavailable(
                f"{self.name} did not take the message: {in_words(error)}"
            ) from error

    async def close(self) -> None:
        """Let go of the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()


def build(settings: Settings) -> PubSub:
    """Return the broker that `settings` describe."""
    entries_max = settings.integer("maxLenApprox", 0, least=0, most=_STREAM_ENTRIES_MOST)
    ttl_us = settings.duration_us("streamTTL", 0)
    if entries_max and ttl_us:
        raise settings.fault("streamTTL", "maxLenApprox is set too; Redis trims by one of them")
    return RedisPubSub(
        settings,
        place_of(settings),
        reading_of(settings),
        entries_max=entries_max,
        ttl_us=ttl_us,
    )
