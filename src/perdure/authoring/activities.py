"""Activities: the functions that do the work, what is wanted of their runs, and their context."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from perdure.authoring.payloads import Signature, Typing, given, text_of
from perdure.authoring.propagation import PropagatedHistory

_WRAPPINGS_MAX: Final = 100


class ActivityContext:
    """What an activity is told of its run."""

    __slots__ = ("_beat", "_cancelled", "_execution_id", "_propagated", "_task_id", "_workflow_id")

    def __init__(
        self,
        workflow_id: str,
        task_id: int,
        execution_id: str = "",
        propagated: PropagatedHistory | None = None,
    ) -> None:
        """Keep what is told."""
        self._workflow_id = workflow_id
        self._task_id = task_id
        self._execution_id = execution_id
        self._propagated = propagated
        self._beat: Callable[[object], None] | None = None
        self._cancelled: Callable[[], bool] | None = None

    def wire(self, beat: Callable[[object], None], cancelled: Callable[[], bool]) -> None:
        """Have heartbeats, and the question whether to stop, go to who runs the activity."""
        self._beat = beat
        self._cancelled = cancelled

    @property
    def workflow_id(self) -> str:
        """The id of the workflow instance that called the activity."""
        return self._workflow_id

    @property
    def orchestration_id(self) -> str:
        """The same, in Microsoft's words."""
        return self._workflow_id

    @property
    def task_id(self) -> int:
        """The number of the call within its workflow."""
        return self._task_id

    @property
    def task_execution_id(self) -> str:
        """The id of the call, the same when it is tried again."""
        return self._execution_id

    @property
    def idempotency_key(self) -> str:
        """A key for services that do a thing once for each key.

        It is the same whenever this call runs, also when it is tried again, and is given to no
        other call.
        """
        return self._execution_id or f"{self._workflow_id}:{self._task_id}"

    @property
    def is_cancelled(self) -> bool:
        """Whether the result is not wanted any more: it timed out, or the process is stopping."""
        return self._cancelled is not None and self._cancelled()

    def heartbeat(self, details: object = None) -> None:
        """Tell that the activity is alive.

        One with a heartbeat time-out that does not tell so in time is taken for dead.
        """
        if self._beat is not None:
            self._beat(details)

    def get_inner_context(self) -> "ActivityContext":
        """Return the context itself, which other packages keep behind another one."""
        return self

    def get_propagated_history(self) -> PropagatedHistory | None:
        """Return the history that the caller lets the activity see, or None."""
        return self._propagated

    def __getstate__(self) -> tuple[str, int, str, PropagatedHistory | None]:
        """Go to another process without what belongs to this one."""
        return (self._workflow_id, self._task_id, self._execution_id, self._propagated)

    def __setstate__(self, told: tuple[str, int, str, PropagatedHistory | None]) -> None:
        """Come from another process."""
        self._workflow_id, self._task_id, self._execution_id, self._propagated = told
        self._beat = self._cancelled = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """A registered activity. A limit or time-out of None is none."""

    name: str
    function: Callable[..., Any]
    signature: Signature
    typing: Typing = Typing.DAPR
    process: bool = False
    timeout_us: int | None = None
    heartbeat_timeout_us: int | None = None
    non_retryable: tuple[type[BaseException], ...] = ()
    concurrency_max: int | None = None

    @property
    def is_async(self) -> bool:
        """Whether its function is a coroutine function, so that it runs on the loop."""
        return is_async(self.function)

    def arguments(self, context: ActivityContext, text: str | None) -> tuple[Any, ...]:
        """Return what the function is called with.

        Raises TypeError or ValueError if the input cannot be made into what the function takes,
        and whatever a class of the author's raises when it is made.
        """
        return (context, *given(text, self.signature, self.typing))

    def result_text(self, result: object) -> str | None:
        """Return the function's result as it is recorded.

        Raises what `to_json` raises, and RuntimeError for a coroutine that nobody has awaited.
        """
        if inspect.iscoroutine(result):
            result.close()
            raise RuntimeError(
                f"Activity '{self.name}' returned a coroutine on the sync path. Declare it with "
                "``async def``, or if it already is, ensure any decorator wrapping it uses "
                "``@functools.wraps(fn)`` so the runtime can detect the underlying async function."
            )
        return text_of(result)


def is_async(function: Callable[..., object]) -> bool:
    """Tell whether a callable is a coroutine function, also behind partials and decorators."""
    inner: object = function
    for _ in range(_WRAPPINGS_MAX):
        if isinstance(inner, functools.partial):
            inner = inner.func
        elif hasattr(inner, "__wrapped__"):
            inner = inner.__wrapped__
        else:
            break
    if inspect.iscoroutinefunction(inner):
        return True
    return not inspect.isfunction(inner) and inspect.iscoroutinefunction(
        getattr(inner, "__call__", None)  # noqa: B004 - not whether it can be called, but how
    )
