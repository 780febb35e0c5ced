"""What a door may ask of the pub/sub brokers: publish, and nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """One message as an app hands it in, to be wrapped as Dapr wraps it.

    `metadata` has Dapr's names: `rawPayload`, `ttlInSeconds`, `cloudevent.id` and the like.
    """

    pubsub: str
    topic: str
    data: bytes
    content_type: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    traceparent: str = ""
    tracestate: str = ""


class PublishReason(Enum):
    """Why a message was not published; Dapr's name of it, without what is common to all."""

    NOT_CONFIGURED = "NOT_CONFIGURED"  # there is no pub/sub at all
    NOT_FOUND = "NOT_FOUND"
    TOPIC_EMPTY = "TOPIC_EMPTY"
    BAD_EVENT = "BAD_EVENT"  # the payload is not the event that it says it is
    BAD_METADATA = "BAD_METADATA"
    AWAY = "AWAY"  # the broker has not confirmed it


@dataclass(frozen=True, slots=True)
class NotPublished:
    """A refusal: the reason, and the words for it that Dapr has."""

    reason: PublishReason
    text: str


@dataclass(frozen=True, slots=True)
class PubSubView:
    """A pub/sub component or a binding, as metadata lists it."""

    name: str
    kind: str  # such as "pubsub.in-memory"


@dataclass(frozen=True, slots=True)
class SubscriptionView:
    """A topic that this server receives, as metadata lists it."""

    pubsub: str
    topic: str
    rules: Sequence[tuple[str, str]]  # match and path
    dead_letter_topic: str
    metadata: Mapping[str, str]


class Publisher(Protocol):
    """The pub/sub brokers of this process."""

    async def publish(self, publication: Publication) -> NotPublished | None:
        """Publish a message; None once the broker has confirmed it."""
        ...
