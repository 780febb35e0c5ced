"""Publishing for apps: find the broker, wrap the payload as Dapr does, hand it over."""

import uuid
from collections.abc import Mapping

from perdure.base.errors import StoreUnavailable
from perdure.base.time import Clock
from perdure.components.publishing import NotPublished, Publication, PublishReason
from perdure.triggers.cloud_events import RAW_TYPE, STRUCTURED, NoEvent
from perdure.triggers.envelopes import BadMetadata, envelope, is_raw
from perdure.triggers.port import Outgoing, PubSub

# What is said to us, not to the broker.
_OURS = frozenset({"rawpayload", "ttlinseconds"})
_OF_THE_EVENT = "cloudevent."


class BrokerPublisher:
    """An implementation of `components.publishing.Publisher`."""

    def __init__(self, brokers: Mapping[str, PubSub], clock: Clock, app_id: str) -> None:
        """Publish with these brokers, by the names of their components."""
        self._brokers = brokers
        self._clock = clock
        self._app_id = app_id

    async def publish(self, publication: Publication) -> NotPublished | None:
        """Publish a message; None once the broker has confirmed it."""
        name, topic = publication.pubsub, publication.topic
        refusal = self._unaddressed(name, topic)
        if refusal is not None:
            return refusal
        try:
            await self._brokers[name].publish(topic, self._wrapped(publication))
        except NoEvent as error:
            return NotPublished(PublishReason.BAD_EVENT, f"cannot create cloudevent: {error}")
        except BadMetadata as error:
            return NotPublished(
                PublishReason.BAD_METADATA, f"failed deserializing metadata. Error: {error}"
            )
        except StoreUnavailable as error:
            return NotPublished(
                PublishReason.AWAY,
                f"error when publishing to topic {topic} in pubsub {name}: {error}",
            )
        return None

    def _unaddressed(self, name: str, topic: str) -> NotPublished | None:
        if not self._brokers:
            return NotPublished(PublishReason.NOT_CONFIGURED, "pubsub is not configured")
        if name not in self._brokers:
            return NotPublished(PublishReason.NOT_FOUND, f"pubsub {name} not found")
        if not topic:
            return NotPublished(PublishReason.TOPIC_EMPTY, f"topic is empty in pubsub {name}")
        return None

    def _wrapped(self, publication: Publication) -> Outgoing:
        attributes = tuple(
            (key, value)
            for key, value in publication.metadata.items()
            if key.lower() not in _OURS and not key.lower().startswith(_OF_THE_EVENT)
        )
        if is_raw(publication):
            kind = publication.content_type or RAW_TYPE
            return Outgoing(data=publication.data, content_type=kind, attributes=attributes)
        data = envelope(
            publication,
            event_id=str(uuid.uuid4()),
            app_id=self._app_id,
            now_us=self._clock.now_us(),
        )
        return Outgoing(data=data, content_type=STRUCTURED, attributes=attributes)
