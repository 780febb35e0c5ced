"""Trace contexts as old and new SDKs write them."""

import pytest

from perdure.core.tracing import TraceContext, below, parse_traceparent, root, workflow_span

TRACE_ID, SPAN_ID = "ab" * 16, "cd" * 8


@pytest.mark.parametrize(
    ("traceparent", "span_id", "expected"),
    [
        (f"00-{TRACE_ID}-{SPAN_ID}-01", "", TraceContext(TRACE_ID, SPAN_ID, "01")),
        (f"00-{TRACE_ID}-{SPAN_ID}-00", "ee" * 8, TraceContext(TRACE_ID, SPAN_ID, "00")),
        (TRACE_ID, SPAN_ID, TraceContext(TRACE_ID, SPAN_ID, "01")),
        ("", "", None),
        (TRACE_ID, "", None),
        (f"00-{TRACE_ID}-{SPAN_ID}", "", None),
        (f"00-{TRACE_ID[1:]}-{SPAN_ID}-01", "", None),
        (f"00-{TRACE_ID}-{SPAN_ID}-zz", "", None),
        (f"00-{TRACE_ID.upper()}-{SPAN_ID}-01", "", None),
        ("nonsense", "nonsense", None),
    ],
)
def test_what_is_read(traceparent: str, span_id: str, expected: TraceContext | None) -> None:
    assert parse_traceparent(traceparent, span_id) == expected


def test_what_is_written_is_read_again() -> None:
    made = root("some cause")
    assert parse_traceparent(made.traceparent) == made


def test_below_stays_in_the_trace() -> None:
    parent = TraceContext(TRACE_ID, SPAN_ID, "00", "vendor=1")
    span = below(parent, "cause")
    assert span is not None
    assert (span.trace_id, span.flags, span.state) == (TRACE_ID, "00", "vendor=1")
    assert span.span_id != SPAN_ID
    assert below(None, "cause") is None
    assert below(parent, "cause") == span


def test_an_untraced_execution_has_no_span() -> None:
    assert workflow_span(None, "e") is None
    assert workflow_span(root("e"), "e") != workflow_span(root("e"), "f")
