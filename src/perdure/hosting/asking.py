"""What can be asked of an engine about its workflows, whichever process they are in.

`Asking` is the one list of calls: the engine object, and whoever reaches one elsewhere, are both.
"""

import uuid
from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Unpack, overload

from perdure.authoring.payloads import text_of
from perdure.authoring.registry import name_of
from perdure.base.time import SECOND_US
from perdure.components.port import InstanceView, Started, WorkflowComponent
from perdure.core import requests as rq
from perdure.core.events import Event
from perdure.core.requests import Purge, RaiseEvent, Reason, Rerun, Resume, Suspend, Terminate
from perdure.core.status import Status
from perdure.hosting.checking import (
    checked_event,
    checked_id,
    checked_moment_us,
    checked_name,
    checked_pairs,
    known_id,
)
from perdure.hosting.handles import Handle, outcome_in
from perdure.hosting.instances import Instance, instance_of
from perdure.hosting.listing import query_of
from perdure.hosting.refusals import InstanceNotFound, granted
from perdure.hosting.settings import Duration, microseconds
from perdure.hosting.shapes import (
    AnyHandle,
    AnyWorkflow,
    In,
    Out,
    PlainWithInput,
    PlainWithoutInput,
    StartOptions,
    WithInput,
    WithoutInput,
)
from perdure.wire.events import decode_stored


