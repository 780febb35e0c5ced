"""What a program has registered: workflows by name and version, activities by name."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, TypedDict, TypeVar, Unpack, cast

from perdure.authoring.activities import Activity, is_async
from perdure.authoring.failures import (
    ActivityNotRegisteredError,
    OrchestratorNotRegisteredError,
    VersionNotRegisteredException,
)
from perdure.authoring.payloads import Signature, Typing, signature_of
from perdure.base.time import SECOND_US

F = TypeVar("F", bound=Callable[..., Any])

# Where a function carries the name that it is registered under.
NAME_ATTRIBUTE: Final = "_dapr_alternate_name"


class Options(TypedDict, total=False):
    """What may be wanted of the runs of an activity. Times are seconds or timedeltas."""

    process: bool  # run it in a process of its own pool
    timeout: float | timedelta
    heartbeat_timeout: float | timedelta
    non_retryable: tuple[type[BaseException], ...]  # errors after which no policy tries again
    concurrency_max: int  # how many runs of it there may be at once in this process


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """A registered workflow, or one version of it."""

    name: str
    function: Callable[..., Any]
    signature: Signature
    typing: Typing
    version_name: str | None = None


def name_of(function: Callable[..., object]) -> str:
    """Return the name under which a function is called: the one it carries, or its own.

    Raises ValueError for a lambda without a name, TypeError for what cannot be called.
    """
    if not callable(function):
        raise TypeError(f"expected a function or its name, not {type(function).__name__}")
    carried = getattr(function, NAME_ATTRIBUTE, None)
    if isinstance(carried, str):
        return carried
    name = getattr(function, "__name__", type(function).__name__)
    if name == "<lambda>":
        raise ValueError(
            "Cannot infer a name from a lambda function. Please provide a name explicitly."
        )
    return name


class Registry:
    """Workflows and activities of one program."""

    def __init__(self) -> None:
        """Begin empty."""
        self.workflows: dict[str, Workflow] = {}
        self.versions: dict[str, dict[str, Workflow]] = {}
        self.latest: dict[str, str] = {}
        self.activities: dict[str, Activity] = {}

    def workflow(
        self, *, name: str | None = None, version_name: str | None = None, is_latest: bool = True
    ) -> Callable[[F], F]:
        """Register the function below as a workflow, or as a version of one."""

        def register(function: F) -> F:
            self.add_workflow(function, name=name, version_name=version_name, is_latest=is_latest)
            return _named(function, name)

        return register

    def activity(self, *, name: str | None = None, **options: Unpack[Options]) -> Callable[[F], F]:
        """Register the function below as an activity."""

        def register(function: F) -> F:
            self.add_activity(function, name=name, **options)
            return _named(function, name)

        return register

    def add_workflow(
        self,
        function: Callable[..., Any],
        *,
        name: str | None = None,
        version_name: str | None = None,
        is_latest: bool = False,
        typing: Typing = Typing.FULL,
    ) -> Workflow:
        """Register a workflow: a generator function, a coroutine function or a plain one.

        A coroutine function is always typed in full. Raises ValueError if the name, or the version
        of it, is taken already.
        """
        name = _filled(name if name is not None else name_of(function), "orchestrator")
        added = Workflow(
            name=name,
            function=function,
            signature=signature_of(function),
            typing=Typing.FULL if is_async(function) else typing,
            version_name=version_name,
        )
        if version_name is None:
            if name in self.workflows:
                raise ValueError(f"A '{name}' orchestrator already exists.")
            self.workflows[name] = added
            return added
        versions = self.versions.setdefault(name, {})
        if version_name in versions:
            raise ValueError(
                f"The version '{version_name}' of '{name}' orchestrator already exists."
            )
        versions[version_name] = added
        if is_latest:
            self.latest[name] = version_name
        return added

    def add_activity(
        self,
        function: Callable[..., Any],
        *,
        name: str | None = None,
        typing: Typing = Typing.FULL,
        **options: Unpack[Options],
    ) -> Activity:
        """Register an activity.

        Raises ValueError if the name is taken already, and for a time-out or a limit that lets
        nothing run.
        """
        name = _filled(name if name is not None else name_of(function), "activity")
        if name in self.activities:
            raise ValueError(f"A '{name}' activity already exists.")
        most = options.get("concurrency_max")
        if most is not None and most < 1:
            raise ValueError(f"concurrency_max={most}: an activity that may never run")
        added = Activity(
            name=name,
            function=function,
            signature=signature_of(function),
            typing=typing,
            process=options.get("process", False),
            timeout_us=_us(options.get("timeout")),
            heartbeat_timeout_us=_us(options.get("heartbeat_timeout")),
            non_retryable=options.get("non_retryable", ()),
            concurrency_max=most,
        )
        self.activities[name] = added
        return added

    def find_workflow(self, name: str, version_name: str | None = None) -> Workflow:
        """Return the workflow that an instance runs: of that version, or of the latest.

        Raises OrchestratorNotRegisteredError if there is none of that name, and
        VersionNotRegisteredException if it is there without that version.
        """
        found = self.workflows.get(name)
        if found is not None:
            return found
        wanted = version_name or self.latest.get(name)
        if name not in self.versions or wanted is None:
            raise OrchestratorNotRegisteredError(f"A '{name}' orchestrator was not registered.")
        version = self.versions[name].get(wanted)
        if version is None:
            raise VersionNotRegisteredException(
                f"version '{wanted}' of workflow '{name}' is not registered"
            )
        return version

    def find_activity(self, name: str) -> Activity:
        """Return an activity. Raises ActivityNotRegisteredError if there is none of that name."""
        found = self.activities.get(name)
        if found is None:
            raise ActivityNotRegisteredError(
                f"Activity function named '{name}' was not registered!"
            )
        return found


def _filled(name: str, what: str) -> str:
    if not name:
        raise ValueError(f"A non-empty {what} name is required.")
    return name


def _named(function: F, name: str | None) -> F:
    if name is not None:
        cast("Any", function).__dict__[NAME_ATTRIBUTE] = name
    return function


def _us(duration: float | timedelta | None) -> int | None:
    if duration is None:
        return None
    seconds = duration.total_seconds() if isinstance(duration, timedelta) else duration
    if not 0 < seconds < math.inf:
        raise ValueError(f"a time-out has to be longer than nothing and end, not {duration!r}")
    return round(seconds * SECOND_US)
