"""What happened: the events of a history or an inbox, one frozen record per kind.

The field meanings are those of behaviour.md 4.2. The origin of a timer passes through
uninterpreted, as the bytes that came over the wire, because only SDKs read it. A failure is
either bytes that came from a worker or a `Failure` of our own.
"""

from enum import IntEnum

from perdure.base.records import dataclass
from perdure.core.status import Status
from perdure.core.tracing import TraceContext


class Kind(IntEnum):
    """The kinds of event, numbered as the wire's HistoryEvent members are."""

    EXECUTION_STARTED = 3
    EXECUTION_COMPLETED = 4
    EXECUTION_TERMINATED = 5
    TASK_SCHEDULED = 6
    TASK_COMPLETED = 7
    TASK_FAILED = 8
    CHILD_CREATED = 9
    CHILD_COMPLETED = 10
    CHILD_FAILED = 11
    TIMER_CREATED = 12
    TIMER_FIRED = 13
    WORKFLOW_STARTED = 14
    EVENT_SENT = 16
    EVENT_RAISED = 17
    EXECUTION_SUSPENDED = 21
    EXECUTION_RESUMED = 22
    EXECUTION_STALLED = 31
    DETACHED_CREATED = 32

    __hash__ = int.__hash__  # as it is equal to a number


class StallReason(IntEnum):
    """Why an instance cannot go on until something around it changes."""

    PATCH_MISMATCH = 0
    VERSION_NOT_AVAILABLE = 1
    PAYLOAD_SIZE_EXCEEDED = 2


class PropagationScope(IntEnum):
    """How much of the caller's history an activity or child is given to read."""

    NONE = 0
    OWN_HISTORY = 1
    LINEAGE = 2


@dataclass(frozen=True, slots=True)
class Router:
    """Which app an event comes from and which app's worker it is for."""

    source_app: str = ""
    target_app: str | None = None
    target_namespace: str | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure of our own making, or one that was read; those of workers stay bytes."""

    error_type: str
    message: str
    non_retriable: bool = True
    stack_trace: str | None = None


AnyFailure = bytes | Failure | None


@dataclass(frozen=True, slots=True)
class ParentLink:
    """The parent's side of a child: where its result has to go."""

    instance_id: str
    execution_id: str
    name: str
    version: str | None
    task_id: int
    app_id: str | None = None
    app_namespace: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What every event carries: its id (an action's, or -1) and its time in microseconds."""

    at_us: int
    event_id: int = -1
    router: Router | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowStarted(Stamp):
    """A turn began; its time is the workflow's own clock for that turn."""

    patches: tuple[str, ...] = ()
    version_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionStarted(Stamp):
    """An instance, or a new generation of it, was started."""

    name: str
    instance_id: str
    execution_id: str
    version: str | None = None
    input: str | None = None
    parent: ParentLink | None = None
    scheduled_start_us: int | None = None
    trace: TraceContext | None = None
    span_id: str | None = None
    tags: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionCompleted(Stamp):
    """The instance finished with a terminal status."""

    status: Status
    result: str | None = None
    failure: AnyFailure = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionTerminated(Stamp):
    """Somebody asked for the instance to end now; `input` becomes its output."""

    input: str | None = None
    recurse: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionSuspended(Stamp):
    """Somebody asked the instance to take no new work."""

    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionResumed(Stamp):
    """Somebody let the instance go on."""

    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionStalled(Stamp):
    """No worker could go on with the instance, for the reason given."""

    reason: StallReason
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskScheduled(Stamp):
    """An activity was scheduled; `event_id` is the task's id."""

    name: str
    version: str | None = None
    input: str | None = None
    execution_id: str = ""
    trace: TraceContext | None = None
    rerun_of: str | None = None
    scope: PropagationScope = PropagationScope.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCompleted(Stamp):
    """An activity returned."""

    task_id: int
    result: str | None = None
    execution_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFailed(Stamp):
    """An activity raised, or could not run."""

    task_id: int
    failure: AnyFailure = None
    execution_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerCreated(Stamp):
    """A durable timer was set; `event_id` is the timer's id."""

    fire_at_us: int
    name: str | None = None
    origin: int = 0  # the wire's number of the origin in TimerCreatedEvent, 0 for none
    origin_bytes: bytes = b""
    awaited_event: str | None = None  # the event whose waiting this timer bounds
    rerun_of: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerFired(Stamp):
    """A timer's moment came."""

    timer_id: int
    fire_at_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildCreated(Stamp):
    """A child workflow was created; `event_id` is the id its result will carry."""

    instance_id: str
    name: str
    version: str | None = None
    input: str | None = None
    trace: TraceContext | None = None
    rerun_of: str | None = None
    retry_of: str | None = None
    scope: PropagationScope = PropagationScope.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildCompleted(Stamp):
    """A child workflow completed."""

    task_id: int
    result: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildFailed(Stamp):
    """A child workflow ended in any other way, or could not be created."""

    task_id: int
    failure: AnyFailure = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRaised(Stamp):
    """An external event arrived; the name is kept as sent."""

    name: str
    input: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSent(Stamp):
    """The instance sent an event to another one."""

    instance_id: str
    name: str
    input: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DetachedCreated(Stamp):
    """The instance started an independent one."""

    instance_id: str


Event = (
    WorkflowStarted
    | ExecutionStarted
    | ExecutionCompleted
    | ExecutionTerminated
    | ExecutionSuspended
    | ExecutionResumed
    | ExecutionStalled
    | TaskScheduled
    | TaskCompleted
    | TaskFailed
    | TimerCreated
    | TimerFired
    | ChildCreated
    | ChildCompleted
    | ChildFailed
    | EventRaised
    | EventSent
    | DetachedCreated
)
