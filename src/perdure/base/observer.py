"""What the engine reports while it runs; logs, metrics and traces listen.

A report is made after its fact: what is said to have happened is on disk, where it is something
that has to be. Every call returns at once and raises nothing, so that the engine's pace does not
depend on who listens. Nothing here carries a payload, only sizes. Times are wall clock
microseconds, and what is called a latency or `waited_us` is a length of time.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, Protocol

from perdure.base.records import dataclass

Operation = Literal["create_workflow", "get_workflow", "add_event", "purge_workflow"]
WorkKind = Literal["turn", "activity"]

# The reason for handing something out again that is nobody's fault and may come in crowds.
WORKER_GONE: Final = "its worker went away"


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a report is about: an instance, its workflow type, the app and version that run it."""

    instance_id: str
    name: str
    app_id: str
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Activity:
    """One activity of an instance; `app_id` is the app whose worker runs it."""

    name: str
    task_id: int
    app_id: str
    scheduled_at_us: int
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Span:
    """A span's W3C ids in lower-case hexadecimal, 32 and 16 digits."""

    trace_id: str
    span_id: str
    parent_span_id: str | None = None
    sampled: bool = True
    state: str | None = None


class Observer(Protocol):
    """Whoever wants to know what happens. `span` is None where nothing is traced."""

    def operation(self, kind: Operation, *, app_id: str, succeeded: bool, latency_us: int) -> None:
        """A request from outside was answered; a refusal has not succeeded."""

    def instance_created(self, subject: Subject, *, at_us: int, span: Span | None) -> None:
        """A start or a birth is on disk. The span is that of `create_orchestration`."""

    def instance_started(self, subject: Subject, *, at_us: int, waited_us: int) -> None:
        """The first turn of a generation landed, so long after it was created or due."""

    def instance_finished(
        self,
        subject: Subject,
        *,
        status: str,
        started_at_us: int,
        completed_at_us: int,
        patches: Sequence[str] = (),
        span: Span | None,
    ) -> None:
        """An execution ended; `status` is a `Status` name, CONTINUED_AS_NEW among them.

        The span is that of the execution, below that of `create_orchestration`.
        """

    def instance_purged(self, subject: Subject, *, at_us: int, by_retention: bool) -> None:
        """An instance was deleted, by request or because its time of retention was over."""

    def instance_stalled(
        self, subject: Subject, *, at_us: int, reason: str, description: str
    ) -> None:
        """An instance waits for a fitting worker; `reason` is a StalledReason of the wire."""

    def instance_suspended(self, subject: Subject, *, at_us: int) -> None:
        """An instance takes no new work."""

    def instance_resumed(self, subject: Subject, *, at_us: int) -> None:
        """A suspended instance goes on."""

    def event_received(
        self, subject: Subject, *, at_us: int, event_name: str, size_bytes: int
    ) -> None:
        """An external event was taken by a turn or landed in the inbox."""

    def turn_handed_out(self, subject: Subject, *, waited_us: int) -> None:
        """A worker was sent a turn, so long after it became ready."""

    def turn_landed(self, subject: Subject, *, latency_us: int) -> None:
        """A turn's answer is on disk, so long after the turn was handed out."""

    def turn_retried(self, subject: Subject, *, attempt: int, reason: str) -> None:
        """A turn will be handed out again: its worker went away or answered nonsense."""

    def activity_handed_out(self, subject: Subject, activity: Activity, *, waited_us: int) -> None:
        """A worker was sent an activity, so long after it was scheduled."""

    def activity_finished(
        self,
        subject: Subject,
        activity: Activity,
        *,
        failed: bool,
        handed_out_at_us: int,
        finished_at_us: int,
        span: Span | None,
    ) -> None:
        """An activity's one result is on disk. `failed` is what the activity says of itself."""

    def activity_retried(self, subject: Subject, activity: Activity, *, reason: str) -> None:
        """An activity will be handed out again because its worker went away."""

    def timer_fired(
        self,
        subject: Subject,
        *,
        timer_id: int,
        created_at_us: int,
        fire_at_us: int,
        fired_at_us: int,
        span: Span | None,
    ) -> None:
        """A timer of workflow code fired."""

    def late_completion_dropped(self, kind: WorkKind, *, instance_id: str, reason: str) -> None:
        """A late, duplicate or unknown completion was answered OK and dropped."""

    def payload_size(self, subject: Subject, *, activity: str | None, ratio: float) -> None:
        """A work item was this large in proportion to the limit; `activity` names one, or None."""

    def worker_connected(self, worker: str, *, app_id: str, dialect: str) -> None:
        """A stream of work items was opened."""

    def worker_disconnected(self, worker: str, *, app_id: str, outstanding: int) -> None:
        """A stream ended and gave back this many work items."""

    def commit_landed(self, *, entries: int, duration_us: int) -> None:
        """A batch of entries is on disk."""

    def leases_taken(self, *, count: int, from_the_dead: int) -> None:
        """This node has partitions from now on, some of them from nodes that did not give back."""

    def leases_renewed(self) -> None:
        """This node has told the shared store that it is there, and was answered."""

    def leases_lost(self, *, count: int) -> None:
        """This node has lost partitions: to another, or because it could not renew in time."""

    def fault(self, where: str, error: BaseException) -> None:
        """Something that should not happen did, and was survived. `where` names the room."""


