"""Events that come to an instance from outside, as Temporal's signals, and back."""

from collections.abc import Sequence

from temporalio.common import RawValue

from perdure.bridge import names
from perdure.bridge.texts import raw_text, text_of
from perdure.core.events import (
    Event,
    EventRaised,
    ExecutionResumed,
    ExecutionSuspended,
    ExecutionTerminated,
)


def signal_of(event: Event) -> tuple[str, list[RawValue]]:
    """Return the name and arguments of the signal that brings an event."""
    match event:
        case EventRaised():
            return event.name, [] if event.input is None else [raw_text(event.input)]
        case ExecutionTerminated():
            recurse = "true" if event.recurse else "false"
            return names.TERMINATE, [raw_text(event.input), raw_text(recurse)]
        case ExecutionSuspended():
            return names.SUSPEND, [raw_text(event.reason)]
        case ExecutionResumed():
            return names.RESUME, [raw_text(event.reason)]
        case _:
            raise AssertionError(f"{type(event).__name__} comes from inside")


def event_of(name: str, arguments: Sequence[RawValue], at_us: int) -> Event:
    """Return the event that a signal brings, whoever sent it."""
    texts = [text_of(each.payload) for each in arguments]
    first = texts[0] if texts else None
    match name:
        case names.TERMINATE:
            return ExecutionTerminated(at_us=at_us, input=first, recurse=texts[1:] == ["true"])
        case names.SUSPEND:
            return ExecutionSuspended(at_us=at_us, reason=first)
        case names.RESUME:
            return ExecutionResumed(at_us=at_us, reason=first)
        case _:
            return EventRaised(at_us=at_us, name=name, input=first)
