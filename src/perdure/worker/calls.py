"""One call of an activity, from what was scheduled to what came of it, as records."""

import asyncio
from dataclasses import dataclass, replace
from typing import Final

from perdure.authoring.activities import Activity, ActivityContext
from perdure.authoring.failures import failure_of
from perdure.authoring.propagation import PropagatedHistory
from perdure.core.events import Failure, TaskScheduled
from perdure.wire.lineage import lineage_of

# How much is told of where an exception was raised: its end, which says most.
_TRACE_CHARS_MAX: Final = 16_000


@dataclass(frozen=True, slots=True)
class ActivityCall:
    """What is to be run: a task that an instance has scheduled.

    `propagated` is the history that the caller hands down, a serialized PropagatedHistory.
    """

    instance_id: str
    scheduled: TaskScheduled
    propagated: bytes | None = None


@dataclass(frozen=True, slots=True)
class Returned:
    """An activity came to its end; `result` is JSON, None where it returned nothing."""

    result: str | None


@dataclass(frozen=True, slots=True)
class Raised:
    """An activity did not come to its end."""

    failure: Failure


Outcome = Returned | Raised


def call(activity: Activity, context: ActivityContext, text: str | None) -> Outcome:
    """Call a function that blocks with its input as JSON. Raises nothing."""
    try:
        value = activity.function(*activity.arguments(context, text))
        return Returned(activity.result_text(value))
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is the activity's
        return raised_by(error, activity.non_retryable)


async def call_async(activity: Activity, context: ActivityContext, text: str | None) -> Outcome:
    """Call an async function with its input as JSON.

    An exit is the activity's failure: it would come again, and end one process after the other.
    Raises what may not be the activity's: a cancellation, Ctrl-C, and what closes a coroutine.
    """
    try:
        value = await activity.function(*activity.arguments(context, text))
        return Returned(activity.result_text(value))
    except (asyncio.CancelledError, KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is the activity's
        return raised_by(error, activity.non_retryable)


def history_of(propagated: bytes | None) -> PropagatedHistory | None:
    """Return the history that was handed down. Raises CallerFault if it cannot be read."""
    return None if propagated is None else PropagatedHistory(lineage_of(propagated))


def raised(error_type: str, message: str, *, non_retriable: bool = False) -> Raised:
    """Return a failure that is told in words."""
    return Raised(Failure(error_type, message, non_retriable))


def raised_by(error: BaseException, non_retryable: tuple[type[BaseException], ...] = ()) -> Raised:
    """Return the failure that an exception is."""
    failure = failure_of(error, non_retryable)
    trace = failure.stack_trace
    return Raised(
        replace(
            failure,
            message=_sound(failure.message),
            stack_trace=None if trace is None else _sound(trace[-_TRACE_CHARS_MAX:]),
        )
    )


def _sound(text: str) -> str:
    """Return text that UTF-8 can carry: a lone surrogate in a message must not hide the error."""
    return text.encode("utf-8", "backslashreplace").decode()
