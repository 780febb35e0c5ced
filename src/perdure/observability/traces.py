"""OpenTelemetry spans under Dapr's names, with the ids that the engine derived.

A span is made whole when it is over: its beginning may lie before this process began. Needs the
extra `otel`; only `app.compose` imports this room, and only if an endpoint is configured.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Final, Protocol
from urllib.parse import urlsplit, urlunsplit

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState
from typing_extensions import override

from perdure.base.observer import Activity, NullObserver, Span, Subject
from perdure.base.rfc3339 import render

# Events wait in memory for the end of their execution's span; more than these are not kept.
EXECUTIONS_MAX: Final = 10_000
EVENTS_PER_EXECUTION_MAX: Final = 128

Attributes = Mapping[str, str | int | Sequence[str]]


class SpanSink(Protocol):
    """Where spans that are over go; returns at once."""

    def on_end(self, span: ReadableSpan) -> None: ...


def traces_url(endpoint: str) -> str:
    """Return where a collector takes traces; the path `/v1/traces` is added if it is not there."""
    parts = urlsplit(endpoint)
    path = parts.path.rstrip("/")
    if not path.endswith("/v1/traces"):
        path += "/v1/traces"
    return urlunsplit(parts._replace(path=path))


def otlp_exporter(endpoint: str, *, timeout_s: float) -> OTLPSpanExporter:
    """Return an exporter to a collector."""
    return OTLPSpanExporter(traces_url(endpoint), timeout=timeout_s)


class Traces(NullObserver):
    """Makes a span of every report that has one. `sampling_rate` is the part of traces kept."""

    def __init__(
        self, sink: SpanSink, *, app_id: str, namespace: str, version: str, sampling_rate: float
    ) -> None:
        self._sink = sink
        self._resource = Resource.create(
            {
                "service.name": app_id,
                "service.namespace": namespace,
                "service.version": version,
            }
        )
        self._scope = InstrumentationScope("perdure", version)
        # The same traces as any other service keeps that samples at this rate.
        self._trace_bound = TraceIdRatioBased.get_bound_for_rate(sampling_rate)
        self._events: OrderedDict[str, list[Event]] = OrderedDict()

    @override
    def instance_created(self, subject: Subject, *, at_us: int, span: Span | None) -> None:
        self._emit(
            f"create_orchestration||{subject.name}",
            span,
            SpanKind.CLIENT,
            (at_us, at_us),
            _of_workflow(subject),
        )

    @override
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
        events = self._events.pop(subject.instance_id, [])
        named = f"{subject.name}||{subject.version}" if subject.version else subject.name
        attributes = {**_of_workflow(subject), "durabletask.runtime_status": status}
        if patches:
            attributes["applied_patches"] = tuple(patches)
        self._emit(
            f"orchestration||{named}",
            span,
            SpanKind.SERVER,
            (started_at_us, completed_at_us),
            attributes,
            events=events,
            failed=status == "FAILED",
        )

    @override
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
        attributes: Attributes = {
            "durabletask.type": "activity",
            "durabletask.task.name": activity.name,
            "durabletask.task.instance_id": subject.instance_id,
            "durabletask.task.task_id": activity.task_id,
        }
        self._emit(
            f"activity||{activity.name}",
            span,
            SpanKind.SERVER,
            (handed_out_at_us, finished_at_us),
            attributes,
            failed=failed,
        )

    @override
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
        attributes: Attributes = {
            "durabletask.type": "timer",
            "durabletask.fire_at": render(fire_at_us),
            "durabletask.task.instance_id": subject.instance_id,
            "durabletask.task.task_id": timer_id,
        }
        self._emit("timer", span, SpanKind.INTERNAL, (created_at_us, fired_at_us), attributes)

    @override
    def event_received(
        self, subject: Subject, *, at_us: int, event_name: str, size_bytes: int
    ) -> None:
        self._note(
            subject, at_us, "Received external event", {"name": event_name, "size": size_bytes}
        )

    @override
    def instance_suspended(self, subject: Subject, *, at_us: int) -> None:
        self._note(subject, at_us, "Execution suspended", {})

    @override
    def instance_resumed(self, subject: Subject, *, at_us: int) -> None:
        self._note(subject, at_us, "Execution resumed", {})

    @override
    def instance_stalled(
        self, subject: Subject, *, at_us: int, reason: str, description: str
    ) -> None:
        self._note(
            subject, at_us, "Execution stalled", {"reason": reason, "description": description}
        )

    @override
    def instance_purged(self, subject: Subject, *, at_us: int, by_retention: bool) -> None:
        self._events.pop(subject.instance_id, None)

    def _note(self, subject: Subject, at_us: int, name: str, attributes: Attributes) -> None:
        events = self._events.setdefault(subject.instance_id, [])
        self._events.move_to_end(subject.instance_id)
        if len(events) < EVENTS_PER_EXECUTION_MAX:
            events.append(Event(name, dict(attributes), timestamp=at_us * 1_000))
        if len(self._events) > EXECUTIONS_MAX:
            self._events.popitem(last=False)

    def _emit(  # noqa: PLR0913 - what a span is made of
        self,
        name: str,
        span: Span | None,
        kind: SpanKind,
        from_to_us: tuple[int, int],
        attributes: Attributes,
        *,
        events: Sequence[Event] = (),
        failed: bool = False,
    ) -> None:
        if span is None or not span.sampled or not self._keeps(span.trace_id):
            return
        start_us, end_us = from_to_us
        self._sink.on_end(
            ReadableSpan(
                name,
                context=_context(span, span.span_id, is_remote=False),
                parent=(
                    _context(span, span.parent_span_id, is_remote=True)
                    if span.parent_span_id
                    else None
                ),
                resource=self._resource,
                attributes=attributes,
                events=events,
                kind=kind,
                status=Status(StatusCode.ERROR if failed else StatusCode.UNSET),
                start_time=start_us * 1_000,
                # Clocks of two lives of the server may disagree; a span never ends before it began.
                end_time=max(start_us, end_us) * 1_000,
                instrumentation_scope=self._scope,
            )
        )

    def _keeps(self, trace_id: str) -> bool:
        return int(trace_id, 16) & TraceIdRatioBased.TRACE_ID_LIMIT < self._trace_bound


def _of_workflow(subject: Subject) -> dict[str, str | int | Sequence[str]]:
    return {
        "durabletask.type": "orchestration",
        "durabletask.task.name": subject.name,
        "durabletask.task.instance_id": subject.instance_id,
    }


def _context(span: Span, span_id: str, *, is_remote: bool) -> SpanContext:
    return SpanContext(
        int(span.trace_id, 16),
        int(span_id, 16),
        is_remote,
        TraceFlags(TraceFlags.SAMPLED),
        TraceState.from_header([span.state]) if span.state else TraceState(),
    )
