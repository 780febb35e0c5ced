"""Which kind of event a record is, as the number that is stored with it."""

from typing import Final

from perdure.core.events import (
    ChildCompleted,
    ChildCreated,
    ChildFailed,
    DetachedCreated,
    Event,
    EventRaised,
    EventSent,
    ExecutionCompleted,
    ExecutionResumed,
    ExecutionStalled,
    ExecutionStarted,
    ExecutionSuspended,
    ExecutionTerminated,
    Kind,
    TaskCompleted,
    TaskFailed,
    TaskScheduled,
    TimerCreated,
    TimerFired,
    WorkflowStarted,
)

_KINDS: Final[dict[type[Event], Kind]] = {
    WorkflowStarted: Kind.WORKFLOW_STARTED,
    ExecutionStarted: Kind.EXECUTION_STARTED,
    ExecutionCompleted: Kind.EXECUTION_COMPLETED,
    ExecutionTerminated: Kind.EXECUTION_TERMINATED,
    ExecutionSuspended: Kind.EXECUTION_SUSPENDED,
    ExecutionResumed: Kind.EXECUTION_RESUMED,
    ExecutionStalled: Kind.EXECUTION_STALLED,
    TaskScheduled: Kind.TASK_SCHEDULED,
    TaskCompleted: Kind.TASK_COMPLETED,
    TaskFailed: Kind.TASK_FAILED,
    TimerCreated: Kind.TIMER_CREATED,
    TimerFired: Kind.TIMER_FIRED,
    ChildCreated: Kind.CHILD_CREATED,
    ChildCompleted: Kind.CHILD_COMPLETED,
    ChildFailed: Kind.CHILD_FAILED,
    EventRaised: Kind.EVENT_RAISED,
    EventSent: Kind.EVENT_SENT,
    DetachedCreated: Kind.DETACHED_CREATED,
}

# Plain numbers: a store asks of every member of an enumeration what it is.
KIND_OF: Final[dict[type[Event], int]] = {type_: int(kind) for type_, kind in _KINDS.items()}
