"""The decorators by which workflows and activities are registered with an engine."""

from collections.abc import Callable
from typing import TypeVar, Unpack, overload

from perdure.authoring.registry import Options, Registry
from perdure.hosting.shapes import AnyFunction

F = TypeVar("F", bound=AnyFunction)


class Registering:
    """An engine as its decorators see it: something that has a registry."""

    registry: Registry

    @overload
    def workflow(self, function: F, /) -> F: ...
    @overload
    def workflow(
        self,
        /,
        *,
        name: str | None = None,
        version_name: str | None = None,
        is_latest: bool = True,
    ) -> Callable[[F], F]: ...
    def workflow(
        self,
        function: AnyFunction | None = None,
        /,
        *,
        name: str | None = None,
        version_name: str | None = None,
        is_latest: bool = True,
    ) -> AnyFunction:
        """Register the function below as a workflow, or as a named version of one."""
        register = self.registry.workflow(name=name, version_name=version_name, is_latest=is_latest)
        return register if function is None else register(function)

    @overload
    def activity(self, function: F, /) -> F: ...
    @overload
    def activity(
        self, /, *, name: str | None = None, **options: Unpack[Options]
    ) -> Callable[[F], F]: ...
    def activity(
        self,
        function: AnyFunction | None = None,
        /,
        *,
        name: str | None = None,
        **options: Unpack[Options],
    ) -> AnyFunction:
        """Register the function below as an activity.

        An async one runs on the loop, another in a thread, and with `process=True` in a process
        of its own. `timeout` and `heartbeat_timeout` are seconds, `non_retryable` the exceptions
        after which no policy tries again, `concurrency_max` how many run at once here.
        """
        register = self.registry.activity(name=name, **options)
        return register if function is None else register(function)
