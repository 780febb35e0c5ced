"""Trace contexts (W3C) of an instance's steps, derived so that computing a step again agrees."""

from perdure.base.ids import derived_id, derived_span_id
from perdure.base.records import dataclass


@dataclass(frozen=True, slots=True)
class TraceContext:
    """A W3C trace context: the 32 and 16 hexadecimal digits, the flags and the vendor state."""

    trace_id: str
    span_id: str
    flags: str = "01"
    state: str | None = None

    @property
    def traceparent(self) -> str:
        """The header form, `00-<trace>-<span>-<flags>`."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


def root(*cause: str | int) -> TraceContext:
    """Return a context that begins a trace of its own."""
    return TraceContext(derived_id("trace", *cause).replace("-", ""), derived_span_id(*cause))


def below(parent: TraceContext | None, *cause: str | int) -> TraceContext | None:
    """Return the context of the span that `cause` opens under `parent`, if there is a trace."""
    if parent is None:
        return None
    return TraceContext(parent.trace_id, derived_span_id(*cause), parent.flags, parent.state)


def workflow_span(trace: TraceContext | None, execution_id: str) -> str | None:
    """Return the id of the span that covers one execution, if it is traced."""
    return None if trace is None else derived_span_id(execution_id, "workflow")


def parse_traceparent(
    traceparent: str, span_id: str = "", state: str | None = None
) -> TraceContext | None:
    """Return the context that the wire's TraceContext names, or None if it names none.

    Older SDKs put the whole header into the first field or the span's id into the second.
    """
    parts = traceparent.split("-")
    trace_id = parts[1] if len(parts) == 4 else traceparent  # noqa: PLR2004 - version-trace-span-flags
    span = parts[2] if len(parts) == 4 else span_id  # noqa: PLR2004 - as W3C has it
    flags = parts[3] if len(parts) == 4 else "01"  # noqa: PLR2004 - as W3C has it
    hexadecimal = set("0123456789abcdef")
    legal = len(trace_id) == 32 and len(span) == 16 and len(flags) == 2  # noqa: PLR2004 - as W3C has it
    if not legal or not set(trace_id + span + flags) <= hexadecimal:
        return None
    return TraceContext(trace_id, span, flags, state)
