"""`pubsub.mqtt3`: a topic is a topic of MQTT 3.1.1, or a filter such as `orders/+`.

Each topic has a session of its own, whose client id is `consumerID`, or the app's id, and a digest
of the topic. MQTT 3.1.1 knows no groups: two processes with one client id take the session from
each other. To share messages, subscribe to `$share/GROUP/TOPIC`, where the broker has that, and
give each process a `consumerID` of its own. What names a message is told in `brokers.mqtt_topics`.
"""

import asyncio
import secrets
from collections.abc import Mapping

from perdure.base.errors import StoreUnavailable
from perdure.triggers.brokers.mqtt_line import TIMEOUT_S, MqttLine, MqttPlace
from perdure.triggers.brokers.mqtt_topics import (
    TROUBLES,
    MqttSource,
    Reading,
    place_of,
    quality_of,
    reading_of,
)
from perdure.triggers.brokers.subscribing import only_known
from perdure.triggers.port import Outgoing, PubSub, Settings, Source
from perdure.triggers.reconnecting import in_words


class MqttPubSub:
    """One MQTT broker."""

    def __init__(
        self, settings: Settings, place: MqttPlace, reading: Reading, *, quality: int, retain: bool
    ) -> None:
        self.name = settings.component
        self._settings = settings
        self._place = place
        self._reading = reading
        self._quality = quality
        self._retain = retain
        self._line: MqttLine | None = None
        self._opening = asyncio.Lock()

    def subscribe(self, topic: str, metadata: Mapping[str, str]) -> Source:
        """Return the source of a topic."""
        only_known(self._settings, topic, metadata, ())
        return MqttSource(
            f"{self.name}/{topic}",
            topic,
            self._reading.client_id(topic),
            self._place,
            self._reading,
        )

    async def publish(self, topic: str, message: Outgoing) -> None:
        """Publish to the topic; MQTT 3.1.1 carries bytes alone, so attributes are left behind."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                line = await self._opened()
                await line.publish(topic, message.data, qos=self._quality, retain=self._retain)
        except (*TROUBLES, OSError, TimeoutError) as error:
            raise StoreUnavailable(
                f"{self.name} did not confirm the message: {in_words(error)}"
            ) from error

    async def _opened(self) -> MqttLine:
        async with self._opening:
            if self._line is not None and self._line.is_lost:
                await self.close()
            if self._line is None:
                client_id = f"{self._reading.consumer_id}-{secrets.token_hex(6)}"
                line = MqttLine(self._place, client_id, clean_session=True)
                self._line = await line.__aenter__()
            return self._line

    async def close(self) -> None:
        """Let go of the connection."""
        line, self._line = self._line, None
        if line is not None:
            await line.close()


def build(settings: Settings) -> PubSub:
    """Return the broker that `settings` describe."""
    return MqttPubSub(
        settings,
        place_of(settings),
        reading_of(settings),
        quality=quality_of(settings),
        retain=settings.flag("retain", default=False),
    )
