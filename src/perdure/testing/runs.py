"""Runs of activities in a test: in place, on the simulated loop, each one noted."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from perdure.authoring.activities import Activity, ActivityContext
from perdure.authoring.failures import FailureDetails
from perdure.authoring.payloads import from_json
from perdure.authoring.propagation import PropagatedHistory
from perdure.base.time import SECOND_US
from perdure.testing.doubles import Doubles
from perdure.testing.pausing import pausing
from perdure.wire.fields import failure_bytes, failure_of
from perdure.wire.lineage import lineage_of
from perdure.worker.calls import ActivityCall, Outcome, Raised, Returned, call, call_async, raised

_SHOWN_CHARS_MAX: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityRun:
    """One run of an activity, from its beginning to its end in this process."""

    name: str
    instance_id: str
    input: Any
    idempotency_key: str
    number: int  # how often this very call has run, with this run
    result: Any
    failure: FailureDetails | None

    def __str__(self) -> str:
        """Return it in a line."""
        ended = f"{self.failure.error_type}" if self.failure else _cut(repr(self.result))
        return f"{_named(self.name, self.input, self.number)} in '{self.instance_id}' -> {ended}"


class Runs:
    """The runs of one test, over all lives of its process."""

    def __init__(self, doubles: Doubles, idle: Callable[[], None]) -> None:
        """Run what `doubles` finds; `idle` is called when a run has ended."""
        self.ended: list[ActivityRun] = []
        self._doubles = doubles
        self._idle = idle
        self._counts: Counter[str] = Counter()

    def find(self, name: str) -> Activity | None:
        """Return what runs under a name; None if nothing does."""
        return self._doubles.find(name)

    def run(self, activity: Activity, wanted: ActivityCall) -> tuple[Outcome, str]:
        """Run a function that blocks; return its outcome, and the run in words."""
        context = _context(wanted)
        outcome = call(activity, context, wanted.scheduled.input)
        return self._note(activity, wanted, outcome, context)

    async def run_async(
        self, activity: Activity, wanted: ActivityCall, paused: Callable[[], None]
    ) -> tuple[Outcome, str]:
        """Run an async function, for as long as it may; return as `run` does.

        `paused` is called whenever it waits for something.
        """
        context = _context(wanted)
        running = pausing(call_async(activity, context, wanted.scheduled.input), paused)
        timeout_us = activity.timeout_us
        try:
            async with asyncio.timeout(None if timeout_us is None else timeout_us / SECOND_US):
                outcome = await running
        except TimeoutError:
            assert timeout_us is not None, "what has no time-out raises nothing"
            text = f"activity '{activity.name}' took longer than {timeout_us / SECOND_US:g} s"
            outcome = raised("TimeoutError", text)
        return self._note(activity, wanted, outcome, context)

    def _note(
        self,
        activity: Activity,
        wanted: ActivityCall,
        outcome: Outcome,
        context: ActivityContext,
    ) -> tuple[Outcome, str]:
        self._counts[context.idempotency_key] += 1
        run = ActivityRun(
            name=wanted.scheduled.name,
            instance_id=wanted.instance_id,
            input=self._doubles.input_of(activity, wanted.scheduled.input),
            idempotency_key=context.idempotency_key,
            number=self._counts[context.idempotency_key],
            result=_result(outcome),
            failure=_failure(outcome),
        )
        self.ended.append(run)
        self._idle()
        return outcome, str(run)


def _context(wanted: ActivityCall) -> ActivityContext:
    scheduled, propagated = wanted.scheduled, wanted.propagated
    return ActivityContext(
        wanted.instance_id,
        scheduled.event_id,
        scheduled.execution_id,
        None if propagated is None else PropagatedHistory(lineage_of(propagated)),
    )


def _result(outcome: Outcome) -> object:
    if isinstance(outcome, Returned) and outcome.result:
        return from_json(outcome.result)
    return None


def _failure(outcome: Outcome) -> FailureDetails | None:
    if not isinstance(outcome, Raised):
        return None
    told = failure_bytes(outcome.failure)
    assert told is not None, "a failure says what it is"
    failure = failure_of(told)
    return FailureDetails(failure.message, failure.error_type, failure.stack_trace)


def _named(name: str, given: object, number: int) -> str:
    again = f" for the {_ordinal(number)} time" if number > 1 else ""
    return f"{name}({'' if given is None else _cut(repr(given))}) runs{again}"


def _ordinal(number: int) -> str:
    return {2: "2nd", 3: "3rd"}.get(number, f"{number}th")


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARS_MAX else f"{text[:_SHOWN_CHARS_MAX]}…"
