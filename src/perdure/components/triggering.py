"""What a door may ask of the triggers: see them, pause them, and deal with what went wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from perdure.components.publishing import PubSubView, SubscriptionView


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceView:
    """The source of a trigger's messages, and how it is doing."""

    name: str
    kind: str  # such as "pubsub.redis"
    connected: bool
    trouble: str | None
    received: int
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerView:
    """A trigger: what was written, and what it has done since the server was started."""

    name: str
    action: str
    workflow: str | None
    component: str
    place: str  # the file and line where it is defined
    spec: Mapping[str, Any]
    source: SourceView
    paused: bool
    dead_letters: int
    counts: Mapping[str, int]  # messages by what became of them


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerFigures:
    """What there is to count of the triggers and of their sources at this moment."""

    messages: Mapping[str, Mapping[str, int]]  # by trigger, by what became of them
    paused: Mapping[str, bool]  # by trigger
    received: Mapping[str, int]  # by source
    connected: Mapping[str, bool]  # by source


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageView:
    """A message as it arrived."""

    message_id: str | None
    topic: str | None
    content_type: str | None
    attributes: tuple[tuple[str, str], ...]
    data: bytes
    received_at_us: int
    named_after: str | None = None  # what its source says that it is about, for an instance id


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterView:
    """A message that a trigger could not use."""

    key: str
    trigger: str
    source: str
    reason: str
    attempts: int
    at_us: int
    message: MessageView


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptMessageView:
    """A message that is kept for a backtest, with what became of it."""

    key: str
    outcome: str
    message: MessageView


@dataclass(frozen=True, slots=True)
class DeadLetterPage:
    """A page of dead letters; `next_token` is None at the end."""

    letters: tuple[DeadLetterView, ...]
    next_token: str | None


@dataclass(frozen=True, slots=True)
class KeptPage:
    """A page of kept messages; `next_token` is None at the end."""

    messages: tuple[KeptMessageView, ...]
    next_token: str | None


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of a replay. `done` is false if it is a dead letter still, for this reason."""

    done: bool
    outcome: str


class Triggers(Protocol):
    """The triggers of this process. Every call may raise a StoreError.

    None, and False, stand for a trigger or a dead letter that there is not.
    """

    def trouble(self) -> str | None:
        """Return why messages do not come just now; None when all is well."""
        ...

    def component_views(self) -> Sequence[PubSubView]:
        """Return the loaded brokers and bindings."""
        ...

    def subscription_views(self) -> Sequence[SubscriptionView]:
        """Return the topics that are received."""
        ...

    async def list(self) -> Sequence[TriggerView]:
        """Return every trigger, by name."""
        ...

    async def get(self, name: str) -> TriggerView | None:
        """Return one trigger."""
        ...

    async def pause(self, name: str) -> bool:
        """Take no more messages for a trigger, across restarts; they wait at the broker."""
        ...

    async def resume(self, name: str) -> bool:
        """Take messages for a trigger again."""
        ...

    async def dead_letters(
        self, name: str, *, token: str | None, limit: int
    ) -> DeadLetterPage | None:
        """Return a page of a trigger's dead letters, oldest first; CallerFault for a bad token."""
        ...

    async def dead_letter(self, name: str, key: str) -> DeadLetterView | None:
        """Return one dead letter."""
        ...

    async def edit(self, name: str, key: str, data: bytes, content_type: str | None) -> bool:
        """Put another payload in the place of a dead letter's."""
        ...

    async def replay(self, name: str, key: str) -> Replayed | None:
        """Try a dead letter again, now; it is gone in the commit of what it leads to."""
        ...

    async def discard(self, name: str, key: str) -> bool:
        """Delete a dead letter."""
        ...

    async def kept(
        self, name: str, *, since_us: int, token: str | None, limit: int
    ) -> KeptPage | None:
        """Return a page of the messages that are kept, oldest first; CallerFault for a token."""
        ...
