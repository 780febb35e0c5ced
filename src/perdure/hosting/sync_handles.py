"""One instance as a program that is not async holds it."""

from collections.abc import Coroutine, Sequence
from typing import Any, Generic, NoReturn, Protocol, TypeVar

from perdure.core.events import Event
from perdure.hosting.handles import Handle, not_to_be_taken_along
from perdure.hosting.instances import Instance
from perdure.hosting.settings import Duration

Out = TypeVar("Out")
T = TypeVar("T")


class Runs(Protocol):
    """Who runs what is awaited."""

    def run(self, work: Coroutine[Any, Any, T]) -> T: ...


class SyncHandle(Generic[Out]):
    """An instance by its id; `perdure.hosting.handles.Handle` says what each call promises."""

    __slots__ = ("_handle", "_runs", "id")

    def __init__(self, runs: Runs, handle: Handle[Out]) -> None:
        """Ask as `handle` does, and wait for the answers."""
        self._runs = runs
        self._handle = handle
        self.id = handle.id

    def __reduce__(self) -> NoReturn:
        """Refuse to be taken to another process, where its engine is not."""
        raise not_to_be_taken_along(self.id)

    def __repr__(self) -> str:
        """Return it as people see it in a shell."""
        return f"SyncHandle({self.id!r})"

    def result(self, timeout: Duration | None = None) -> Out:
        """Return what the workflow has returned, once it has."""
        return self._runs.run(self._handle.result(timeout))

    def wait(self, timeout: Duration | None = None) -> Instance:
        """Return the instance once it has ended, in whichever way."""
        return self._runs.run(self._handle.wait(timeout))

    def wait_for_start(self, timeout: Duration | None = None) -> Instance:
        """Return the instance once it has begun to run."""
        return self._runs.run(self._handle.wait_for_start(timeout))

    def get(self) -> Instance | None:
        """Return what is known of it just now, or None if it is gone."""
        return self._runs.run(self._handle.get())

    def history(self) -> Sequence[Event]:
        """Return what has happened to it."""
        return self._runs.run(self._handle.history())

    def raise_event(self, name: str, data: object = None) -> None:
        """Give it an event; it is on disk when this returns."""
        self._runs.run(self._handle.raise_event(name, data))

    def terminate(self, output: object = None, *, recursive: bool = True) -> None:
        """End it now, with `output` as its result."""
        self._runs.run(self._handle.terminate(output, recursive=recursive))

    def suspend(self, reason: str | None = None) -> None:
        """Let it take no new work."""
        self._runs.run(self._handle.suspend(reason))

    def resume(self, reason: str | None = None) -> None:
        """Let it go on."""
        self._runs.run(self._handle.resume(reason))

    def purge(self, *, recursive: bool = True, force: bool = False) -> int:
        """Delete everything about it; how many instances were deleted."""
        return self._runs.run(self._handle.purge(recursive=recursive, force=force))