class NullObserver:
    """Listens to nothing; also the ground for those who listen to a part."""

    def operation(
        self, kind: Operation, *, app_id: str, succeeded: bool, latency_us: int
    ) -> None: ...
    def instance_created(self, subject: Subject, *, at_us: int, span: Span | None) -> None: ...
    def instance_started(self, subject: Subject, *, at_us: int, waited_us: int) -> None: ...
    def instance_finished(
        self,
        subject: Subject,
        *,
        status: str,
        started_at_us: int,
        completed_at_us: int,
        patches: Sequence[str] = (),
        span: Span | None,
    ) -> None: ...
    def instance_purged(self, subject: Subject, *, at_us: int, by_retention: bool) -> None: ...
    def instance_stalled(
        self, subject: Subject, *, at_us: int, reason: str, description: str
    ) -> None: ...
    def instance_suspended(self, subject: Subject, *, at_us: int) -> None: ...
    def instance_resumed(self, subject: Subject, *, at_us: int) -> None: ...
    def event_received(
        self, subject: Subject, *, at_us: int, event_name: str, size_bytes: int
    ) -> None: ...
    def turn_handed_out(self, subject: Subject, *, waited_us: int) -> None: ...
    def turn_landed(self, subject: Subject, *, latency_us: int) -> None: ...
    def turn_retried(self, subject: Subject, *, attempt: int, reason: str) -> None: ...
    def activity_handed_out(
        self, subject: Subject, activity: Activity, *, waited_us: int
    ) -> None: ...
    def activity_finished(
        self,
        subject: Subject,
        activity: Activity,
        *,
        failed: bool,
        handed_out_at_us: int,
        finished_at_us: int,
        span: Span | None,
    ) -> None: ...
    def activity_retried(self, subject: Subject, activity: Activity, *, reason: str) -> None: ...
    def timer_fired(
        self,
        subject: Subject,
        *,
        timer_id: int,
        created_at_us: int,
        fire_at_us: int,
        fired_at_us: int,
        span: Span | None,
    ) -> None: ...
    def late_completion_dropped(self, kind: WorkKind, *, instance_id: str, reason: str) -> None: ...
    def payload_size(self, subject: Subject, *, activity: str | None, ratio: float) -> None: ...
    def worker_connected(self, worker: str, *, app_id: str, dialect: str) -> None: ...
    def worker_disconnected(self, worker: str, *, app_id: str, outstanding: int) -> None: ...
    def commit_landed(self, *, entries: int, duration_us: int) -> None: ...
    def leases_taken(self, *, count: int, from_the_dead: int) -> None: ...
    def leases_renewed(self) -> None: ...
    def leases_lost(self, *, count: int) -> None: ...
    def fault(self, where: str, error: BaseException) -> None: ...


_REPORTS: Final = tuple(name for name in vars(NullObserver) if not name.startswith("_"))


class _FanOut(NullObserver):
    """Passes every report on to those of its observers that listen to it."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        for name in _REPORTS:
            listeners = [getattr(each, name) for each in observers if _listens(each, name)]
            if listeners:
                setattr(self, name, _broadcast(listeners))


def fan_out(observers: Sequence[Observer]) -> Observer:
    """Return one observer that stands for all of them, in their order."""
    return observers[0] if len(observers) == 1 else _FanOut(observers)


def _listens(observer: Observer, report: str) -> bool:
    # What is inherited from NullObserver does nothing, so calling it is left out.
    own = getattr(type(observer), report)
    return own is not getattr(NullObserver, report) or report in vars(observer)


def _broadcast(listeners: Sequence[Callable[..., None]]) -> Callable[..., None]:
    if len(listeners) == 1:
        return listeners[0]

    def report(*args: Any, **details: Any) -> None:
        for each in listeners:
            each(*args, **details)

    return report
