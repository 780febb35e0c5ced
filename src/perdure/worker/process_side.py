"""The other side of a process for activities: told what to call, it tells what came of it."""

import asyncio
import functools
import importlib
import inspect
import signal
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Final

from perdure.authoring.activities import Activity, ActivityContext
from perdure.authoring.payloads import Typing, signature_of
from perdure.worker.calls import Outcome, call, call_async, raised_by

BEAT: Final = "beat"


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a process is to call: where its function stands, how it is known, and with what."""

    module: str
    qualified_name: str
    activity_name: str
    typing: Typing
    non_retryable: tuple[type[BaseException], ...]
    context: ActivityContext
    text: str | None


def assignment_of(activity: Activity, context: ActivityContext, text: str | None) -> Assignment:
    """Return what a process needs to know; raises ValueError if it could not import it."""
    function = inspect.unwrap(activity.function)
    module = getattr(function, "__module__", None)
    qualified_name = getattr(function, "__qualname__", "<nameless>")
    if module is None or "<" in qualified_name:
        raise ValueError(
            f"activity {activity.name!r} is to run in a process of its own, which has to import "
            f"it: define it at the top of a module, not as {qualified_name!r}"
        )
    return Assignment(
        module,
        qualified_name,
        activity.name,
        activity.typing,
        activity.non_retryable,
        context,
        text,
    )


def serve(connection: Connection) -> None:
    """Call one thing after the other until nobody asks any more."""
    # Who stops the process that asks wants running activities to come to their end.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    with connection:
        while True:
            try:
                assignment: Assignment = connection.recv()
                connection.send(_outcome_of(assignment, connection))
            except (EOFError, BrokenPipeError):
                return  # who asked is gone


def _outcome_of(assignment: Assignment, connection: Connection) -> Outcome:
    context = assignment.context
    context.wire(lambda _details: connection.send(BEAT), lambda: False)
    try:
        activity = _activity(
            assignment.module,
            assignment.qualified_name,
            assignment.activity_name,
            assignment.typing,
            assignment.non_retryable,
        )
    except Exception as error:  # noqa: BLE001 - what cannot be imported fails the activity
        return raised_by(error, (Exception,))
    if activity.is_async:
        return asyncio.run(call_async(activity, context, assignment.text))
    return call(activity, context, assignment.text)


@functools.cache
def _activity(
    module: str,
    qualified_name: str,
    name: str,
    typing: Typing,
    non_retryable: tuple[type[BaseException], ...],
) -> Activity:
    found: Any = importlib.import_module(module)
    for part in qualified_name.split("."):
        found = getattr(found, part)
    # A decorator may have left something else under the name.
    function = inspect.unwrap(found)
    return Activity(
        name=name,
        function=function,
        signature=signature_of(function),
        typing=typing,
        non_retryable=non_retryable,
    )