class Asking:
    """The calls. Every one may raise a StoreError; what is refused raises a `Refused`."""

    @property
    @abstractmethod
    def component(self) -> WorkflowComponent:
        """What answers."""

    @property
    def asked(self) -> WorkflowComponent:
        """What answers a call that is made here and now; may refuse the place it is made from."""
        return self.component

    @property
    @abstractmethod
    def app_id(self) -> str:
        """The app that starts are for."""

    # ---- starting

    @overload
    async def start(
        self, workflow: WithInput[In, Out], input: In, **more: Unpack[StartOptions]
    ) -> Handle[Out]: ...
    @overload
    async def start(
        self, workflow: WithoutInput[Out], input: None = None, **more: Unpack[StartOptions]
    ) -> Handle[Out]: ...
    @overload
    async def start(
        self, workflow: PlainWithInput[In, Out], input: In, **more: Unpack[StartOptions]
    ) -> Handle[Out]: ...
    @overload
    async def start(
        self, workflow: PlainWithoutInput[Out], input: None = None, **more: Unpack[StartOptions]
    ) -> Handle[Out]: ...
    @overload
    async def start(
        self, workflow: str, input: object = None, **more: Unpack[StartOptions]
    ) -> AnyHandle: ...
    async def start(  # noqa: PLR0913 - each is something that can be said of a start
        self,
        workflow: AnyWorkflow,
        input: object = None,
        *,
        id: str | None = None,
        at: datetime | None = None,
        tags: Mapping[str, str] | None = None,
        replace_finished: bool = False,
        app_id: str | None = None,
    ) -> AnyHandle:
        """Start a workflow; when this returns it is on disk, and will come to its end.

        Without an `id` it gets one that nobody has had; an id that is taken raises
        InstanceExists, unless its instance has ended and `replace_finished` is true. With `at` it
        begins at that moment. `tags` are kept with the instance and can be searched for. `app_id`
        is the app that runs it, if that is not the engine's own. Raises TypeError or ValueError for
        what can be none of these, and then starts nothing.
        """
        request = rq.Start(
            instance_id=uuid.uuid4().hex if id is None else checked_id(id),
            name=checked_name(workflow),
            app_id=app_id or self.app_id,
            input=text_of(input),
            scheduled_start_us=None if at is None else checked_moment_us(at),
            tags=checked_pairs(tags) if tags else (),
            replace_finished=replace_finished,
        )
        started: Started = granted(await self.asked.start(request))
        return Handle(self, started.instance_id, workflow)

    def handle(self, id: str) -> AnyHandle:
        """Return the handle of an instance, whether or not there is one."""
        return Handle(self, known_id(id), None)

    async def rerun(
        self,
        id: str,
        from_event: int,
        *,
        new_id: str | None = None,
        input: object = ...,
    ) -> AnyHandle:
        """Start a new instance from an event of a finished one, with that event's input or another.

        What came before the event is taken over. `from_event` is the id that `history` has for
        what scheduled an activity, a timer or a child.
        """
        given = input is not ...
        request = Rerun(
            source_id=known_id(id),
            event_id=from_event,
            new_id=uuid.uuid4().hex if new_id is None else checked_id(new_id),
            new_id_chosen=new_id is not None,
            input=text_of(input) if given else None,
            overwrite_input=given,
        )
        started: Started = granted(await self.asked.rerun(request))
        return Handle(self, started.instance_id, None)

    # ---- changing

    async def raise_event(self, id: str, name: str, data: object = None) -> None:
        """Give an instance an event; it is on disk when this returns."""
        request = RaiseEvent(
            instance_id=known_id(id), name=checked_event(name), input=text_of(data)
        )
        granted(await self.asked.raise_event(request))

    async def terminate(self, id: str, output: object = None, *, recursive: bool = True) -> None:
        """End an instance now, with `output` as its result, and its children unless told not to.

        Activities that run for it are cancelled as far as they can be.
        """
        request = Terminate(instance_id=known_id(id), output=text_of(output), recursive=recursive)
        granted(await self.asked.terminate(request))

    async def suspend(self, id: str, reason: str | None = None) -> None:
        """Let an instance take no new work; events for it are kept."""
        granted(await self.asked.suspend(Suspend(instance_id=known_id(id), reason=reason)))

    async def resume(self, id: str, reason: str | None = None) -> None:
        """Let a suspended instance go on."""
        granted(await self.asked.resume(Resume(instance_id=known_id(id), reason=reason)))

    async def purge(self, id: str, *, recursive: bool = True, force: bool = False) -> int:
        """Delete everything about an instance that has ended; how many were deleted.

        With `force` it need not have ended.
        """
        request = Purge(instance_id=known_id(id), recursive=recursive, force=force)
        return granted(await self.asked.purge(request)).count

    # ---- reading

    async def get(self, id: str) -> Instance | None:
        """Return what is known of an instance, or None if there is none."""
        view = await self.asked.get(known_id(id))
        return None if view is None else instance_of(view)

    async def wait(
        self, id: str, *, timeout: Duration | None = None, started: bool = False
    ) -> Instance:
        """Return an instance once it has ended, or with `started` has begun to run.

        One that is not there yet is waited for. Raises TimeoutError when time is up, and
        InstanceNotFound if, without a timeout, it is purged meanwhile.
        """
        return instance_of(await self._wait(id, timeout, started=started))

    async def outcome(self, id: str, workflow: object, timeout: Duration | None = None) -> object:
        """Return what an instance has returned, once it has; as `Handle.result`.

        `workflow` is the function that tells what the result is, if it is known.
        """
        return outcome_in(await self._wait(id, timeout, started=False), workflow)

    async def _wait(self, id: str, timeout: Duration | None, *, started: bool) -> InstanceView:
        timeout_us = None if timeout is None else microseconds(timeout, "timeout")
        view = await self.asked.wait(known_id(id), finished=not started, timeout_us=timeout_us)
        reached = view is not None and (
            view.status is not Status.PENDING if started else view.finished
        )
        if view is not None and reached:
            return view
        if timeout_us is None:
            raise InstanceNotFound(Reason.NOT_FOUND, f"workflow {id!r} was purged meanwhile")
        what = "is not there" if view is None else f"has not {'begun' if started else 'ended'}"
        raise TimeoutError(f"workflow {id!r} {what} within {timeout_us / SECOND_US:g} s")

    async def history(self, id: str) -> Sequence[Event]:
        """Return the events of an instance's present generation, in order; empty if it is gone."""
        events: list[Event] = []
        after: int | None = 0
        while after is not None:
            page = await self.asked.history(known_id(id), after_seq=after)
            if page is None:
                break
            events += [decode_stored(event) for event in page.events if isinstance(event, bytes)]
            after = page.next_after
        return events

    async def instances(  # noqa: PLR0913 - each is a way to narrow it down
        self,
        *,
        workflow: AnyWorkflow | None = None,
        status: Status | Sequence[Status] | None = None,
        tags: Mapping[str, str] | None = None,
        id_prefix: str | None = None,
        created_after: datetime | None = None,
        created_before: datetime | None = None,
        payloads: bool = False,
        page: int = 100,
    ) -> AsyncIterator[Instance]:
        """Yield the instances that are asked for, the youngest first, a page at a time."""
        name = workflow if isinstance(workflow, str | None) else name_of(workflow)
        query = query_of(
            workflow=name,
            status=status,
            tags=tags or {},
            id_prefix=id_prefix,
            created=(created_after, created_before),
            page=page,
        )
        while True:
            found = await self.asked.find(query, payloads=payloads)
            for view in found.instances:
                yield instance_of(view)
            if found.next_token is None:
                return
            query = replace(query, token=found.next_token)
