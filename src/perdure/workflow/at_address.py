"""A seat at a server: an asynchronous client and worker over the transport of our own."""

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Final, TypeVar

from perdure.authoring.registry import Registry
from perdure.authoring.replay import Replayer
from perdure.base.errors import ShuttingDown
from perdure.base.limits import STOP_TIMEOUT_US
from perdure.base.time import SECOND_US
from perdure.hosting.loops import new_loop
from perdure.hosting.settings import THREADS
from perdure.transport.client.call import CallFailed
from perdure.transport.client.channel import Channel
from perdure.wire.fields import failure_of
from perdure.worker.activities import ActivityRunner
from perdure.worker.gates import Gate
from perdure.worker.remote import SERVICE, Remote
from perdure.worker.runner import Runner
from perdure.worker.turns import Turns
from perdure.workflow.faults import closed, rpc_error
from perdure.workflow.seats import AtAddress, Bounds, Employed, Seat

T = TypeVar("T")

_log = logging.getLogger("perdure.worker")

# For how long activities that run may go on when they are asked to end.
_DRAIN_S: Final = STOP_TIMEOUT_US / SECOND_US


class _Thread:
    """One loop in a thread, for all seats of the process; it ends with the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def is_here(self) -> bool:
        return threading.current_thread() is self._thread

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(work, self._running())

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = loop = new_loop()
                self._thread = threading.Thread(
                    target=loop.run_forever, name="perdure-connections", daemon=True
                )
                self._thread.start()
            return self._loop

    def forget(self) -> None:
        """In a forked process the thread is not there, and the work is the parent's."""
        # Whoever held the lock when the process was forked is not there to let go of it.
        self._lock = threading.Lock()
        self._loop = self._thread = None
        _open.clear()


_thread: Final = _Thread()
os.register_at_fork(after_in_child=_thread.forget)


class RemoteSeat(Seat):
    """A connection to a server, opened when it is first used."""

    def __init__(self, place: AtAddress) -> None:
        """Connect when asked."""
        self._place = place
        self._channel: Channel | None = None
        self._process_id = 0  # whose channel it is
        self._closed = False

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        return _thread.submit(work)

    def is_here(self) -> bool:
        return _thread.is_here()

    async def call(self, method: str, message: bytes, timeout_s: float | None) -> bytes:
        if self._closed:
            raise closed()
        if self._channel is None or self._process_id != os.getpid():
            # A forked process has the descriptor of a connection that is its parent's.
            self._channel, self._process_id = channel_to(self._place), os.getpid()
        try:
            return await self._channel.unary(f"{SERVICE}/{method}", message, timeout_s=timeout_s)
        except CallFailed as error:
            raise rpc_error(error.code, error.text) from error

    def employ(self, registry: Registry, bounds: Bounds, *, stateful: bool) -> Employed:
        return _Employed(self._place, registry, bounds, (stateful, self.message_bytes_max))

    def give_back(self) -> None:
        self._closed = True
        channel, self._channel = self._channel, None
        if channel is not None and self._process_id == os.getpid():
            _thread.submit(channel.close()).result()


def channel_to(place: AtAddress) -> Channel:
    """Return a channel to a server."""
    endpoint = place.endpoint
    return Channel(
        endpoint.host, endpoint.port, tls=endpoint.tls_context(), metadata=place.metadata
    )


class _Employed(Employed):
    """A worker at a server."""

    def __init__(
        self,
        place: AtAddress,
        registry: Registry,
        bounds: Bounds,
        talk: tuple[bool, int | None],
    ) -> None:
        self._leave: Callable[[], Coroutine[Any, Any, None]] | None = None
        _thread.submit(self._begin(place, registry, bounds, *talk)).result()

    async def _begin(
        self,
        place: AtAddress,
        registry: Registry,
        bounds: Bounds,
        stateful: bool,
        answer_bytes_max: int | None,
    ) -> None:
        told = dict(place.metadata)
        remote = Remote(
            place.endpoint,
            app_id=told.get("dapr-app-id"),
            token=told.get("dapr-api-token"),
            stateful=stateful,
        )
        shared = None if bounds.activities is None else Gate(bounds.activities)
        activities = ActivityRunner(
            registry.activities.get,
            threads=bounds.threads or THREADS,
            processes=os.cpu_count() or 1,
            gate_of=lambda _: shared,
        )
        replayer = Replayer(registry, failure_of=failure_of, kept_max=bounds.runs_kept)
        runner = Runner(
            remote,
            Turns(replayer, answer_bytes_max=answer_bytes_max),
            activities,
            turns_max=bounds.turns,
            answer_bytes_max=answer_bytes_max,
        )
        self._remote = remote
        working = asyncio.create_task(runner.run())
        working.add_done_callback(_report)

        async def leave() -> None:
            runner.rest()
            with suppress(TimeoutError):
                async with asyncio.timeout(_DRAIN_S):
                    await runner.drained()
            activities.close()
            await remote.close()
            working.cancel()
            await asyncio.wait([working])

        self._leave = leave
        _open.add(self)

    def is_ready(self) -> bool:
        return self._remote.connected.is_set()

    def leave(self) -> None:
        _open.discard(self)
        leave, self._leave = self._leave, None
        if leave is not None:
            _thread.submit(leave()).result()


_open: Final[set[_Employed]] = set()


def _leave_all() -> None:
    """Let what runs come to its end when the interpreter ends."""
    for employed in tuple(_open):
        employed.leave()


# `atexit` comes after the pools of threads are closed, in which activities may be.
threading._register_atexit(_leave_all)  # type: ignore[attr-defined]  # noqa: SLF001 - see above


def _report(working: "asyncio.Task[None]") -> None:
    error = None if working.cancelled() else working.exception()
    if error is not None and not isinstance(error, ShuttingDown):
        _log.error("a worker has ended", exc_info=error)
