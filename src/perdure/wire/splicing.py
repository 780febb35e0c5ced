"""The commonest events put together from bytes, which is several times cheaper than messages.

What comes out is what `encoding.by_message` makes, byte for byte; an event that has something
unusual about it (a trace, tags, a parent, patches, a time before 1970) is left to that.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from perdure.base.time import LATEST_US, SECOND_US
from perdure.core import events as ev
from perdure.wire.work_items import varint

_SHORT: Final = tuple(varint(number) for number in range(1 << 14))
_MINUS_ONE: Final = b"\x08" + b"\xff" * 9 + b"\x01"  # the event id of most events
_ONE_BYTE: Final = 126  # a text so long makes lengths of more than one byte
_TWENTY_ONE_BITS: Final = 0x1FFFFF
_MOMENTS_MAX: Final = 64
_moments: dict[int, bytes] = {}
_ROUTER_TAG: Final = b"\xf2\x01"


def spliced(event: ev.Event) -> bytes | None:
    """Return an event as a serialized HistoryEvent, None if it is none of the plain ones."""
    body_of = _BODIES.get(type(event))
    at = _moment(b"\x12", event.at_us)
    if body_of is None or at is None:
        return None
    body = body_of(event)
    if body is None:
        return None
    number = event.event_id
    if number == -1:
        head = _MINUS_ONE
    elif number >= 0:
        head = b"\x08" + _varint(number) if number else b""
    else:
        return None
    if event.router is None:
        return head + at + body
    return head + at + body + _router(event.router)


def _varint(number: int) -> bytes:
    return _SHORT[number] if number < len(_SHORT) else varint(number)


def _moment(tag: bytes, at_us: int) -> bytes | None:
    """Return a Timestamp field. The events of one turn share their moment."""
    found = _moments.get(at_us)
    if found is None:
        if not 0 <= at_us < LATEST_US:
            return None
        seconds, rest_us = divmod(at_us, SECOND_US)
        parts = _of_second(seconds)
        if rest_us:
            nanos = rest_us * 1_000
            parts += (
                bytes((0x10, nanos & 127 | 128, nanos >> 7 & 127 | 128, nanos >> 14 & 127 | 128))
                + varint(nanos >> 21)
                if nanos > _TWENTY_ONE_BITS
                else b"\x10" + varint(nanos)
            )
        found = _SHORT[len(parts)] + parts
        if len(_moments) >= _MOMENTS_MAX:
            _moments.clear()
        _moments[at_us] = found
    return tag + found


@lru_cache(maxsize=64)
def _of_second(seconds: int) -> bytes:
    return b"\x08" + varint(seconds) if seconds else b""


def _bytes(tag: bytes, data: bytes) -> bytes:
    return tag + _varint(len(data)) + data


def _text(tag: bytes, text: str) -> bytes:
    """Return a string field, which is left out if it is empty."""
    if not text:
        return b""
    data = text.encode()
    length = len(data)
    return tag + (_SHORT[length] if length < len(_SHORT) else varint(length)) + data


def _wrapped(tag: bytes, text: str | None) -> bytes:
    """Return a StringValue field, which is left out if there is none."""
    if text is None:
        return b""
    data = text.encode()
    length = len(data)
    if 0 < length < _ONE_BYTE:
        return tag + _SHORT[length + 2] + b"\x0a" + _SHORT[length] + data
    return _bytes(tag, _bytes(b"\x0a", data) if data else b"")


def _number(tag: bytes, number: int) -> bytes:
    """Return a field of a number that is not negative, left out if it is 0."""
    return tag + _varint(number) if number else b""


def _router(router: ev.Router) -> bytes:
    body = _text(b"\x0a", router.source_app)
    if router.target_app is not None:
        body += _bytes(b"\x12", router.target_app.encode())
    if router.target_namespace is not None:
        body += _bytes(b"\x1a", router.target_namespace.encode())
    return _bytes(_ROUTER_TAG, body)


def _workflow_started(event: ev.WorkflowStarted) -> bytes | None:
    return None if event.patches or event.version_name is not None else b"\x72\x00"


def _execution_started(event: ev.ExecutionStarted) -> bytes | None:
    unusual = event.parent or event.tags or event.trace or event.scheduled_start_us is not None
    if unusual:
        return None
    instance = _text(b"\x0a", event.instance_id) + _wrapped(b"\x12", event.execution_id)
    return _bytes(
        b"\x1a",
        _text(b"\x0a", event.name)
        + _wrapped(b"\x12", event.version)
        + _wrapped(b"\x1a", event.input)
        + _bytes(b"\x22", instance)
        + _wrapped(b"\x42", event.span_id),
    )


def _execution_completed(event: ev.ExecutionCompleted) -> bytes | None:
    failure = _failure(b"\x1a", event.failure)
    if failure is None:
        return None
    body = _number(b"\x08", event.status) + _wrapped(b"\x12", event.result) + failure
    return _bytes(b"\x22", body)


def _task_scheduled(event: ev.TaskScheduled) -> bytes | None:
    if event.trace is not None or event.rerun_of is not None or event.scope:
        return None
    body = _text(b"\x0a", event.name) + _wrapped(b"\x12", event.version)
    body += _wrapped(b"\x1a", event.input) + _text(b"\x2a", event.execution_id)
    return _bytes(b"\x32", body)


def _task_completed(event: ev.TaskCompleted) -> bytes | None:
    if event.task_id < 0:
        return None
    body = _number(b"\x08", event.task_id) + _wrapped(b"\x12", event.result)
    return _bytes(b"\x3a", body + _text(b"\x1a", event.execution_id))


def _task_failed(event: ev.TaskFailed) -> bytes | None:
    failure = _failure(b"\x12", event.failure)
    if failure is None or event.task_id < 0:
        return None
    body = _number(b"\x08", event.task_id) + failure
    return _bytes(b"\x42", body + _text(b"\x1a", event.execution_id))


def _timer_fired(event: ev.TimerFired) -> bytes | None:
    fire_at = _moment(b"\x0a", event.fire_at_us)
    if fire_at is None or event.timer_id < 0:
        return None
    return _bytes(b"\x6a", fire_at + _number(b"\x10", event.timer_id))


def _event_raised(event: ev.EventRaised) -> bytes | None:
    return _bytes(b"\x8a\x01", _text(b"\x0a", event.name) + _wrapped(b"\x12", event.input))


def _failure(tag: bytes, failure: ev.AnyFailure) -> bytes | None:
    """Return a failure's field if it is there as bytes or not at all, else None."""
    match failure:
        case None:
            return b""
        case bytes():
            return _bytes(tag, failure)
        case _:
            return None


_BODIES: Final[dict[type, Callable[[Any], bytes | None]]] = {
    ev.WorkflowStarted: _workflow_started,
    ev.ExecutionStarted: _execution_started,
    ev.ExecutionCompleted: _execution_completed,
    ev.TaskScheduled: _task_scheduled,
    ev.TaskCompleted: _task_completed,
    ev.TaskFailed: _task_failed,
    ev.TimerFired: _timer_fired,
    ev.EventRaised: _event_raised,
}
