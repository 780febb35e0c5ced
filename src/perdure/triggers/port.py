"""What a source of messages is: input bindings and pub/sub brokers stand behind these protocols.

Theory of operation.
- A source hands every message to its receiver, and acknowledges it to the broker only after the
  receiver said ACCEPTED: then the dedup key, the source's position and what the message leads to
  are on disk, in one commit. A message that comes again with the same `message_id` changes nothing
  and is ACCEPTED too.
- What cannot be used is tried again and at last kept as a dead letter by the receiver, which then
  says ACCEPTED. LATER means that nothing is on disk (the store is away, the trigger is paused, the
  server is stopping): the source keeps the message unacknowledged, or gives it back.
- The receiver takes its time, and that is the back-pressure: a source has at most
  `deliveries_max` calls of it under way, and asks its broker for no more than it can hand on.
- A broker that is away is not a fault of the server: the source connects again for ever, with
  backoff and a log line each, and tells its `Standing`, from which health is answered.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol, runtime_checkable

from starlette.routing import BaseRoute


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of a source, as it arrived.

    `message_id` names it within its source and is the same each time it is delivered; None where
    the broker gives it none. A CloudEvent's own source and id name it before either.
    `position` is where the source would go on after it, for sources that keep their place with us.
    `named_after` is what a workflow that follows from it is called after where its trigger does not
    say: a tweet's id, a Kubernetes object's name; None for the id that names the message.
    `redelivered` is what the broker says: it has tried to hand this message over before. For one
    that nothing names, it alone tells a message that comes again from another of equal content.
    """

    message_id: str | None
    data: bytes
    content_type: str | None = None
    attributes: tuple[tuple[str, str], ...] = ()  # headers and metadata of the broker
    topic: str | None = None
    received_at_us: int = 0
    position: str | None = None
    named_after: str | None = None
    redelivered: bool = False


class Settled(Enum):
    """What became of a message."""

    ACCEPTED = "accepted"  # on disk; acknowledge it
    LATER = "later"  # not on disk; do not acknowledge it


Receiver = Callable[[Message], Awaitable[Settled]]


@dataclass(slots=True)
class Standing:
    """How a source is doing, for health, metrics and people."""

    connected: bool = False
    trouble: str | None = None  # the last one, in words; None when all is well
    received: int = 0
    notes: dict[str, str] = field(default_factory=dict)


class Source(Protocol):
    """One stream of messages."""

    name: str  # of its component, and with a topic `component/topic`
    standing: Standing

    async def run(self, receive: Receiver, position: str | None) -> None:
        """Receive until cancelled; go on after `position`, if the source keeps its place with us.

        Never ends by itself and never raises for trouble at the broker's side. When cancelled,
        calls of `receive` under way are awaited for a moment, so that what is on disk is also
        acknowledged; then the connection is closed.
        """
        ...


@runtime_checkable
class WebSource(Source, Protocol):
    """A source that is called: it receives while its routes are served."""

    routes: Sequence[BaseRoute]
    open_paths: frozenset[str]  # those of the routes that need no API token


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message to publish: bytes as they are to lie in the broker."""

    data: bytes
    content_type: str
    attributes: tuple[tuple[str, str], ...] = ()


class PubSub(Protocol):
    """One pub/sub broker."""

    name: str

    def subscribe(self, topic: str, metadata: Mapping[str, str]) -> Source:
        """Return the source of a topic; several subscribers of one app share the messages.

        `metadata` is the subscription's. Raises ConfigurationError for what it does not know.
        """
        ...

    async def publish(self, topic: str, message: Outgoing) -> None:
        """Hand a message to the broker; it has confirmed it when this returns.

        Raises StoreUnavailable when the broker is away or does not confirm in time.
        """
        ...

    async def close(self) -> None:
        """Let go of the connection; may be called twice."""
        ...


class Settings(Protocol):
    """The metadata of a component, with secrets and environment references resolved.

    Each call raises ConfigurationError with file, line, the item's name and what to write instead.
    """

    component: str  # its name
    type: str  # such as "pubsub.redis"
    app_id: str

    def text(self, name: str, default: str | None = None) -> str:
        """Return an item's value; without a default it must be there and not empty."""
        ...

    def optional(self, name: str) -> str | None:
        """Return an item's value, or None."""
        ...

    def integer(self, name: str, default: int, *, least: int, most: int) -> int:
        """Return a whole number within bounds."""
        ...

    def flag(self, name: str, *, default: bool) -> bool:
        """Return true or false, as Dapr's metadata spell them."""
        ...

    def duration_us(self, name: str, default_us: int) -> int:
        """Return a Go duration such as `1m30s`, in microseconds."""
        ...

    def one_of(self, name: str, choices: Sequence[str], default: str) -> str:
        """Return one of a few words."""
        ...

    def names(self) -> Sequence[str]:
        """Return the names of all items that are there."""
        ...

    def fault(self, name: str | None, message: str) -> Exception:
        """Return a ConfigurationError at the item's place, or at the component's."""
        ...


BindingFactory = Callable[[Settings], Source]
PubSubFactory = Callable[[Settings], PubSub]
