"""`pubsub.jetstream`: a topic is a subject of a JetStream stream, which has to be there.

Stream, sequence and time of storing name a message. Readers of one app share a durable consumer
named after the app and the subject, unless `durableName` names it.
"""

import asyncio
from collections.abc import Mapping

from nats.aio.client import Client
from nats.errors import MaxPayloadError
from nats.js import JetStreamContext

from perdure.base.errors import CallerFault, StoreUnavailable
from perdure.triggers.brokers.nats_place import TIMEOUT_S, NatsPlace, place_of
from perdure.triggers.brokers.nats_streams import TROUBLES, NatsSource, Reading, reading_of
from perdure.triggers.brokers.subscribing import only_known
from perdure.triggers.port import Outgoing, PubSub, Settings, Source
from perdure.triggers.reconnecting import in_words


class JetStreamPubSub:
    """One NATS cluster."""

    def __init__(self, settings: Settings, place: NatsPlace, reading: Reading) -> None:
        self.name = settings.component
        self._settings = settings
        self._place = place
        self._reading = reading
        self._client: Client | None = None
        self._opening = asyncio.Lock()

    def subscribe(self, topic: str, metadata: Mapping[str, str]) -> Source:
        """Return the source of a subject."""
        only_known(self._settings, topic, metadata, ())
        return NatsSource(f"{self.name}/{topic}", topic, self._place, self._reading)

    async def publish(self, topic: str, message: Outgoing) -> None:
        """Publish to the subject; returns when the stream has stored it."""
        headers = {"Content-Type": message.content_type, **dict(message.attributes)}
        try:
            async with asyncio.timeout(TIMEOUT_S):
                streams = await self._streams()
                await streams.publish(topic, message.data, timeout=TIMEOUT_S, headers=headers)
        except MaxPayloadError as error:
            raise CallerFault(f"{self.name} takes no message as large as this") from error
        except (*TROUBLES, OSError, TimeoutError) as error:
            raise StoreUnavailable(
                f"{self.name} did not store the message: {in_words(error)}"
            ) from error

    async def _streams(self) -> JetStreamContext:
        async with self._opening:
            if self._client is None or self._client.is_closed:
                self._client = await self._place.connect(_nothing_to_do)
            return self._place.jetstream(self._client)

    async def close(self) -> None:
        """Let go of the connection."""
        client, self._client = self._client, None
        if client is not None and not client.is_closed:
            await client.close()


async def _nothing_to_do() -> None:
    # The next message to publish finds the connection closed and opens another.
    return


def build(settings: Settings) -> PubSub:
    """Return the broker that `settings` describe."""
    return JetStreamPubSub(settings, place_of(settings), reading_of(settings))
