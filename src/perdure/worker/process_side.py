"""The other side of a process for activities: told what to call, it tells what came of it."""

import asyncio
import functools
import importlib
import inspect
import multiprocessing
import os
import signal
import threading
from contextvars import copy_context
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, Final

from perdure.authoring.activities import Activity, ActivityContext
from perdure.authoring.payloads import Typing, signature_of
from perdure.wire.fields import failure_bytes
from perdure.worker.calls import (
    ActivityCall,
    Outcome,
    Returned,
    call,
    call_async,
    history_of,
    raised_by,
)

# What is told before the outcome: that the call begins, and that it is still at work.
BEGUN: Final = "begun"
BEAT: Final = "beat"


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a process is to call: where its function stands, how it is known, and with what."""

    module: str
    qualified_name: str
    activity_name: str
    typing: Typing
    non_retryable: tuple[type[BaseException], ...]
    workflow_id: str
    task_id: int
    execution_id: str
    propagated: bytes | None
    text: str | None


# What came of it, in words that both sides read alike: a result, or a serialized failure.
Told = tuple[str | None, bytes | None]


def assignment_of(activity: Activity, asked: ActivityCall) -> Assignment:
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
        asked.instance_id,
        asked.scheduled.event_id,
        asked.scheduled.execution_id,
        asked.propagated,
        asked.scheduled.input,
    )


def serve(connection: Connection) -> None:
    """Call one thing after the other until nobody asks any more."""
    sending = threading.Lock()
    threading.Thread(target=_end_with_who_asks, daemon=True).start()
    # Who stops the process that asks wants running activities to come to their end.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    with connection:
        while True:
            try:
                assignment: Assignment = connection.recv()
                told = _told(_outcome_of(assignment, connection, sending))
                with sending:
                    connection.send(told)
            except (EOFError, BrokenPipeError):
                return  # who asked is gone


def _end_with_who_asks() -> None:
    """End this process when the one that asks has died: its result would be nobody's."""
    parent = multiprocessing.parent_process()
    assert parent is not None, "it was begun by another process"
    wait([parent.sentinel])
    os._exit(1)


def _outcome_of(assignment: Assignment, connection: Connection, sending: threading.Lock) -> Outcome:
    def beat(_details: object) -> None:
        with sending:  # an activity may have threads of its own
            connection.send(BEAT)

    try:
        context = ActivityContext(
            assignment.workflow_id,
            assignment.task_id,
            assignment.execution_id,
            history_of(assignment.propagated),
        )
        context.wire(beat, lambda: False)
        activity = _activity(
            assignment.module,
            assignment.qualified_name,
            assignment.activity_name,
            assignment.typing,
            assignment.non_retryable,
        )
    except Exception as error:  # noqa: BLE001 - what cannot be imported or read fails it
        return raised_by(error, (Exception,))
    connection.send(BEGUN)
    if activity.is_async:
        return asyncio.run(call_async(activity, context, assignment.text))
    # What it sets in context variables is not there for the next one; what its module set is.
    return copy_context().run(call, activity, context, assignment.text)


def _told(outcome: Outcome) -> Told:
    if isinstance(outcome, Returned):
        return outcome.result, None
    return None, failure_bytes(outcome.failure)


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
