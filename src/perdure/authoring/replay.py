"""The replayer: workflow code, its history and new events make a decision.

Code is led through its history once and then kept where it waits, so that its next turn costs what
is new and not what has been. Which instances are kept is a matter of memory alone: one that is not
is led through its history again and comes to the same.
"""

import logging
import time
from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import chain
from typing import Final

from perdure.authoring.context import WorkflowContext
from perdure.authoring.divergence import Diverged, Divergence
from perdure.authoring.recorded import NOTHING_RECORDED, Recorded
from perdure.authoring.registry import Registry
from perdure.authoring.run import Run, Sources
from perdure.authoring.taking import take
from perdure.core import actions as act
from perdure.core.events import Event, EventRaised, Failure
from perdure.core.lineage import Lineage
from perdure.core.status import Status

RUNS_KEPT_MAX: Final = 10_000
# What decides longer than this is told of: workflow code must not block.
_SLOW_S: Final = 1.0

_log = logging.getLogger(__name__)


def no_lineage() -> Lineage | None:
    """Return what was handed down to an instance to which nothing was."""
    return None


class Replayer:
    """Decides turns. It is called from one thread at a time, and calls workflow code."""

    def __init__(
        self,
        registry: Registry,
        *,
        failure_of: Callable[[bytes], Failure],
        context_type: type[WorkflowContext] = WorkflowContext,
        kept_max: int = RUNS_KEPT_MAX,
    ) -> None:
        """Decide for the workflows of a registry.

        `failure_of` reads a failure that is kept as bytes. `kept_max` bounds the instances whose
        code is kept between turns.
        """
        self._registry = registry
        self._failure_of = failure_of
        self._context_type = context_type
        self._kept_max = kept_max
        self._kept: dict[Hashable, Run] = {}
        # One for all runs to which nothing was handed down.
        self._sources = Sources(failure_of, no_lineage)

    def decide(
        self,
        key: Hashable,
        past_length: int,
        past: Callable[[], Sequence[Event]],
        new: Sequence[Event],
        *,
        lineage: Callable[[], Lineage | None] = no_lineage,
    ) -> act.Decision | Divergence:
        """Return what the code decides about the new events, or where it parts from its history.

        - `key` is of one generation of one instance; `past` gives its history, of `past_length`
          events, and is asked only if the code was not kept.
        - `new` are the events of the turn, the WorkflowStarted first.
        - `lineage` gives the history that was handed down to the instance.

        What the code raises fails the workflow, and is a decision. Whoever does not keep a
        decision in the history forgets the key.
        """
        run = self._kept.pop(key, None)
        if run is not None and run.length != past_length:
            run.close()
            run = None
        began_s = time.monotonic()
        try:
            if run is None:
                run = self._led(past() if past_length else (), new, lineage)
            run.replaying = False
            run.within(_take_all, run, new)
        except Diverged as diverged:
            if run is not None:
                run.close()
            return diverged.divergence
        if time.monotonic() - began_s > _SLOW_S:
            _tell_slow(run, time.monotonic() - began_s)
        decision = _decision(run)
        if run.outcome is None:
            run.length = past_length + len(new) + len(decision.actions)
            run.actions = {}
            # They are for a replay, which is over.
            run.places = {}
            run.recorded = NOTHING_RECORDED
            self._keep(key, run)
        else:
            run.close()
        return decision

    def forget(self, key: Hashable) -> None:
        """Let go of the code of an instance, if it is kept."""
        run = self._kept.pop(key, None)
        if run is not None:
            run.close()

    def forget_all(self) -> None:
        """Let go of all code that is kept."""
        for key in list(self._kept):
            self.forget(key)

    def __len__(self) -> int:
        """How many instances have their code kept."""
        return len(self._kept)

    def _led(
        self,
        past: Sequence[Event],
        new: Sequence[Event],
        lineage: Callable[[], Lineage | None],
    ) -> Run:
        handed_down = lineage is not no_lineage
        sources = Sources(self._failure_of, lineage) if handed_down else self._sources
        run = Run(self._registry, sources)
        run.context = self._context_type(run)
        run.recorded = Recorded(past, new)
        run.replaying = True
        try:
            if past:
                run.within(_take_all, run, past)
        except Diverged:
            run.close()
            raise
        return run

    def _keep(self, key: Hashable, run: Run) -> None:
        self._kept[key] = run
        if len(self._kept) > self._kept_max:
            self.forget(next(iter(self._kept)))


def _take_all(run: Run, events: Iterable[Event]) -> None:
    for event in events:
        take(run, event)


def _tell_slow(run: Run, took_s: float) -> None:
    name = "" if run.workflow is None else run.workflow.name
    _log.warning(
        "workflow '%s' (%s) took %.1f s to decide, and all others waited: what takes time, and "
        "whatever waits by itself, belongs into an activity",
        *(name, run.instance_id, took_s),
    )


def _decision(run: Run) -> act.Decision:
    return act.Decision(
        actions=_ending(run) if run.outcome is not None else tuple(run.actions.values()),
        custom_status=run.custom_status,
        patches=tuple(run.encountered_patches),
        version_name=None if run.workflow is None else run.workflow.version_name,
    )


def _ending(run: Run) -> tuple[act.Action, ...]:
    outcome, number = run.outcome, run.next_id()
    assert outcome is not None, "asked of what has ended"
    if outcome.status is Status.STALLED:
        return (act.VersionNotAvailable(id=number),)
    carried: tuple[EventRaised, ...] = ()
    if outcome.saves_events:
        unread = chain.from_iterable(run.received.values())
        # Without a time of their own: the generation that begins gives them its own.
        carried = tuple(
            EventRaised(at_us=0, name=event.name, input=event.input)
            for _, event in sorted(unread, key=lambda arrival: arrival[0])
        )
    return (
        act.Complete(
            id=number,
            status=outcome.status,
            result=outcome.result,
            failure=outcome.failure,
            carryover=carried,
        ),
    )
