"""One trial after the other: a scenario of a test, run again with other things going wrong.

Theory of operation. The first trial is one in which nothing goes wrong; it tells at how many
occasions something could. Then comes each fault by itself, and then several at once, which
hypothesis draws from the seed. The first trial to fail ends the search; if it was of several
faults, hypothesis goes on to look for the shortest schedule that fails in the same way.
"""

import asyncio
import inspect
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from perdure.proving.nesting import running
from perdure.testing.applications import Application
from perdure.testing.engine import VirtualEngine
from perdure.testing.occasions import Story
from perdure.testing.schedule import DELAYS_US, LATE, Fault, Kind, Schedule

Scenario = Callable[[VirtualEngine], Any]
Counts = dict[Kind, int]


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of a schedule."""

    schedule: Schedule  # without the faults whose occasion never came
    error: BaseException | None
    story: Story
    counts: Counts

    @property
    def failed(self) -> bool:
        """Whether the test failed."""
        return self.error is not None

    @property
    def way(self) -> tuple[str, str]:
        """In which way it failed: the kind of error, and the line of the test that raised it."""
        error = self.error
        assert error is not None, "asked of what has failed"
        trace = error.__traceback__
        lines = []
        while trace is not None:
            lines.append(f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}")
            trace = trace.tb_next
        return type(error).__name__, lines[-1] if lines else ""


class Trials:
    """Runs a scenario under schedules; each schedule always comes to the same."""

    def __init__(self, application: Application, scenario: Scenario, seed: int) -> None:
        """Run `scenario` with an engine for `application`, of its own for each trial."""
        self._application = application
        self._scenario = scenario
        self.seed = seed
        self.count = 0

    def trial(self, schedule: Schedule) -> Trial:
        """Run the scenario once."""
        self.count += 1
        before = random.getstate()
        random.seed(self.seed)
        engine = VirtualEngine(self._application, schedule=schedule)
        error: BaseException | None = None
        try:
            self._perform(engine)
        except BaseException as failed:
            if not _is_failure(failed):
                raise
            error = failed
        finally:
            random.setstate(before)
            engine.close()
        world = engine.world
        return Trial(tuple(world.occasions.met), error, world.story, dict(world.occasions.counts))

    def _perform(self, engine: VirtualEngine) -> None:
        result = self._scenario(engine)
        if inspect.iscoroutine(result):
            with running(None):  # the test that asks for trials may be a coroutine itself
                asyncio.run(result)
        # What was late or came twice may still be on its way, and must do no harm either.
        engine.settle()
        engine.world.check()


def _is_failure(error: BaseException) -> bool:
    """Tell a test that fails from one that is left: interrupted, ended or skipped."""
    if isinstance(error, Exception):
        return True
    # What `pytest.fail` raises, as `pytest.raises` does where nothing was raised, is no Exception.
    pytest = sys.modules.get("pytest")
    return pytest is not None and isinstance(error, pytest.fail.Exception)


def singles(counts: Counts, kinds: frozenset[Kind]) -> Iterator[Fault]:
    """Yield each fault that can happen by itself, the first occasions first."""
    most = max((counts.get(kind, 0) for kind in kinds), default=0)
    for nth in range(1, most + 1):
        for kind in Kind:
            if kind in kinds and nth <= counts.get(kind, 0):
                for late_us in DELAYS_US if kind in LATE else (0,):
                    yield Fault(kind, nth, late_us)


def sampled(found: Iterator[Fault], most: int, seed: int) -> list[Fault]:
    """Return all that are found, or so many of them, chosen by the seed, in their order."""
    faults = list(found)
    if len(faults) <= most:
        return faults
    chosen = Random(f"{seed}:singles").sample(range(len(faults)), most)
    return [faults[index] for index in sorted(chosen)]


def first_alone(trials: Trials, counts: Counts, kinds: frozenset[Kind], most: int) -> Trial | None:
    """Return the first trial of one fault alone that fails, or None if `most` of them do not."""
    for fault in sampled(singles(counts, kinds), most, trials.seed):
        trial = trials.trial((fault,))
        if trial.failed:
            return trial
    return None
