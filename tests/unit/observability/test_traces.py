"""Spans with exactly the ids that the engine gives, under Dapr's names."""

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from perdure.base.observer import Activity, Span, Subject
from perdure.base.time import SECOND_US
from perdure.observability.traces import (
    EVENTS_PER_EXECUTION_MAX,
    EXECUTIONS_MAX,
    Traces,
    traces_url,
)

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = Span(TRACE, "b7ad6b7169203331", "00f067aa0ba902b7", state="vendor=1")
SUBJECT = Subject("i-1", "order", "shop")
AT_US = 1_700_000_000 * SECOND_US


class Bench:
    """Traces into memory."""

    def __init__(self, sampling_rate: float = 1.0) -> None:
        self._exporter = InMemorySpanExporter()
        self.traces = Traces(
            SimpleSpanProcessor(self._exporter),
            app_id="shop",
            namespace="default",
            version="0.1.0",
            sampling_rate=sampling_rate,
        )

    def spans(self) -> tuple[ReadableSpan, ...]:
        return self._exporter.get_finished_spans()

    def only(self) -> ReadableSpan:
        [span] = self.spans()
        return span

    def finish(
        self,
        subject: Subject = SUBJECT,
        status: str = "COMPLETED",
        patches: tuple[str, ...] = (),
        span: Span | None = SPAN,
    ) -> None:
        self.traces.instance_finished(
            subject,
            status=status,
            started_at_us=AT_US,
            completed_at_us=AT_US + 5,
            patches=patches,
            span=span,
        )


def ids(span: ReadableSpan) -> tuple[str, str, str | None]:
    context = span.get_span_context()
    assert context is not None
    parent = f"{span.parent.span_id:016x}" if span.parent else None
    return f"{context.trace_id:032x}", f"{context.span_id:016x}", parent


def test_a_creation() -> None:
    bench = Bench()
    bench.traces.instance_created(SUBJECT, at_us=AT_US, span=Span(TRACE, SPAN.span_id))
    span = bench.only()
    assert span.name == "create_orchestration||order"
    assert span.kind is SpanKind.CLIENT
    assert ids(span) == (TRACE, SPAN.span_id, None)
    assert span.start_time == span.end_time == AT_US * 1_000
    assert dict(span.attributes or {}) == {
        "durabletask.type": "orchestration",
        "durabletask.task.name": "order",
        "durabletask.task.instance_id": "i-1",
    }


def test_an_execution() -> None:
    bench = Bench()
    bench.finish(patches=("p1",))
    span = bench.only()
    assert span.name == "orchestration||order"
    assert span.kind is SpanKind.SERVER
    assert ids(span) == (TRACE, SPAN.span_id, SPAN.parent_span_id)
    assert (span.start_time, span.end_time) == (AT_US * 1_000, AT_US * 1_000 + 5_000)
    assert span.status.status_code is StatusCode.UNSET
    attributes = dict(span.attributes or {})
    assert attributes["durabletask.runtime_status"] == "COMPLETED"
    assert attributes["applied_patches"] == ("p1",)
    context = span.get_span_context()
    assert context is not None
    assert context.trace_state.get("vendor") == "1"
    assert context.trace_flags.sampled


def test_a_version_is_part_of_the_name_and_a_failure_of_the_status() -> None:
    bench = Bench()
    bench.finish(Subject("i-1", "order", "shop", "v2"), status="FAILED")
    assert bench.only().name == "orchestration||order||v2"
    assert bench.only().status.status_code is StatusCode.ERROR


@pytest.mark.parametrize(("failed", "code"), [(False, StatusCode.UNSET), (True, StatusCode.ERROR)])
def test_an_activity(code: StatusCode, *, failed: bool) -> None:
    bench = Bench()
    bench.traces.activity_finished(
        SUBJECT,
        Activity("charge", 3, "bank", scheduled_at_us=AT_US),
        failed=failed,
        handed_out_at_us=AT_US + 1,
        finished_at_us=AT_US + 2,
        span=SPAN,
    )
    span = bench.only()
    assert (span.name, span.kind) == ("activity||charge", SpanKind.SERVER)
    assert ids(span) == (TRACE, SPAN.span_id, SPAN.parent_span_id)
    assert span.status.status_code is code
    assert dict(span.attributes or {}) == {
        "durabletask.type": "activity",
        "durabletask.task.name": "charge",
        "durabletask.task.instance_id": "i-1",
        "durabletask.task.task_id": 3,
    }


