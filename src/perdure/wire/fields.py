"""The small shapes that many messages share: wrappers, times, routes, traces, failures."""

from typing import Final

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from perdure.base.limits import FAILURE_DEPTH_MAX
from perdure.base.time import LATEST_US, SECOND_US
from perdure.core.events import AnyFailure, Failure, Router
from perdure.core.tracing import TraceContext, parse_traceparent
from perdure.wire.generated import history_pb2 as pb

_EARLIEST_S: Final = -62_135_596_800  # 0001-01-01, the first second of a Timestamp


def microseconds(stamp: Timestamp) -> int:
    """Return a Timestamp in microseconds, cut off below one and held within what is legal."""
    at_us = stamp.seconds * SECOND_US + stamp.nanos // 1_000
    return min(max(at_us, _EARLIEST_S * SECOND_US), LATEST_US)


def set_time(stamp: Timestamp, at_us: int) -> None:
    """Write `at_us` into a Timestamp."""
    stamp.seconds, rest_us = divmod(at_us, SECOND_US)
    # SDKs compare the last moment of all, which stands for "never", to the nanosecond.
    stamp.nanos = 999_999_999 if at_us == LATEST_US else rest_us * 1_000


def router_of(message: pb.Route) -> Router:
    """Return a route as a record."""
    return Router(
        message.source_app,
        message.target_app if message.HasField("target_app") else None,
        message.target_namespace if message.HasField("target_namespace") else None,
    )


def set_router(message: pb.Route, router: Router) -> None:
    """Write a route."""
    message.source_app = router.source_app
    if router.target_app is not None:
        message.target_app = router.target_app
    if router.target_namespace is not None:
        message.target_namespace = router.target_namespace


def trace_of(message: pb.Trace) -> TraceContext | None:
    """Return a trace context, or None if the message names none that is legal."""
    state = message.tracestate.value if message.HasField("tracestate") else None
    return parse_traceparent(message.traceparent, message.span_id, state)


def set_trace(message: pb.Trace, trace: TraceContext) -> None:
    """Write a trace context in both of its forms: the full header, and the span beside it."""
    message.traceparent = trace.traceparent
    message.span_id = trace.span_id
    if trace.state is not None:
        message.tracestate.value = trace.state


def sound(message_type: type[Message], data: bytes) -> bytes:
    """Return bytes that are kept as they are, having seen that they are such a message.

    Raises DecodeError if not: whoever is sent them later could not read what surrounds them.
    """
    message_type.FromString(data)
    return data


def failure_bytes(failure: AnyFailure) -> bytes | None:
    """Return a failure as a serialized TaskFailureDetails."""
    if not isinstance(failure, Failure):
        return failure
    message = pb.FailureDetails(
        error_type=failure.error_type,
        message=failure.message,
        non_retriable=failure.non_retriable,
    )
    if failure.stack_trace is not None:
        message.stack_trace.value = failure.stack_trace
    return message.SerializeToString()


def failure_of(failure: bytes) -> Failure:
    """Return serialized TaskFailureDetails as a record, without its chain of causes.

    Raises DecodeError if they cannot be parsed.
    """
    message = pb.FailureDetails.FromString(failure)
    trace = message.stack_trace.value if message.HasField("stack_trace") else None
    return Failure(message.error_type, message.message, message.non_retriable, trace)


def parse_failure(failure: bytes) -> pb.FailureDetails:
    """Return serialized TaskFailureDetails as a message, with its chain cut at a stated depth."""
    message = pb.FailureDetails.FromString(failure)
    link = message
    for _ in range(FAILURE_DEPTH_MAX):
        if not link.HasField("inner"):
            return message
        link = link.inner
    link.ClearField("inner")
    return message
