"""Messages from topics of MQTT 3.1.1.

- The session is kept by the broker (`cleanSession` false): it stores what comes while we are away.
- A message of quality 1 is acknowledged after it was accepted. The broker delivers it again after
  the next connection, with a mark. Quality 2 would be acknowledged before it is on disk, so it is
  received as 1; quality 0 is acknowledged by nobody, and a subscription to it is refused.
- MQTT names no message. What the payload says decides (a CloudEvent's source and id); for any other
  payload its content does, where the broker marks it as delivered before, or as one it retained.
- Messages of one topic are handed on one after the other, as MQTT orders them.
"""

import hashlib
import time
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from paho.mqtt.client import MQTTMessage

from perdure.base.limits import DELIVERIES_DEFAULT, DELIVERIES_MAX
from perdure.triggers.brokers.mqtt_line import MqttLine, MqttPlace, MqttTrouble
from perdure.triggers.brokers.sessions import SessionSource
from perdure.triggers.brokers.tls import certificates, context_of
from perdure.triggers.deliveries import Deliveries
from perdure.triggers.port import Message, Receiver, Settings
from perdure.triggers.reconnecting import connected

TROUBLES: Final = (MqttTrouble, ValueError)
_PORTS: Final = {"tcp": 1883, "mqtt": 1883, "ssl": 8883, "tls": 8883, "mqtts": 8883}
_SECURE: Final = frozenset({"ssl", "tls", "mqtts"})
_QOS_MOST: Final = 2
_RECEIVED_QOS: Final = 1
_DIGEST_CHARS: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How topics are read."""

    consumer_id: str
    clean_session: bool
    deliveries_max: int

    def client_id(self, topic: str) -> str:
        """Return the name of a topic's session: each topic has one of its own."""
        digest = hashlib.sha256(topic.encode()).hexdigest()[:_DIGEST_CHARS]
        return f"{self.consumer_id}-{digest}"


def place_of(settings: Settings) -> MqttPlace:
    """Read the address, the credentials and TLS."""
    parts = urlsplit(settings.text("url"))
    try:
        port = parts.port
    except ValueError as error:
        raise settings.fault("url", f"its port cannot be read: {error}") from error
    if parts.scheme not in _PORTS or not parts.hostname:
        raise settings.fault("url", "expected tcp://user:password@host:1883 or ssl://host:8883")
    pem = certificates(settings)
    return MqttPlace(
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        username=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
        tls=context_of(settings, pem) if parts.scheme in _SECURE else None,
    )


def quality_of(settings: Settings) -> int:
    """Read `qos`, with which messages are published."""
    quality = settings.integer("qos", 1, least=0, most=_QOS_MOST)
    if quality == 0:
        raise settings.fault(
            "qos", "with 0 nothing is acknowledged, and messages would be lost; use 1 or 2"
        )
    return quality


def reading_of(settings: Settings) -> Reading:
    """Read the metadata of consuming."""
    return Reading(
        consumer_id=settings.text("consumerID", settings.app_id),
        clean_session=settings.flag("cleanSession", default=False),
        deliveries_max=settings.integer(
            "maxInFlight", DELIVERIES_DEFAULT, least=1, most=DELIVERIES_MAX
        ),
    )


class MqttSource(SessionSource):
    """The messages of one topic or filter that come to the session of a client."""

    troubles = TROUBLES

    def __init__(
        self, name: str, topic: str, client_id: str, place: MqttPlace, reading: Reading
    ) -> None:
        super().__init__(name)
        self._topic = topic
        self._client_id = client_id
        self._place = place
        self._reading = reading

    async def _session(self, receive: Receiver) -> None:
        line = MqttLine(self._place, self._client_id, clean_session=self._reading.clean_session)
        async with (
            line,
            Deliveries(
                receive, self.standing, name=self.name, most=self._reading.deliveries_max
            ) as deliveries,
        ):
            deliveries.beside(line.lost())
            await line.subscribe(self._topic, _RECEIVED_QOS)
            connected(self.name, self.standing)
            while True:
                incoming = await line.next_message()
                await deliveries.room()

                async def acknowledge(incoming: MQTTMessage = incoming) -> None:
                    await line.acknowledge(incoming)

                deliveries.hand_on(_message(incoming), acknowledge, lane=incoming.topic)


def _message(incoming: MQTTMessage) -> Message:
    return Message(
        message_id=None,
        data=bytes(incoming.payload),
        attributes=(("retained", "true"),) if incoming.retain else (),
        topic=incoming.topic,
        received_at_us=time.time_ns() // 1_000,
        redelivered=bool(incoming.dup or incoming.retain),
    )
