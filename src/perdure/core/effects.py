"""What follows from a turn once it is durable. The engine turns each into rows of one commit."""

from perdure.base.records import dataclass
from perdure.core.events import (
    ChildFailed,
    Event,
    ExecutionStarted,
    PropagationScope,
    TaskFailed,
    TaskScheduled,
    TimerCreated,
)


@dataclass(frozen=True, slots=True)
class RunTask:
    """Hand an activity to a worker of `app_id`."""

    scheduled: TaskScheduled
    app_id: str


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Wake the instance at the timer's moment."""

    created: TimerCreated


@dataclass(frozen=True, slots=True)
class CancelTimer:
    """Forget a timer that nothing waits for any more."""

    timer_id: int


@dataclass(frozen=True, slots=True)
class Birth:
    """Start another instance.

    If its id is in use the birth does not happen and `if_taken`, when there is one, goes into
    the inbox of the instance that asked: the core decides here what a taken id means.
    """

    started: ExecutionStarted
    app_id: str
    if_taken: ChildFailed | None
    scope: PropagationScope = PropagationScope.NONE


@dataclass(frozen=True, slots=True)
class Tell:
    """Put an event into another instance's inbox, if that instance is there and unfinished."""

    instance_id: str
    event: Event


@dataclass(frozen=True, slots=True)
class TellSelf:
    """Put the outcome of something that cannot be begun into this instance's own inbox."""

    event: ChildFailed | TaskFailed


@dataclass(frozen=True, slots=True)
class Forbidden:
    """Say that an action was not done, where nothing awaits its outcome."""

    why: str


@dataclass(frozen=True, slots=True)
class TellParent:
    """Give this instance's outcome to the parent that awaits it."""

    event: Event


@dataclass(frozen=True, slots=True)
class EndChildren:
    """Terminate every unfinished child, and theirs."""

    reason: str | None


Effect = (
    RunTask
    | SetTimer
    | CancelTimer
    | Birth
    | Tell
    | TellSelf
    | TellParent
    | EndChildren
    | Forbidden
)
