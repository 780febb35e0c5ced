"""What the engine's rooms tell the observer, in its words."""

from perdure.base.ids import derived_span_id
from perdure.base.observer import Activity, Observer, Span, Subject
from perdure.core.events import ExecutionStarted, TaskScheduled, TimerCreated
from perdure.core.state import State
from perdure.core.tracing import TraceContext
from perdure.engine.residents import Resident
from perdure.store.port import Identity


def subject_of(identity: Identity, version: str | None = None) -> Subject:
    """Return an instance as the observer knows it."""
    return Subject(
        identity.instance_id, identity.name, identity.app_id, version or identity.version
    )


def span_of(trace: TraceContext | None, parent_span_id: str | None) -> Span | None:
    """Return a context as a span's ids."""
    if trace is None:
        return None
    sampled = trace.flags.endswith(("1", "3", "5", "7", "9", "b", "d", "f"))
    return Span(trace.trace_id, trace.span_id, parent_span_id, sampled, trace.state)


def report_created(
    observer: Observer, identity: Identity, started: ExecutionStarted, parent_span: str | None
) -> None:
    """Report that a start or a birth is on disk."""
    span = span_of(started.trace, parent_span)
    observer.instance_created(subject_of(identity), at_us=started.at_us, span=span)


def report_finished(observer: Observer, resident: Resident, state: State, status: str) -> None:
    """Report the end of an execution, `state` being the generation that ended."""
    started = state.started
    assert started is not None, "what ended has started"
    span = None
    if started.trace is not None and started.span_id is not None:
        span = Span(
            started.trace.trace_id,
            started.span_id,
            started.trace.span_id,
            True,
            started.trace.state,
        )
    at_us = resident.head.completed_at_us or resident.head.updated_at_us
    observer.instance_finished(
        subject_of(resident.identity, state.version_name),
        status=status,
        started_at_us=started.at_us,
        completed_at_us=at_us,
        patches=state.patches,
        span=span,
    )


def report_timer(
    observer: Observer, resident: Resident, created: TimerCreated, fired_at_us: int
) -> None:
    """Report that a timer of workflow code fired."""
    started = resident.state.started
    span = None
    if started is not None and started.trace is not None:
        span_id = derived_span_id(started.execution_id, "timer", created.event_id)
        span = Span(started.trace.trace_id, span_id, started.span_id, True, started.trace.state)
    observer.timer_fired(
        subject_of(resident.identity),
        timer_id=created.event_id,
        created_at_us=created.at_us,
        fire_at_us=created.fire_at_us,
        fired_at_us=fired_at_us,
        span=span,
    )


def activity_of(scheduled: TaskScheduled, app_id: str, attempt: int) -> Activity:
    """Return an activity as the observer knows it."""
    return Activity(scheduled.name, scheduled.event_id, app_id, scheduled.at_us, attempt)
