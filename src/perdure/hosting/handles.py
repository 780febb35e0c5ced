"""One instance as its starter holds it."""

from collections.abc import Sequence
from typing import Generic, NoReturn, Protocol, TypeVar, cast

from perdure.authoring.payloads import Typing, read, signature_of
from perdure.components.port import InstanceView
from perdure.core.events import Event
from perdure.core.status import Status
from perdure.hosting.instances import Instance, instance_of
from perdure.hosting.refusals import WorkflowEnded, WorkflowFailed, WorkflowTerminated
from perdure.hosting.settings import Duration

Out = TypeVar("Out")


class Asked(Protocol):
    """Who answers for an instance; `hosting.asking` says what is promised."""

    async def raise_event(self, id: str, name: str, data: object = None) -> None: ...
    async def terminate(
        self, id: str, output: object = None, *, recursive: bool = True
    ) -> None: ...
    async def suspend(self, id: str, reason: str | None = None) -> None: ...
    async def resume(self, id: str, reason: str | None = None) -> None: ...
    async def purge(self, id: str, *, recursive: bool = True, force: bool = False) -> int: ...
    async def get(self, id: str) -> Instance | None: ...
    async def wait(
        self, id: str, *, timeout: Duration | None = None, started: bool = False
    ) -> Instance: ...
    async def outcome(self, id: str, workflow: object, timeout: Duration | None) -> object: ...
    async def history(self, id: str) -> Sequence[Event]: ...


def not_to_be_taken_along(id: str) -> TypeError:
    """Return what is said to those who pickle or copy the handle of an instance."""
    return TypeError(
        f"a handle belongs to its engine, and cannot be pickled or copied: hand over the id, {id!r}"
        ", and ask there for `engine.handle(id)`"
    )


class Handle(Generic[Out]):
    """An instance by its id; its result has the type that the workflow returns."""

    __slots__ = ("_asked", "_workflow", "id")

    def __init__(self, asked: Asked, id: str, workflow: object) -> None:
        """Ask `asked`; `workflow` is the function that tells what the result is, if it is known."""
        self._asked = asked
        self._workflow = workflow
        self.id = id

    def __reduce__(self) -> NoReturn:
        """Refuse to be taken to another process, where its engine is not."""
        raise not_to_be_taken_along(self.id)

    def __repr__(self) -> str:
        """Return it as people see it in a shell."""
        return f"Handle({self.id!r})"

    async def result(self, timeout: Duration | None = None) -> Out:
        """Return what the workflow has returned, once it has.

        Raises WorkflowFailed or WorkflowTerminated if it ended in another way, TimeoutError if it
        has not ended within `timeout` seconds; it goes on then.
        """
        result = await self._asked.outcome(self.id, self._workflow, timeout)
        return cast("Out", result)

    async def wait(self, timeout: Duration | None = None) -> Instance:
        """Return the instance once it has ended, in whichever way."""
        return await self._asked.wait(self.id, timeout=timeout)

    async def wait_for_start(self, timeout: Duration | None = None) -> Instance:
        """Return the instance once it has begun to run."""
        return await self._asked.wait(self.id, timeout=timeout, started=True)

    async def get(self) -> Instance | None:
        """Return what is known of it just now, or None if it is gone."""
        return await self._asked.get(self.id)

    async def history(self) -> Sequence[Event]:
        """Return what has happened to it."""
        return await self._asked.history(self.id)

    async def raise_event(self, name: str, data: object = None) -> None:
        """Give it an event; it is on disk when this returns."""
        await self._asked.raise_event(self.id, name, data)

    async def terminate(self, output: object = None, *, recursive: bool = True) -> None:
        """End it now, with `output` as its result."""
        await self._asked.terminate(self.id, output, recursive=recursive)

    async def suspend(self, reason: str | None = None) -> None:
        """Let it take no new work."""
        await self._asked.suspend(self.id, reason)

    async def resume(self, reason: str | None = None) -> None:
        """Let it go on."""
        await self._asked.resume(self.id, reason)

    async def purge(self, *, recursive: bool = True, force: bool = False) -> int:
        """Delete everything about it; how many instances were deleted."""
        return await self._asked.purge(self.id, recursive=recursive, force=force)


def outcome_in(view: InstanceView, workflow: object) -> object:
    """Return the result of an instance that has ended; raises a WorkflowEnded if it has none."""
    if view.status is Status.COMPLETED:
        return _result(view.output, workflow)
    return outcome_of(instance_of(view), workflow)


def outcome_of(instance: Instance, workflow: object) -> object:
    """Return the result of an instance that has ended; raises a WorkflowEnded if it has none."""
    match instance.status:
        case Status.COMPLETED:
            return _result(instance.output_text, workflow)
        case Status.FAILED:
            failure = instance.failure
            told = "" if failure is None else f": {failure.error_type}: {failure.message}"
            raise WorkflowFailed(instance, f"workflow {instance.id!r} has failed{told}")
        case Status.TERMINATED:
            raise WorkflowTerminated(instance, f"workflow {instance.id!r} was terminated")
        case _:
            raise WorkflowEnded(instance, f"workflow {instance.id!r} is {instance.status.name}")


def _result(text: str | None, workflow: object) -> object:
    wanted = signature_of(workflow).output_type if callable(workflow) else None
    return read(text, wanted, Typing.FULL)
