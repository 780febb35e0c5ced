"""Spans reach a collector over HTTP, and a collector that is away holds nothing up."""

import threading
from collections.abc import Sequence

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from perdure.base.observer import Span, Subject
from perdure.observability.exporting import BATCH_SPANS_MAX, QUEUE_SPANS_MAX, BatchSink
from perdure.observability.traces import Traces, otlp_exporter
from tests.conformance.app.collector import collector

TRACE = "0af7651916cd43dd8448eb211c80319c"
SUBJECT = Subject("i-1", "order", "shop")
SPAN = ReadableSpan("s")
LONG_S = 30.0


class Slow(SpanExporter):
    """A collector that answers when it is told to."""

    def __init__(self, result: SpanExportResult = SpanExportResult.SUCCESS) -> None:
        self.asked = threading.Event()
        self.answer = threading.Event()
        self.batches: list[int] = []
        self._result = result

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.asked.set()
        assert self.answer.wait(LONG_S)
        self.batches.append(len(spans))
        return self._result

    def shutdown(self) -> None:
        self.answer.set()


class Broken(SpanExporter):
    """A collector's client with a bug."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        raise RuntimeError(f"{len(spans)}")

    def shutdown(self) -> None:
        """There is nothing to let go of."""


def test_spans_arrive_with_their_ids() -> None:
    with collector() as (endpoint, received):
        sink = BatchSink(otlp_exporter(endpoint, timeout_s=LONG_S), batch_wait_s=LONG_S)
        traces = Traces(sink, app_id="shop", namespace="ns", version="1", sampling_rate=1)
        traces.instance_suspended(SUBJECT, at_us=6)
        traces.instance_finished(
            SUBJECT,
            status="COMPLETED",
            started_at_us=5,
            completed_at_us=9,
            patches=("p1", "p2"),
            span=Span(TRACE, "b7ad6b7169203331", "00f067aa0ba902b7"),
        )
        assert sink.close(LONG_S)
        request = received.get(timeout=LONG_S)
    [resource_spans] = request.resource_spans
    resource = {a.key: a.value.string_value for a in resource_spans.resource.attributes}
    assert (resource["service.name"], resource["service.namespace"]) == ("shop", "ns")
    [scope_spans] = resource_spans.scope_spans
    [span] = scope_spans.spans
    assert span.trace_id.hex() == TRACE
    assert span.span_id.hex() == "b7ad6b7169203331"
    assert span.parent_span_id.hex() == "00f067aa0ba902b7"
    assert (span.start_time_unix_nano, span.end_time_unix_nano) == (5_000, 9_000)
    assert [event.name for event in span.events] == ["Execution suspended"]
    assert sink.dropped == 0


def test_a_full_batch_does_not_wait() -> None:
    exporter = Slow()
    sink = BatchSink(exporter, batch_wait_s=LONG_S)
    for _ in range(BATCH_SPANS_MAX):
        sink.on_end(SPAN)
    assert exporter.asked.wait(LONG_S)
    exporter.answer.set()
    assert sink.close(LONG_S)
    assert exporter.batches == [BATCH_SPANS_MAX]


def test_a_slow_collector_costs_spans_and_not_memory() -> None:
    exporter = Slow()
    sink = BatchSink(exporter, batch_wait_s=LONG_S)
    for _ in range(BATCH_SPANS_MAX):
        sink.on_end(SPAN)
    assert exporter.asked.wait(LONG_S)
    for _ in range(QUEUE_SPANS_MAX + 7):
        sink.on_end(SPAN)
    assert sink.dropped == 7
    exporter.answer.set()
    assert sink.close(LONG_S)
    assert sum(exporter.batches) == BATCH_SPANS_MAX + QUEUE_SPANS_MAX


def test_a_collector_that_never_answers_does_not_hold_up_the_end() -> None:
    exporter = Slow()
    sink = BatchSink(exporter, batch_wait_s=0.001)
    sink.on_end(SPAN)
    assert exporter.asked.wait(LONG_S)
    assert not sink.close(0)
    sink.on_end(SPAN)
    assert sink.dropped == 1


def test_failures_are_counted_and_survived() -> None:
    for exporter in (Slow(SpanExportResult.FAILURE), Broken()):
        sink = BatchSink(exporter, batch_wait_s=0.001)
        if isinstance(exporter, Slow):
            exporter.answer.set()
        sink.on_end(SPAN)
        assert sink.close(LONG_S)
        assert sink.dropped == 1
