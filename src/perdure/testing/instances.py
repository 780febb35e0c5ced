"""An instance as a test holds it: what it came to, and what can be asked of it."""

from collections.abc import Generator
from datetime import datetime, timedelta
from typing import Any, Generic, TypeAlias, TypeVar, cast

from perdure.authoring.payloads import text_of
from perdure.components.port import FailureView
from perdure.components.views import payloads_of, view_of
from perdure.core import requests as rq
from perdure.core.events import Event
from perdure.core.requests import Reason, Refusal
from perdure.core.status import TERMINAL, Status
from perdure.hosting.handles import outcome_of
from perdure.hosting.instances import Instance, instance_of
from perdure.hosting.refusals import WorkflowEnded, granted
from perdure.hosting.settings import microseconds
from perdure.proving.calls import Request
from perdure.testing.world import World
from perdure.wire.events import decode_stored

Out = TypeVar("Out")
# What a payload's JSON is read as.
Value: TypeAlias = Any


class WorkflowWaits(AssertionError):
    """A workflow goes on no further by itself; what it waits for is told."""

    __module__ = "perdure.testing"


class VirtualInstance(Generic[Out]):
    """An instance of a workflow. What it tells is of the moment at which it is asked.

    What it asks for raises InstanceNotFound, InstanceFinished or another `perdure.Refused` if the
    engine will not do it.
    """

    def __init__(self, world: World, id: str, workflow: object = None) -> None:  # noqa: A002 - the word of those who call
        """Stand for the instance of an id, of a workflow given by its function or not."""
        self.id = id
        self._world = world
        self._workflow = workflow

    def __repr__(self) -> str:
        """Return it in a few words."""
        found = self._find(payloads=False)
        if found is None:
            return f"<no workflow '{self.id}'>"
        return f"<workflow {found.workflow} '{self.id}' {found.status.name}>"

    # ---- what it is

    def get(self) -> Instance:
        """Return all that is known of it. Raises InstanceNotFound if there is none."""
        return self._read(payloads=True)

    @property
    def exists(self) -> bool:
        """Whether there is such an instance: it may never have been, or have been purged."""
        return self._world.store.snapshot(self.id) is not None

    @property
    def workflow(self) -> str:
        """The name of its workflow."""
        return self._read().workflow

    @property
    def status(self) -> Status:
        """Its status."""
        return self._read().status

    @property
    def finished(self) -> bool:
        """Whether it has ended, in whichever way."""
        return self._read().finished

    @property
    def input(self) -> Value:
        """What it was started with."""
        return self.get().input

    @property
    def output(self) -> Value:
        """What it returned, or was terminated with; None before that."""
        return self.get().output

    @property
    def failure(self) -> FailureView | None:
        """Why it failed; None if it did not."""
        return self.get().failure

    @property
    def custom_status(self) -> Value:
        """What it has told of itself."""
        return self._read().custom_status

    @property
    def waits_for(self) -> str:
        """What has to come before it goes on: an activity, a timer, an event."""
        return self._read().waits_for

    @property
    def next_wake_at(self) -> datetime | None:
        """When its next timer fires, in whole milliseconds as `now` is; None if it has none."""
        at = self._read().next_wake_at
        return None if at is None else at.replace(microsecond=at.microsecond // 1_000 * 1_000)

    @property
    def stalled_because(self) -> str | None:
        """Why the code cannot go on with it, in words; None if it can."""
        found = self._read()
        if found.status is not Status.STALLED:
            return None
        return self._world.stalls.get(self.id, found.waits_for)

    @property
    def history(self) -> tuple[Event, ...]:
        """The events of its present generation, in order."""
        loaded = self._world.store.load(self.id)
        rows = () if loaded is None else loaded.history
        return tuple(decode_stored(row.event) for row in rows)

    # ---- what is asked of it

    def raise_event(self, name: str, data: object = None) -> None:
        """Give it an event."""
        self._ask(rq.RaiseEvent(instance_id=self.id, name=name, input=text_of(data)))

    def terminate(self, output: object = None, *, recursive: bool = True) -> None:
        """End it, and its children."""
        text = text_of(output)
        self._ask(rq.Terminate(instance_id=self.id, output=text, recursive=recursive))

    def suspend(self, reason: str | None = None) -> None:
        """Let it take no new work."""
        self._ask(rq.Suspend(instance_id=self.id, reason=reason))

    def resume(self, reason: str | None = None) -> None:
        """Let it go on."""
        self._ask(rq.Resume(instance_id=self.id, reason=reason))

    def purge(self, *, recursive: bool = True) -> None:
        """Delete it."""
        self._ask(rq.Purge(instance_id=self.id, recursive=recursive))

    # ---- what is waited for

    def run_until(self, status: Status | str, *, within: timedelta | None = None) -> None:
        """Run until it has a status; raises WorkflowWaits if it does not come to that."""
        __tracebackhide__ = True
        wanted = Status[status] if isinstance(status, str) else status
        self._run_until(frozenset({wanted}), within)
        if self.status is not wanted:
            raise WorkflowWaits(f"{self._state()}, and never was {wanted.name}")

    def result(self, *, within: timedelta | None = None) -> Out:
        """Run until it has completed, timers and all, and return what it returned.

        Raises WorkflowFailed or WorkflowTerminated as `perdure.Engine` does, and WorkflowWaits if
        it does not end, within a time or at all.
        """
        __tracebackhide__ = True
        self._run_until(TERMINAL | {Status.STALLED}, within)
        found = self.get()
        if not found.finished:
            raise WorkflowWaits(self._state())
        try:
            return cast("Out", outcome_of(found, self._workflow))
        except WorkflowEnded as error:
            if found.failure is not None and found.failure.stack_trace:
                error.add_note(found.failure.stack_trace)
            raise

    def __await__(self) -> Generator[None, None, Out]:
        """Return what `result` returns, where a test is a coroutine."""
        __tracebackhide__ = True
        yield from ()
        return self.result()

    # ---- how

    def _run_until(self, wanted: frozenset[Status], within: timedelta | None) -> None:
        __tracebackhide__ = True

        def over() -> bool:
            snapshot = self._world.store.snapshot(self.id)
            return snapshot is not None and Status(snapshot.status) in wanted

        if within is None:
            self._world.run_until_idle(over)
        else:
            self._world.run_until_idle(over, microseconds(within, "within"))

    def _find(self, *, payloads: bool) -> Instance | None:
        store = self._world.store
        snapshot = store.snapshot(self.id)
        if snapshot is None:
            return None
        found = payloads_of(*store.payload_events(snapshot.key)) if payloads else None
        return instance_of(view_of(snapshot, found))

    def _read(self, *, payloads: bool = False) -> Instance:
        found = self._find(payloads=payloads)
        text = f"there is no workflow with the id '{self.id}'"
        return granted(Refusal(Reason.NOT_FOUND, text) if found is None else found)

    def _ask(self, request: Request) -> None:
        granted(self._world.ask(request))

    def _state(self) -> str:
        """Return where it is, for people."""
        found = self._read()
        who = f"workflow '{self.id}' ({found.workflow})"
        because = self.stalled_because
        if because is not None:
            return f"it stalls: {because}"
        return f"{who} is {found.status.name} and waits for: {found.waits_for}"


AnyInstance: TypeAlias = VirtualInstance[Any]
