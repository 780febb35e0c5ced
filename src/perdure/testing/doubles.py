"""Activities replaced for a test: by a function, a value, an error, or one after the other."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from perdure.authoring.activities import Activity, is_async
from perdure.authoring.failures import ActivityNotRegisteredError
from perdure.authoring.payloads import Typing, read, signature_of
from perdure.authoring.registry import Registry, Workflow, name_of

Named: TypeAlias = str | Callable[..., Any]


class TooManyRuns(AssertionError):
    """An activity ran more often than the test has outcomes for."""

    __module__ = "perdure.testing"


@dataclass(frozen=True, slots=True)
class InTurn:
    """Outcomes for the first run of an activity, the second, and so on."""

    outcomes: tuple[object, ...]


def in_turn(*outcomes: object) -> InTurn:
    """Return outcomes for one run after the other: values, errors and functions, mixed.

    A run for which there is none fails the test.
    """
    return InTurn(outcomes)


def called(named: Named) -> str:
    """Return the name that is meant by a name, or by the function that bears it."""
    return named if isinstance(named, str) else name_of(named)


class Doubles:
    """The activities of an application, some of them replaced."""

    def __init__(self, registry: Registry, failed: Callable[[AssertionError], None]) -> None:
        """`failed` is told when the test itself has failed."""
        self._registry = registry
        self._failed = failed
        self._replaced: dict[str, Activity] = {}

    def replace(self, named: Named, by: object) -> None:
        """Have `by` happen in place of an activity, which need not be registered."""
        name = called(named)
        function = by if callable(by) and not isinstance(by, type) else self._acting(name, by)
        base = self._registry.activities.get(name)
        if base is None:
            base = Activity(
                name=name, function=function, signature=signature_of(function), typing=Typing.FULL
            )
        signature = signature_of(function)
        if signature.accepts_input and signature.input_type is None:
            # What does not say what it takes is given what the activity is given.
            signature = replace(signature, input_type=base.signature.input_type)
        self._replaced[name] = replace(base, function=function, signature=signature, process=False)

    def restore(self, named: Named) -> None:
        """Have an activity run itself again."""
        self._replaced.pop(called(named), None)

    def input_of(self, activity: Activity, text: str | None) -> object:
        """Return what a run was given, as the activity itself would be, replaced or not."""
        own = self._registry.activities.get(activity.name, activity)
        try:
            return read(text, own.signature.input_type, own.typing)
        except (TypeError, ValueError):
            return read(text, None, own.typing)

    def find(self, name: str) -> Activity | None:
        """Return what runs under a name; None if nothing does."""
        replaced = self._replaced.get(name)
        if replaced is not None:
            return replaced
        try:
            return self._registry.find_activity(name)
        except ActivityNotRegisteredError:
            return None

    def _acting(self, name: str, by: object) -> Callable[..., Any]:
        if not isinstance(by, InTurn):
            return _doing(by)
        runs = iter(by.outcomes)

        def next_one(ctx: object, given: object = None) -> object:
            for outcome in runs:
                return _doing(outcome)(ctx, given)
            count = len(by.outcomes)
            error = TooManyRuns(f"{name} ran more often than it has outcomes, which are {count}")
            self._failed(error)
            raise error

        return next_one


class Understudies(Registry):
    """The workflows of an application, some of them replaced."""

    def __init__(self, registry: Registry) -> None:
        """Have whatever is not replaced from `registry`, now and later."""
        super().__init__()
        self._registry = registry

    def replace(self, named: Named, by: object) -> None:
        """Have `by` happen in place of a workflow, in whichever version."""
        if isinstance(by, InTurn):
            raise TypeError("a workflow may be led through its history again: it has one outcome")
        name = called(named)
        function = by if callable(by) and not isinstance(by, type) else _doing(by)
        self.workflows.pop(name, None)
        self.add_workflow(function, name=name)

    def restore(self, named: Named) -> None:
        """Have a workflow run itself again."""
        self.workflows.pop(called(named), None)

    def find_workflow(self, name: str, version_name: str | None = None) -> Workflow:
        """Return what runs under a name (see `Registry`)."""
        return self.workflows.get(name) or self._registry.find_workflow(name, version_name)


def _doing(outcome: object) -> Callable[..., Any]:
    """Return the function that an outcome stands for: itself, or one that returns or raises it."""
    if isinstance(outcome, BaseException) or (
        isinstance(outcome, type) and issubclass(outcome, BaseException)
    ):
        return lambda *_: _raise(outcome)
    if not callable(outcome) or isinstance(outcome, type):
        return lambda *_: outcome
    if is_async(outcome):
        raise TypeError("an outcome of one run among several is no async function")
    if signature_of(outcome).accepts_input:
        return outcome
    return lambda ctx, _given=None: outcome(ctx)


def _raise(error: BaseException | type[BaseException]) -> None:
    raise error
