"""What people write about triggers and subscriptions, read and compiled."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from perdure.base.time import DAY_US, SECOND_US
from perdure.core.deliveries import OnExisting, OnMissing
from perdure.triggers.expressions import Expression

ATTEMPTS_DEFAULT: Final = 3
ATTEMPTS_MAX: Final = 20
FIRST_PAUSE_US: Final = SECOND_US // 2
LONGEST_PAUSE_US: Final = 30 * SECOND_US
EVENT_EXPIRY_US: Final = 1 * DAY_US


class Action(Enum):
    """What a message does."""

    START = "start"
    RAISE_EVENT = "raiseEvent"
    START_OR_RAISE = "startOrRaise"
    TERMINATE = "terminate"

    @property
    def starts(self) -> bool:
        """Whether it may begin an instance, and so needs a workflow type."""
        return self in {Action.START, Action.START_OR_RAISE}

    @property
    def raises(self) -> bool:
        """Whether it may give an instance an event, and so needs a name for it."""
        return self in {Action.RAISE_EVENT, Action.START_OR_RAISE}


@dataclass(frozen=True, slots=True)
class OfBinding:
    """Every message of an input binding."""

    binding: str

    def __str__(self) -> str:
        """Return it for people."""
        return f"binding {self.binding}"


@dataclass(frozen=True, slots=True)
class OfTopic:
    """Every message of a topic."""

    pubsub: str
    topic: str
    metadata: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        """Return it for people."""
        return f"topic {self.topic} of {self.pubsub}"


@dataclass(frozen=True, slots=True)
class OfRoute:
    """The messages that a subscription's rules send to a path."""

    subscription: str
    path: str

    def __str__(self) -> str:
        """Return it for people."""
        return f"path {self.path} of subscription {self.subscription}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often a message that cannot be used is tried before it becomes a dead letter."""

    attempts: int = ATTEMPTS_DEFAULT
    first_pause_us: int = FIRST_PAUSE_US
    longest_pause_us: int = LONGEST_PAUSE_US


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """One trigger. `spec` is what was written, for showing it; `place` is where."""

    name: str
    origin: OfBinding | OfTopic | OfRoute
    action: Action
    component: str
    workflow: str | None = None
    match: Expression | None = None
    instance_id: Expression | None = None
    input: Expression | None = None
    event_name: Expression | None = None
    tags: Expression | tuple[tuple[str, Expression], ...] = ()
    on_existing: OnExisting = OnExisting.DISCARD
    on_missing: OnMissing = OnMissing.DEAD_LETTER
    event_expiry_us: int = EVENT_EXPIRY_US
    keep_us: int = 0  # how long its messages are kept for a backtest; 0 is not at all
    retry: Retry = Retry()
    paused: bool = False  # from the start on; `resume` by a person does not outlast this
    spec: Mapping[str, Any] = field(default_factory=dict)
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A topic with its routing rules, in the order in which they are tried."""

    name: str
    pubsub: str
    topic: str
    rules: tuple[tuple[Expression, str], ...] = ()
    default: str | None = None
    dead_letter_topic: str | None = None
    metadata: tuple[tuple[str, str], ...] = ()
    place: str = ""

    def paths(self) -> tuple[str, ...]:
        """Return every path that it may send a message to."""
        default = () if self.default is None else (self.default,)
        return tuple(dict.fromkeys((*(path for _, path in self.rules), *default)))
