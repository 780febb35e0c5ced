"""`pubsub.kafka`: a topic is a topic of Kafka, read in a consumer group.

Topic, partition, offset and timestamp name a message. `maxInFlight`, which Dapr does not know, is
how many records are handled at once. A message is published with the key `partitionKey`, if its
metadata have one, and is confirmed by all replicas that are in step.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError

from perdure.base.errors import CallerFault, StoreUnavailable
from perdure.base.limits import BROKER_ANSWER_TIMEOUT_US, MIB
from perdure.base.time import SECOND_US
from perdure.triggers.brokers.kafka_place import KafkaPlace, place_of
from perdure.triggers.brokers.kafka_records import TROUBLES, KafkaSource, Reading, reading_of
from perdure.triggers.brokers.subscribing import only_known
from perdure.triggers.port import Outgoing, PubSub, Settings, Source
from perdure.triggers.reconnecting import in_words

_KEYS: Final = ("partitionKey", "__key")
_COMPRESSIONS: Final = ("none", "gzip")
_MESSAGE_BYTES_MOST: Final = 1_024 * MIB


class KafkaPubSub:
    """One Kafka cluster."""

    def __init__(
        self,
        settings: Settings,
        place: KafkaPlace,
        reading: Reading,
        *,
        message_bytes_max: int,
        compression: str | None,
    ) -> None:
        self.name = settings.component
        self._settings = settings
        self._place = place
        self._reading = reading
        self._message_bytes_max = message_bytes_max
        self._compression = compression
        self._producer: AIOKafkaProducer | None = None
        self._opening = asyncio.Lock()

    def subscribe(self, topic: str, metadata: Mapping[str, str]) -> Source:
        """Return the source of a topic."""
        only_known(self._settings, topic, metadata, ())
        return KafkaSource(f"{self.name}/{topic}", (topic,), self._place, self._reading)

    async def publish(self, topic: str, message: Outgoing) -> None:
        """Send to the topic; returns when the replicas in step have it."""
        headers = dict(message.attributes)
        keys = [headers.pop(name, None) for name in _KEYS]
        key = next((each for each in keys if each is not None), None)
        pairs = [("content-type", message.content_type), *headers.items()]
        try:
            async with asyncio.timeout(BROKER_ANSWER_TIMEOUT_US / SECOND_US):
                producer = await self._opened()
                await producer.send_and_wait(
                    topic,
                    message.data,
                    key=None if key is None else key.encode(),
                    headers=[(name, value.encode()) for name, value in pairs],
                )
        except MessageSizeTooLargeError as error:
            raise CallerFault(f"{self.name} takes no message as large as this") from error
        except (*TROUBLES, OSError, TimeoutError) as error:
            raise StoreUnavailable(
                f"{self.name} did not confirm the message: {in_words(error)}"
            ) from error

    async def _opened(self) -> AIOKafkaProducer:
        async with self._opening:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    **self._place.arguments(),
                    acks="all",
                    enable_idempotence=True,
                    max_request_size=self._message_bytes_max,
                    compression_type=self._compression,
                    request_timeout_ms=BROKER_ANSWER_TIMEOUT_US // 1_000,
                )
                try:
                    await producer.start()
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
            return self._producer

    async def close(self) -> None:
        """Let go of the connection."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()


def build(settings: Settings) -> PubSub:
    """Return the broker that `settings` describe."""
    compression = settings.one_of("compression", _COMPRESSIONS, "none")
    return KafkaPubSub(
        settings,
        place_of(settings),
        reading_of(settings),
        message_bytes_max=settings.integer(
            "maxMessageBytes", MIB, least=1, most=_MESSAGE_BYTES_MOST
        ),
        compression=None if compression == "none" else compression,
    )
