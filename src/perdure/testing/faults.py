"""`faults`: a test, run again and again with something else going wrong in it."""

import functools
import inspect
import os
from collections.abc import Callable, Iterable
from typing import Any, Final

from perdure.base.errors import ConfigurationError
from perdure.testing.applications import Application
from perdure.testing.engine import VirtualEngine
from perdure.testing.schedule import Kind, Schedule, read
from perdure.testing.shrinking import first_together
from perdure.testing.story import told
from perdure.testing.trials import Trial, Trials, first_alone

TRIALS_MAX: Final = 200
FAULTS_MAX: Final = 4
# What the options of the pytest plugin come in.
TRIALS_VARIABLE: Final = "PERDURE_TRIALS"
SEED_VARIABLE: Final = "PERDURE_SEED"


class BrokenByFaults(AssertionError):
    """A test fails when something goes wrong; the text tells what, and how to see it again."""

    __module__ = "perdure.testing"


class faults:  # noqa: N801 - it is called as a function is
    """Kills, repeats, delays and reorders around the code of an application, in a test of it.

    As a decorator it makes a test of a function that takes a VirtualEngine first; `check` runs
    such a function here and now. It is run once with nothing going wrong, then with each fault
    alone, then with several at once, at most `trials` times. Each time it is given an engine of its
    own, and has to make everything else anew that it changes. The same seed tries the same.

    When the test fails, the shortest schedule of faults that is found to fail is told, with what
    happened; `schedule` runs that one alone.
    """

    def __init__(
        self,
        seed: int | None = None,
        *,
        app: Application,
        trials: int | None = None,
        faults_max: int = FAULTS_MAX,
        kinds: Iterable[Kind | str] = tuple(Kind),
        schedule: str | None = None,
    ) -> None:
        """Take what is not given from PERDURE_SEED and PERDURE_TRIALS, or 0 and 200.

        Raises ConfigurationError if a kind or the schedule says nothing that is known, and for
        numbers with which nothing would ever go wrong.
        """
        self._seed = _number(SEED_VARIABLE, 0) if seed is None else seed
        self._app = app
        self._trials_max = _number(TRIALS_VARIABLE, TRIALS_MAX) if trials is None else trials
        for name, number in (("trials", self._trials_max), ("faults_max", faults_max)):
            if number < 1:
                raise ConfigurationError(f"{name}={number}: expected 1 or more")
        self._faults_max = faults_max
        self._kinds = frozenset(map(_kind, kinds))
        if not self._kinds:
            raise ConfigurationError("kinds: expected one or more")
        self._schedule: Schedule | None = None if schedule is None else read(schedule)

    def __call__(self, test: Callable[..., Any]) -> Callable[..., None]:
        """Return a test that checks a function; what else the function takes are fixtures."""

        @functools.wraps(test)
        def checked(*args: Any, **fixtures: Any) -> None:
            __tracebackhide__ = True
            self.check(lambda engine: test(*args, engine, **fixtures), name=test.__name__)

        signature = inspect.signature(test)
        _, *others = signature.parameters.values()
        checked.__signature__ = signature.replace(parameters=others)  # type: ignore[attr-defined]  # pytest looks for it
        del checked.__wrapped__
        return checked

    def check(self, scenario: Callable[[VirtualEngine], Any], *, name: str | None = None) -> None:
        """Try a function, or a coroutine function, that takes a VirtualEngine.

        Raises BrokenByFaults, from what the function raised; without any fault going wrong, what
        it raised is raised as it is.
        """
        __tracebackhide__ = True
        trials = Trials(self._app, scenario, self._seed)
        failing = self._first_failing(trials)
        if failing is None:
            return
        error = failing.error
        assert error is not None, "it failed"
        if not failing.schedule:
            raise error
        who = name or str(getattr(scenario, "__name__", "the test"))
        raise BrokenByFaults(told(failing, who, self._seed, trials.count)) from error

    def _first_failing(self, trials: Trials) -> Trial | None:
        if self._schedule is not None:
            trial = trials.trial(self._schedule)
            return trial if trial.failed else None
        calm = trials.trial(())
        if calm.failed:
            return calm
        alone = self._trials_max if self._faults_max == 1 else (self._trials_max + 1) // 2
        found = first_alone(trials, calm.counts, self._kinds, alone)
        left = self._trials_max - trials.count
        if found is not None or self._faults_max == 1 or left <= 0 or not calm.counts:
            return found
        return first_together(
            trials, calm.counts, self._kinds, trials_max=left, faults_max=self._faults_max
        )


def _number(variable: str, otherwise: int) -> int:
    text = os.environ.get(variable, "")
    if not text:
        return otherwise
    if not text.isdecimal():
        raise ConfigurationError(f"{variable}={text!r}: expected a whole number")
    return int(text)


def _kind(kind: Kind | str) -> Kind:
    if kind not in set(Kind):
        raise ConfigurationError(f"{kind!r} is no kind of fault; there are {', '.join(Kind)}")
    return Kind(kind)
