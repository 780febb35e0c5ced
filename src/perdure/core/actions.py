"""What workflow code decided in a turn: one record per kind of the wire's WorkflowAction."""

from perdure.base.records import dataclass
from perdure.core.events import AnyFailure, EventRaised, PropagationScope, Router
from perdure.core.status import Status
from perdure.core.tracing import TraceContext


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionBase:
    """What every action carries: its id, which its event gets, and its routing."""

    id: int
    router: Router | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleTask(ActionBase):
    """Run an activity."""

    name: str
    version: str | None = None
    input: str | None = None
    execution_id: str = ""
    scope: PropagationScope = PropagationScope.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTimer(ActionBase):
    """Wake the workflow at a time; `origin` is numbered as in TimerCreatedEvent."""

    fire_at_us: int
    name: str | None = None
    origin: int = 0
    origin_bytes: bytes = b""
    awaited_event: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateChild(ActionBase):
    """Start a child workflow; an empty id is filled in from the parent's."""

    instance_id: str
    name: str
    version: str | None = None
    input: str | None = None
    scope: PropagationScope = PropagationScope.NONE
    retry_of: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateDetached(ActionBase):
    """Start an independent workflow: no parent, no part in recursive requests."""

    instance_id: str
    name: str
    version: str | None = None
    input: str | None = None
    scheduled_start_us: int | None = None
    tags: tuple[tuple[str, str], ...] = ()
    trace: TraceContext | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SendEvent(ActionBase):
    """Raise an event on another instance."""

    instance_id: str
    name: str
    input: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Complete(ActionBase):
    """End this instance, or with CONTINUED_AS_NEW begin its next generation."""

    status: Status
    result: str | None = None
    failure: AnyFailure = None
    carryover: tuple[EventRaised, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminate(ActionBase):
    """End another instance."""

    instance_id: str
    reason: str | None = None
    recurse: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionNotAvailable(ActionBase):
    """This worker does not have the version of the workflow that the instance runs."""


Action = (
    ScheduleTask
    | CreateTimer
    | CreateChild
    | CreateDetached
    | SendEvent
    | Complete
    | Terminate
    | VersionNotAvailable
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A worker's whole answer to one turn.

    An answer without a version counts as one that consulted no patch (behaviour.md 4.12).
    """

    actions: tuple[Action, ...]
    custom_status: str | None = None
    patches: tuple[str, ...] = ()
    version_name: str | None = None
