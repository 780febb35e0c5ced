"""Events as signals and back; a signal of somebody else's is an event of its name."""

import pytest
from temporalio.common import RawValue

from perdure.bridge import names
from perdure.bridge.signals import event_of, signal_of
from perdure.bridge.texts import raw_text
from perdure.core.events import (
    Event,
    EventRaised,
    ExecutionResumed,
    ExecutionSuspended,
    ExecutionTerminated,
    TimerFired,
)


@pytest.mark.parametrize(
    "event",
    [
        EventRaised(at_us=5, name="Go", input='{"a": 1}'),
        EventRaised(at_us=5, name="Go", input=""),
        EventRaised(at_us=5, name="Go"),
        ExecutionTerminated(at_us=5, input='"over"', recurse=True),
        ExecutionTerminated(at_us=5),
        ExecutionSuspended(at_us=5, reason="night"),
        ExecutionResumed(at_us=5),
    ],
)
def test_an_event_arrives_as_it_was_sent(event: Event) -> None:
    name, arguments = signal_of(event)
    assert event_of(name, arguments, 5) == event


def test_what_others_send_is_an_event() -> None:
    arguments: list[RawValue] = [raw_text("1"), raw_text("2")]
    assert event_of("theirs", arguments, 7) == EventRaised(at_us=7, name="theirs", input="1")


def test_a_terminate_of_others_may_carry_nothing() -> None:
    assert event_of(names.TERMINATE, [], 7) == ExecutionTerminated(at_us=7)


def test_what_comes_from_inside_is_no_signal() -> None:
    with pytest.raises(AssertionError, match="TimerFired comes from inside"):
        signal_of(TimerFired(at_us=1, timer_id=1, fire_at_us=1))