def test_a_timer() -> None:
    bench = Bench()
    bench.traces.timer_fired(
        SUBJECT,
        timer_id=4,
        created_at_us=AT_US,
        fire_at_us=AT_US + SECOND_US,
        fired_at_us=AT_US + 2 * SECOND_US,
        span=SPAN,
    )
    span = bench.only()
    assert (span.name, span.kind) == ("timer", SpanKind.INTERNAL)
    assert dict(span.attributes or {}) == {
        "durabletask.type": "timer",
        "durabletask.fire_at": "2023-11-14T22:13:21Z",
        "durabletask.task.instance_id": "i-1",
        "durabletask.task.task_id": 4,
    }


def test_what_happened_in_between_is_on_the_execution() -> None:
    bench = Bench()
    bench.traces.event_received(SUBJECT, at_us=AT_US + 1, event_name="go", size_bytes=7)
    bench.traces.instance_suspended(SUBJECT, at_us=AT_US + 2)
    bench.traces.instance_resumed(SUBJECT, at_us=AT_US + 3)
    bench.traces.instance_stalled(
        SUBJECT, at_us=AT_US + 4, reason="PATCH_MISMATCH", description="d"
    )
    bench.finish()
    bench.finish(status="FAILED")
    first, second = bench.spans()
    assert [(e.name, dict(e.attributes or {}), e.timestamp) for e in first.events] == [
        ("Received external event", {"name": "go", "size": 7}, (AT_US + 1) * 1_000),
        ("Execution suspended", {}, (AT_US + 2) * 1_000),
        ("Execution resumed", {}, (AT_US + 3) * 1_000),
        (
            "Execution stalled",
            {"reason": "PATCH_MISMATCH", "description": "d"},
            (AT_US + 4) * 1_000,
        ),
    ]
    assert not second.events


def test_events_are_bounded() -> None:
    bench = Bench()
    bench.traces.event_received(Subject("old", "w", "a"), at_us=1, event_name="e", size_bytes=0)
    for number in range(EXECUTIONS_MAX):
        subject = Subject(f"n{number}", "w", "a")
        bench.traces.instance_suspended(subject, at_us=1)
    for _ in range(EVENTS_PER_EXECUTION_MAX + 5):
        bench.traces.instance_suspended(SUBJECT, at_us=1)
    bench.finish(Subject("old", "w", "a"))
    bench.finish(SUBJECT)
    assert [len(span.events) for span in bench.spans()] == [0, EVENTS_PER_EXECUTION_MAX]


def test_what_is_purged_is_forgotten() -> None:
    bench = Bench()
    bench.traces.instance_suspended(SUBJECT, at_us=1)
    bench.traces.instance_purged(SUBJECT, at_us=2, by_retention=False)
    bench.finish()
    assert not bench.only().events


@pytest.mark.parametrize("span", [None, Span(TRACE, SPAN.span_id, sampled=False)])
def test_what_is_not_traced_makes_no_span(span: Span | None) -> None:
    bench = Bench()
    bench.finish(span=span)
    assert bench.spans() == ()


def test_a_rate_keeps_whole_traces() -> None:
    bench = Bench(sampling_rate=0.5)
    for low in ("0000000000000001", "ffffffffffffffff"):
        span = Span("1" * 16 + low, SPAN.span_id)
        bench.traces.instance_created(SUBJECT, at_us=1, span=span)
        bench.finish(span=span)
    assert {ids(span)[0][16:] for span in bench.spans()} == {"0000000000000001"}
    assert len(bench.spans()) == 2


def test_a_span_never_ends_before_it_began() -> None:
    bench = Bench()
    bench.traces.timer_fired(
        SUBJECT, timer_id=1, created_at_us=9, fire_at_us=1, fired_at_us=2, span=SPAN
    )
    assert bench.only().end_time == bench.only().start_time == 9_000


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("http://c:4318", "http://c:4318/v1/traces"),
        ("http://c:4318/", "http://c:4318/v1/traces"),
        ("http://c:4318/v1/traces", "http://c:4318/v1/traces"),
        ("https://c/otlp", "https://c/otlp/v1/traces"),
    ],
)
def test_the_path_of_a_collector(endpoint: str, url: str) -> None:
    assert traces_url(endpoint) == url
