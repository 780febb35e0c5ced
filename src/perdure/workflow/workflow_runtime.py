"""The runtime: what registers workflows and activities, and has their work done."""

import threading
from collections.abc import Callable, Sequence
from typing import Final, TypeVar, Unpack, overload

from perdure.authoring.payloads import Typing
from perdure.authoring.registry import NAME_ATTRIBUTE, Options, Registry
from perdure.authoring.replay import RUNS_KEPT_MAX
from perdure.hosting.shapes import AnyFunction
from perdure.hosting.signals import ExitSignal
from perdure.workflow.logger import Logger, LoggerOptions
from perdure.workflow.opening import place_with, seat_at, without_effect
from perdure.workflow.seats import Bounds, Employed, Seat, message_bytes_max

F = TypeVar("F", bound=AnyFunction)

_READY_TIMEOUT_S: Final = 30.0
_LOOK_EVERY_S: Final = 0.05
_REGISTERED: Final = "_{}_registered"


class WorkflowRuntime:
    """Registers workflows and activities, and does their work between `start` and `shutdown`.

    What its arguments mean:

    - So many activities run at once as `maximum_concurrent_activity_work_items` says, and so
      many turns of workflows are decided and handed in at once as
      `maximum_concurrent_orchestration_work_items` says; in a process it is one at a time.
    - `maximum_thread_pool_workers` bounds the threads for activities that are not async.
    - Of `interceptors` the metadata is sent that they add to a call.
    - At a server an activity, or a workflow, fails whose answer is larger than
      `max_grpc_message_length`, or else than DAPR_GRPC_MAX_INBOUND_MESSAGE_SIZE_BYTES.
    - Code is kept between turns rather than histories, of `history_cache_max_instances`
      instances. With `disable_stateful_history` a server sends whole histories.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - these are the names that people know
        self,
        host: str | None = None,
        port: str | None = None,
        logger_options: LoggerOptions | None = None,
        interceptors: Sequence[object] | None = None,
        maximum_concurrent_activity_work_items: int | None = None,
        maximum_concurrent_orchestration_work_items: int | None = None,
        maximum_thread_pool_workers: int | None = None,
        worker_ready_timeout: float | None = None,
        max_grpc_message_length: int | None = None,
        disable_stateful_history: bool = False,
        history_cache_ttl: float | None = None,
        history_cache_max_instances: int | None = None,
        history_cache_max_bytes: int | None = None,
    ) -> None:
        """Choose where to work; nothing is opened yet.

        `host` and `port` name a server. Without them the environment decides: `PERDURE_STORE` is a
        file of this process, `DAPR_GRPC_ENDPOINT` a server; without either it is `perdure.db`.

        What has no effect where it works is told in the log. Raises ConfigurationError for an
        address or a size that means nothing, ValueError for a maximum below 1.
        """
        self._logger = Logger("WorkflowRuntime", logger_options)
        self._ready_timeout_s = (
            _READY_TIMEOUT_S if worker_ready_timeout is None else worker_ready_timeout
        )
        self._place = place_with(interceptors or (), host, port)
        self._stateful = not disable_stateful_history
        self._message_bytes_max = message_bytes_max(max_grpc_message_length)
        self._bounds = Bounds(
            threads=maximum_thread_pool_workers,
            activities=maximum_concurrent_activity_work_items,
            turns=maximum_concurrent_orchestration_work_items,
            runs_kept=history_cache_max_instances or RUNS_KEPT_MAX,
        )
        for sentence in without_effect(
            self._place,
            max_grpc_message_length=max_grpc_message_length,
            disable_stateful_history=disable_stateful_history,
            history_cache_ttl=history_cache_ttl,
            history_cache_max_bytes=history_cache_max_bytes,
        ):
            self._logger.warning(sentence)
        self.registry = Registry()
        self._seat: Seat | None = None
        self._employed: Employed | None = None
        self._signal = ExitSignal()

    # ---- what it runs

    def register_workflow(self, fn: AnyFunction, *, name: str | None = None) -> None:
        """Register a workflow: a generator function, an async one, or a plain one.

        Raises ValueError if the function or the name is registered already.
        """
        self._logger.info("Registering workflow '%s' with runtime", name or fn.__name__)
        self.registry.add_workflow(fn, name=_claimed(fn, name, "Workflow"), typing=Typing.DAPR)
        _mark(fn, "workflow")

    def register_versioned_workflow(
        self,
        fn: AnyFunction,
        *,
        name: str,
        version_name: str | None = None,
        is_latest: bool,
    ) -> None:
        """Register a version of a workflow, named as the function if not otherwise.

        New instances run the latest. Raises ValueError as `register_workflow` does.
        """
        version = fn.__name__ if version_name is None else version_name
        self._logger.info("Registering version %s of workflow '%s' with runtime", version, name)
        _claimed(fn, name, "Workflow")
        self.registry.add_workflow(
            fn, name=name, version_name=version, is_latest=is_latest, typing=Typing.DAPR
        )
        _mark(fn, "workflow")

    def register_activity(
        self, fn: AnyFunction, *, name: str | None = None, **options: Unpack[Options]
    ) -> None:
        """Register an activity. An async one runs on the loop, another one in a thread.

        `options` are those of `perdure.authoring.registry.Options`, which Dapr's SDK does not
        have. Raises ValueError if the function or the name is registered already.
        """
        self._logger.info("Registering activity '%s' with runtime", name or fn.__name__)
        self.registry.add_activity(
            fn,
            name=_claimed(fn, name, "Activity"),
            typing=Typing.DAPR,
            **options,
        )
        _mark(fn, "activity")

    @overload
    def workflow(self, fn: F, /, *, name: str | None = None) -> F: ...
    @overload
    def workflow(self, fn: None = None, /, *, name: str | None = None) -> Callable[[F], F]: ...
    def workflow(self, fn: AnyFunction | None = None, /, *, name: str | None = None) -> AnyFunction:
        """Register the function below as a workflow, under its own name or another one."""

        def register(below: F) -> F:
            self.register_workflow(below, name=name)
            return below

        return register if fn is None else register(fn)

    @overload
    def versioned_workflow(
        self, fn: F, /, *, name: str, version_name: str | None = None, is_latest: bool
    ) -> F: ...
    @overload
    def versioned_workflow(
        self,
        fn: None = None,
        /,
        *,
        name: str,
        version_name: str | None = None,
        is_latest: bool,
    ) -> Callable[[F], F]: ...
    def versioned_workflow(
        self,
        fn: AnyFunction | None = None,
        /,
        *,
        name: str,
        version_name: str | None = None,
        is_latest: bool,
    ) -> AnyFunction:
        """Register the function below as a version of a workflow."""

        def register(below: F) -> F:
            self.register_versioned_workflow(
                below, name=name, version_name=version_name, is_latest=is_latest
            )
            return below

        return register if fn is None else register(fn)

    @overload
    def activity(self, fn: F, /, *, name: str | None = None) -> F: ...
    @overload
    def activity(
        self, fn: None = None, /, *, name: str | None = None, **options: Unpack[Options]
    ) -> Callable[[F], F]: ...
    def activity(
        self,
        fn: AnyFunction | None = None,
        /,
        *,
        name: str | None = None,
        **options: Unpack[Options],
    ) -> AnyFunction:
        """Register the function below as an activity, under its own name or another one."""

        def register(below: F) -> F:
            self.register_activity(below, name=name, **options)
            return below

        return register if fn is None else register(fn)

    # ---- its life

    def start(self) -> None:
        """Begin to work, in threads of its own; return once work can come in.

        Until `shutdown` SIGTERM ends the program as `sys.exit` does, unless somebody has arranged
        for it: activities that run have ten seconds to come to their end, as with `shutdown`.

        Raises StoreLocked if another process has the file, RuntimeError if the server does not
        answer in time.
        """
        if self._employed is not None:
            raise RuntimeError("the runtime is running already")
        if self._seat is None:
            self._seat = seat_at(self._place, self._message_bytes_max)
        self._employed = self._seat.employ(self.registry, self._bounds, stateful=self._stateful)
        self._signal.listen()
        if not self.wait_for_worker_ready(self._ready_timeout_s):
            self.shutdown()
            raise RuntimeError("WorkflowRuntime worker and its stream are not ready")

    def wait_for_worker_ready(self, timeout: float = _READY_TIMEOUT_S) -> bool:
        """Return whether work can come in, once it can or the time (in seconds) is up."""
        looks = max(1, round(timeout / _LOOK_EVERY_S))
        pause = threading.Event()
        for _ in range(looks):
            if self._employed is not None and self._employed.is_ready():
                return True
            pause.wait(_LOOK_EVERY_S)
        self._logger.warning("the worker is not ready after %s seconds", timeout)
        return False

    def shutdown(self) -> None:
        """Work no more: what runs has a moment to come to its end. May be called again."""
        self._signal.leave()
        employed, self._employed = self._employed, None
        seat, self._seat = self._seat, None
        try:
            if employed is not None:
                employed.leave()
        finally:
            if seat is not None:
                seat.give_back()


def alternate_name(name: str | None = None) -> Callable[[F], F]:
    """Have the function below registered and called by another name.

    Raises ValueError if it has one already.
    """

    def give(fn: F) -> F:
        if hasattr(fn, NAME_ATTRIBUTE):
            carried = getattr(fn, NAME_ATTRIBUTE)
            raise ValueError(f"Function {fn.__name__} already has an alternate name {carried}")
        setattr(fn, NAME_ATTRIBUTE, name or fn.__name__)
        return fn

    return give


def _claimed(fn: AnyFunction, name: str | None, what: str) -> str:
    """Return the name that a function is registered under, and have it carry the name."""
    carried = getattr(fn, NAME_ATTRIBUTE, None)
    if hasattr(fn, _REGISTERED.format(what.lower())):
        raise ValueError(f"{what} {fn.__name__} already registered as {carried}")
    if carried is not None and name is not None:
        raise ValueError(f"{what} {fn.__name__} already has an alternate name {carried}")
    chosen: str = carried or name or fn.__name__
    setattr(fn, NAME_ATTRIBUTE, chosen)
    return chosen


def _mark(fn: AnyFunction, what: str) -> None:
    setattr(fn, _REGISTERED.format(what), True)
