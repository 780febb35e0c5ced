"""An engine in a thread of its own, for those who are not on a loop; one for each store.

Theory of operation. Whoever asks for the engine of a store gets the one that is open, with a share
in it, and it is closed when the last share is given back or the interpreter ends. Its thread has a
loop, and every call is a coroutine that is run there while the caller waits. While a store is
opened or closed it is *busy*: who wants that one waits until it is not, and nobody else does.
"""

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Final, TypeVar, Unpack

from perdure.app.places import named, shown
from perdure.authoring.context import WorkflowContext
from perdure.authoring.registry import Registry
from perdure.base.errors import ConfigurationError, ShuttingDown
from perdure.hosting.engine import Engine
from perdure.hosting.forks import Birthplace, left_to_parent
from perdure.hosting.loops import new_loop
from perdure.hosting.settings import Bounds, Settings, settings_of
from perdure.hosting.staff import Member

T = TypeVar("T")


class Hosted:
    """An open engine in its thread. Its calls may come from any other thread."""

    def __init__(self, engine: Engine) -> None:
        """Open the engine; raises what `Engine.open` raises."""
        self.engine = engine
        self.shares = 0
        self.birthplace = Birthplace(shown(engine.settings.store))
        self._ready = threading.Event()
        self._failed: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._serve, name="perdure-engine", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._failed is not None:
            self._thread.join()
            raise self._failed

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something on the engine's loop, and return what comes of it."""
        if self.is_here():
            work.close()
            raise RuntimeError(
                "a blocking call on the engine's own loop would wait for itself: call it from an "
                "activity that is not async"
            )
        future = self.submit(work)
        try:
            return future.result()
        except BaseException:
            future.cancel()  # whoever asked does not wait any more
            raise

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Run something on the engine's loop, for those who wait for it in their own way."""
        assert self._loop is not None, "it is open"
        try:
            self.birthplace.check()
        except RuntimeError:
            work.close()
            raise
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError:  # the loop is closed
            work.close()
            raise ShuttingDown(
                "the engine is closed: open it again, and ask it for a handle by the id"
            ) from None

    def is_here(self) -> bool:
        """Tell whether the caller is on the engine's own loop, which must not be blocked."""
        return threading.current_thread() is self._thread

    def attach(
        self,
        registry: Registry,
        context_type: type[WorkflowContext] = WorkflowContext,
        bounds: Bounds = Bounds(),  # noqa: B008 - it is frozen
    ) -> Member:
        """Have the work of a registry done by this engine, within its bounds."""
        return self.run(_now(lambda: self.engine.attach(registry, context_type, bounds)))

    def detach(self, member: Member) -> None:
        """Have it done no more, once what runs has come to its end."""
        self.run(self.engine.release(member))

    def close(self) -> None:
        """Close the engine as `Engine.close` does, and end its thread; nothing in a fork."""
        if not self.birthplace.is_here:
            left_to_parent(self)
            return
        assert self._loop is not None, "it is open"
        assert self._stop is not None, "it is open"
        with suppress(RuntimeError):  # the loop is closed already
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _serve(self) -> None:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(self._live())

    async def _live(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        try:
            await self.engine.open()
        except BaseException as error:  # noqa: BLE001 - raised where it was asked for
            self._failed = error
            return
        finally:
            self._ready.set()
        await self._stop.wait()
        await self.engine.close()


async def _now(make: Callable[[], T]) -> T:
    return make()


# ---- one for each store

# Of what follows, never held for longer than it takes to look at it.
_changed: Final = threading.Condition()
_open: Final[dict[str, Hosted]] = {}
_busy: Final[set[str]] = set()  # places that are being opened or closed


def hosted(store: str | os.PathLike[str], **settings: Unpack[Settings]) -> Hosted:
    """Return the engine of a store with a share in it, opened if nobody in this process has.

    Raises what `Engine.open` raises, and ConfigurationError if it is open with other settings than
    those given.
    """
    place = named(store)
    with _changed:
        while place in _busy:
            _changed.wait()
        found = _open.get(place)
        if found is not None:
            if settings:
                _check_same(found, place, settings)
            found.shares += 1
            return found
        _busy.add(place)
    try:
        opened = Hosted(Engine(place, **settings))
        opened.shares = 1
        with _changed:
            _open[place] = opened
    finally:
        _is_over(place)
    return opened


def give_back(share: Hosted) -> None:
    """Give a share back; with the last one the engine is closed."""
    with _changed:
        share.shares -= 1
        assert share.shares >= 0, "a share is given back once"
        if share.shares:
            return
        place = next((place for place, each in _open.items() if each is share), None)
        if place is not None:
            del _open[place]
            _busy.add(place)
    try:
        share.close()
    finally:
        if place is not None:
            _is_over(place)


def _is_over(place: str) -> None:
    with _changed:
        _busy.discard(place)
        _changed.notify_all()


def _check_same(found: Hosted, place: str, settings: Settings) -> None:
    wanted = settings_of(place, **settings)
    present = found.engine.settings
    for name in settings:
        field = {"stop_timeout": "stop_timeout_us", "retention": "retention_us"}.get(name, name)
        if getattr(wanted, field) != getattr(present, field):
            raise ConfigurationError(
                f"{shown(place)} is open in this process with another {name}: give it where the "
                "engine is opened first"
            )


def _close_all() -> None:
    """At the end of the interpreter: what others are opening or closing is waited for, too."""
    while (share := _next_to_close()) is not None:
        share.close()


def _next_to_close() -> Hosted | None:
    with _changed:
        while _busy and not _open:
            _changed.wait()
        return _open.popitem()[1] if _open else None


def _forget_all() -> None:
    """In a forked process the engine's thread is not there, and its file is the parent's."""
    # Whoever held the lock when the process was forked is not there to let go of it.
    _changed._at_fork_reinit()  # type: ignore[attr-defined]  # noqa: SLF001 - it is there for this
    left_to_parent(*_open.values())
    _open.clear()
    _busy.clear()


# `atexit` comes after the pools of threads are closed, which an engine needs in order to close.
threading._register_atexit(_close_all)  # type: ignore[attr-defined]  # noqa: SLF001 - see above
os.register_at_fork(after_in_child=_forget_all)
