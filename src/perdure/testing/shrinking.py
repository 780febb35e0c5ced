"""Several faults at once, drawn by hypothesis, and shrunk to the shortest schedule that fails."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any, Final

from perdure.base.errors import ConfigurationError
from perdure.testing.schedule import DELAYS_US, LATE, Fault, Kind, Schedule
from perdure.testing.trials import Counts, Trial, Trials

# Each trial is a whole test: with so many, what was found has become readable.
_SHRINKING_TRIALS_MAX: Final = 400
# With faults there is more to do than without: there are occasions beyond those of the first trial.
_FURTHER: Final = 2


def first_together(
    trials: Trials, counts: Counts, kinds: frozenset[Kind], *, trials_max: int, faults_max: int
) -> Trial | None:
    """Return the trial of the shortest schedule found to fail, or None if so many do not.

    Raises ConfigurationError if hypothesis is not installed.
    """
    try:
        from hypothesis import Phase, find, settings  # noqa: PLC0415 - an extra
        from hypothesis.errors import NoSuchExample  # noqa: PLC0415 - as above
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "several faults at once are drawn by hypothesis, which is not installed: install "
            "perdure[testing], or ask for one fault at a time with faults_max=1"
        ) from error
    search = _Search(trials, trials_max)
    try:
        find(
            _schedules(counts, kinds, faults_max),
            search.fails,
            settings=settings(
                max_examples=trials_max,
                database=None,
                deadline=None,
                phases=[Phase.generate, Phase.shrink],
            ),
            random=Random(trials.seed),
        )
    except NoSuchExample:
        return search.best
    return search.shortened()


class _Search:
    """What has been found so far; the first failure tells which others are like it."""

    def __init__(self, trials: Trials, trials_max: int) -> None:
        self.best: Trial | None = None
        self._trials = trials
        self._left = trials_max

    def fails(self, schedule: list[Fault]) -> bool:
        """Tell whether a schedule fails, in the way of the first that did."""
        if self._left <= 0:
            return False
        self._left -= 1
        trial = self._trials.trial(tuple(schedule))
        if not trial.failed:
            return False
        if self.best is None:
            self._left = _SHRINKING_TRIALS_MAX
        elif trial.way != self.best.way:
            return False
        if self.best is None or _size(trial) < _size(self.best):
            self.best = trial
        return True

    def shortened(self) -> Trial | None:
        """Return what was found, with each fault left out that another occasion makes up for.

        A fault that is only there to change the count of another cannot be taken away alone.
        """
        best = self.best
        self._left = _SHRINKING_TRIALS_MAX
        while best is not None:
            for schedule in _with_one_less(best.schedule):
                if self.fails(list(schedule)):
                    break
            if self.best is best:
                return best
            best = self.best
        return None


def _with_one_less(schedule: Schedule) -> Iterator[Schedule]:
    for index in range(len(schedule)):
        rest = schedule[:index] + schedule[index + 1 :]
        for at, fault in enumerate(rest):
            for nth in range(1, fault.nth + 1):
                yield (*rest[:at], replace(fault, nth=nth), *rest[at + 1 :])


def _size(trial: Trial) -> tuple[int, int]:
    return len(trial.schedule), sum(fault.nth for fault in trial.schedule)


def _schedules(counts: Counts, kinds: frozenset[Kind], faults_max: int) -> Any:
    """Return a strategy of schedules, whose simplest are short and of early occasions."""
    from hypothesis import strategies as st  # noqa: PLC0415 - an extra

    def faults_of(kind: Kind) -> Any:
        nth = st.integers(1, counts[kind] * _FURTHER)
        late = st.sampled_from(DELAYS_US) if kind in LATE else st.just(0)
        return st.builds(Fault, st.just(kind), nth, late)

    possible = [faults_of(kind) for kind in Kind if kind in kinds and counts.get(kind, 0)]
    return st.lists(st.one_of(possible), min_size=min(2, faults_max), max_size=faults_max)
