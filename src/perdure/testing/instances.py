"""An instance as a test sees it: what it came to, and what can be asked of it."""

from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from perdure.authoring.failures import FailureDetails
from perdure.authoring.payloads import from_json, text_of
from perdure.base.time import SECOND_US
from perdure.components.port import InstanceView
from perdure.components.views import payloads_of, view_of
from perdure.core import requests as rq
from perdure.core.events import Event
from perdure.core.requests import Refusal
from perdure.core.status import TERMINAL, Status
from perdure.proving.calls import Reply
from perdure.testing.world import World
from perdure.wire.events import decode_stored

# What a payload's JSON is read as.
Value: TypeAlias = Any


class WorkflowFailed(AssertionError):
    """A workflow did not complete; what it came to instead is told."""


class WorkflowWaits(AssertionError):
    """A workflow goes on no further by itself; what it waits for is told."""


class Refused(AssertionError):
    """The engine refused what the test asked for; the reason is told."""


class Instance:
    """One instance of a workflow. What it tells is of the moment at which it is asked."""

    def __init__(self, world: World, instance_id: str) -> None:
        """Stand for the instance of an id."""
        self._world = world
        self.id = instance_id

    def __repr__(self) -> str:
        """Return it in a few words."""
        return f"<{self.name} '{self.id}' {self.status.name}>"

    # ---- what it is

    @property
    def name(self) -> str:
        """The name of its workflow."""
        return self._view().name

    @property
    def status(self) -> Status:
        """Its status; `is_finished` tells whether it is a last one."""
        return self._view(payloads=False).status

    @property
    def is_finished(self) -> bool:
        """Whether it has ended, in whichever way."""
        return self.status in TERMINAL

    @property
    def input(self) -> Value:
        """What it was started with."""
        return _value(self._view().input)

    @property
    def output(self) -> Value:
        """What it returned, or was terminated with; None before that."""
        return _value(self._view().output)

    @property
    def failure(self) -> FailureDetails | None:
        """Why it failed; None if it did not."""
        failure = self._view().failure
        if failure is None:
            return None
        return FailureDetails(failure.message, failure.error_type, failure.stack_trace)

    @property
    def custom_status(self) -> Value:
        """What it has told of itself."""
        text = self._view(payloads=False).custom_status
        return None if text is None else _told(text)

    @property
    def tags(self) -> dict[str, str]:
        """The tags that it was started with."""
        return dict(self._view(payloads=False).tags)

    @property
    def waits_for(self) -> str:
        """What has to come before it goes on: an activity, a timer, an event."""
        return self._view(payloads=False).waits_for

    @property
    def wakes_at(self) -> datetime | None:
        """When its next timer fires; None if it has none."""
        wake_us = self._view(payloads=False).next_wake_us
        return None if wake_us is None else datetime.fromtimestamp(wake_us / SECOND_US, UTC)

    @property
    def stalled_because(self) -> str | None:
        """Why the code cannot go on with it, in words; None if it can."""
        if self.status is not Status.STALLED:
            return None
        return self._world.stalls.get(self.id, self.waits_for)

    @property
    def history(self) -> tuple[Event, ...]:
        """The events of its present generation, in order."""
        loaded = self._world.store.load(self.id)
        rows = () if loaded is None else loaded.history
        return tuple(decode_stored(row.event) for row in rows)

    @property
    def exists(self) -> bool:
        """Whether there is such an instance: it may never have been, or have been purged."""
        return self._world.store.snapshot(self.id) is not None

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
        wanted = Status[status] if isinstance(status, str) else status
        self._run_until(frozenset({wanted}), within)
        if self.status is not wanted:
            raise WorkflowWaits(f"{self._what()}, and never was {wanted.name}")

    def result(self, *, within: timedelta | None = None) -> Value:
        """Run until it has completed, timers and all, and return what it returned.

        Raises WorkflowFailed if it ends otherwise, and WorkflowWaits if it does not end, within
        a time or at all.
        """
        self._run_until(TERMINAL | {Status.STALLED}, within)
        match self.status:
            case Status.COMPLETED:
                return self.output
            case Status.FAILED | Status.TERMINATED | Status.CANCELED:
                raise WorkflowFailed(self._what())
            case _:
                raise WorkflowWaits(self._what())

    def __await__(self) -> Generator[None, None, Value]:
        """Return what `result` returns, where a test is a coroutine."""
        yield from ()
        return self.result()

    # ---- how

    def _run_until(self, wanted: frozenset[Status], within: timedelta | None) -> None:
        def over() -> bool:
            return self._has(wanted)

        if within is None:
            self._world.run_until_idle(over)
        else:
            self._world.run_until_idle(over, round(within.total_seconds() * SECOND_US))

    def _has(self, wanted: frozenset[Status]) -> bool:
        snapshot = self._world.store.snapshot(self.id)
        return snapshot is not None and Status(snapshot.status) in wanted

    def _view(self, *, payloads: bool = True) -> InstanceView:
        store = self._world.store
        snapshot = store.snapshot(self.id)
        if snapshot is None:
            raise LookupError(f"there is no workflow with the id '{self.id}'")
        found = payloads_of(*store.payload_events(snapshot.key)) if payloads else None
        return view_of(snapshot, found)

    def _ask(
        self, request: rq.RaiseEvent | rq.Terminate | rq.Suspend | rq.Resume | rq.Purge
    ) -> None:
        accepted(self._world.ask(request))

    def _what(self) -> str:
        """Return what became of it, for people."""
        view = self._view()
        who = f"workflow '{view.name}' ({self.id})"
        if view.failure is not None:
            trace = f"\n{view.failure.stack_trace}" if view.failure.stack_trace else ""
            return f"{who} failed: {view.failure.error_type}: {view.failure.message}{trace}"
        if view.status in TERMINAL:
            return f"{who} is {view.status.name}, with the output {view.output}"
        because = self.stalled_because
        if because is not None:
            return f"{who} stalls: {because}"
        return f"{who} is {view.status.name} and waits for: {view.waits_for}"


def accepted(reply: Reply) -> Reply:
    """Return an answer of the engine; raises Refused if it is a refusal."""
    if isinstance(reply, Refusal):
        raise Refused(f"{reply.reason.value}: {reply.text}")
    return reply


def _value(text: str | None) -> Value:
    return from_json(text) if text else None


def _told(text: str) -> Value:
    try:
        return from_json(text)
    except ValueError:
        return text
