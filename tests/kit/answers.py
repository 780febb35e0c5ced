"""What a worker answers, made from the fewest words; the proof's workers speak the same."""

from perdure.proving.answers import (
    activity_answer,
    child,
    complete,
    continue_as_new,
    detached,
    end_other,
    failure_details,
    no_such_version,
    schedule,
    send,
    timer,
    turn_answer,
)

__all__ = [
    "activity_answer",
    "child",
    "complete",
    "continue_as_new",
    "detached",
    "end_other",
    "failure_details",
    "no_such_version",
    "schedule",
    "send",
    "timer",
    "turn_answer",
]
