"""What the outside asks of an instance, and the reasons for which it can be refused."""

from enum import Enum

from perdure.base.records import dataclass
from perdure.core.tracing import TraceContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Start a new instance of a workflow type."""

    instance_id: str
    name: str
    app_id: str
    input: str | None = None
    version: str | None = None
    scheduled_start_us: int | None = None
    tags: tuple[tuple[str, str], ...] = ()
    trace: TraceContext | None = None
    # Whether a finished instance under the same id may be replaced (behaviour.md 4.9), or
    # makes the id taken (the document form's 409, and enforceUniqueInstanceId).
    replace_finished: bool = True
    # The statuses an existing instance may have to be ended and replaced by this start, as the
    # reuse policy TERMINATE of 1.14 to 1.17 SDKs asks; and whether an existing one is left in
    # peace and reported as if started (policy IGNORE).
    terminate_existing: frozenset[int] = frozenset()
    ignore_existing: frozenset[int] = frozenset()
    # What the component that runs it is told besides, such as Temporal's task queue. The embedded
    # engine has no options, and reads none, as released Dapr does.
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RaiseEvent:
    """Give an instance an external event."""

    instance_id: str
    name: str
    input: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminate:
    """End an instance now, with `output` as its result."""

    instance_id: str
    output: str | None = None
    recursive: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspend:
    """Let an instance take no new work."""

    instance_id: str
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """Let a suspended instance go on."""

    instance_id: str
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Purge:
    """Delete everything about an instance; only a finished one unless forced."""

    instance_id: str
    recursive: bool = True
    force: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rerun:
    """Begin a new instance from an event of a finished one (behaviour.md 4.11)."""

    source_id: str
    event_id: int
    new_id: str
    new_id_chosen: bool = True  # by the caller; a door makes one up where the caller has not
    input: str | None = None
    overwrite_input: bool = False
    new_child_id: str | None = None


class Reason(Enum):
    """Why a request is refused. Each door maps every reason by one table."""

    NOT_FOUND = "not found"
    ALREADY_EXISTS = "already exists"
    ALREADY_FINISHED = "already finished"
    NOT_FINISHED = "not finished"
    STALLED = "stalled"
    DESCENDANT_ACTIVE = "a descendant is active"
    INVALID = "invalid"
    UNSUPPORTED = "unsupported"  # this component, as it is, cannot do it for anybody


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that will not be done, as a value: the reason and Dapr's own inner text."""

    reason: Reason
    text: str
