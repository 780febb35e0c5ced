"""The engine for programs that are not async: scripts, Django, a shell."""

import os
from collections.abc import (
    AsyncIterator,
    Iterator,
    Sequence,
)
from typing import Any, Self, Unpack, overload

from perdure.authoring.registry import Registry
from perdure.base.errors import ShuttingDown
from perdure.core.events import Event
from perdure.hosting.instances import Instance
from perdure.hosting.registering import Registering
from perdure.hosting.settings import STORE, Duration, Settings, settings_of
from perdure.hosting.shapes import (
    AnySyncHandle,
    AnyWorkflow,
    In,
    Out,
    PlainWithInput,
    PlainWithoutInput,
    StartOptions,
    WithInput,
    WithoutInput,
)
from perdure.hosting.signals import ExitSignal
from perdure.hosting.staff import Member
from perdure.hosting.sync_handles import SyncHandle
from perdure.hosting.threaded import Hosted, give_back, hosted


class SyncEngine(Registering):
    """An engine in a thread of its own; its calls block, and may come from any thread.

    All that use one file in a process share one engine, whichever of them comes first; what is
    promised is what `perdure.Engine` promises. It is closed at the end of its `with` block, by
    `close`, or when the interpreter ends.
    """

    def __init__(
        self,
        store: str | os.PathLike[str] = STORE,
        *,
        registry: Registry | None = None,
        **settings: Unpack[Settings],
    ) -> None:
        """Take the settings, as `perdure.Engine` does; nothing is opened yet."""
        self.registry = Registry() if registry is None else registry
        self._store = store
        self._given = settings
        self.settings = settings_of(store, **settings)
        self._hosted: Hosted | None = None
        self._member: Member | None = None
        self._signal = ExitSignal()

    # ---- its life

    def __enter__(self) -> Self:
        """Open it, and have SIGTERM end the block as `sys.exit` does, where nobody else has it."""
        self.open()
        self._signal.listen()
        return self

    def __exit__(self, *_: object) -> None:
        """Close it: what runs has `stop_timeout` to come to its end."""
        try:
            self.close()
        finally:
            self._signal.leave()

    def open(self) -> None:
        """Open it, or take part in it if somebody in this process has; as `Engine.open`."""
        if self._hosted is not None and self._hosted.birthplace.is_here:
            raise RuntimeError("the engine is open already: one `with` is enough")
        share = hosted(self._store, **self._given)
        try:
            self._member = share.attach(self.registry)
        except BaseException:
            give_back(share)
            raise
        self._hosted = share

    def close(self) -> None:
        """Let go of it; whoever is the last to do so closes the engine. May be called again."""
        share, member = self._hosted, self._member
        self._hosted = self._member = None
        if share is None or member is None:
            return
        try:
            if share.shares > 1 and share.birthplace.is_here:
                share.detach(member)
        finally:
            give_back(share)

    @property
    def http_port(self) -> int | None:
        """The port of its HTTP door, while it has one."""
        return None if self._hosted is None else self._hosted.engine.http_port

    @property
    def grpc_port(self) -> int | None:
        """The port of its gRPC door, while it has one."""
        return None if self._hosted is None else self._hosted.engine.grpc_port

    def _open(self) -> Hosted:
        if self._hosted is None:
            raise ShuttingDown("the engine is not open: use it within `with SyncEngine(...)`")
        return self._hosted

    # ---- calls; `perdure.Engine` says what each promises

    @overload
    def start(
        self, workflow: WithInput[In, Out], input: In, **more: Unpack[StartOptions]
    ) -> SyncHandle[Out]: ...
    @overload
    def start(
        self, workflow: WithoutInput[Out], input: None = None, **more: Unpack[StartOptions]
    ) -> SyncHandle[Out]: ...
    @overload
    def start(
        self, workflow: PlainWithInput[In, Out], input: In, **more: Unpack[StartOptions]
    ) -> SyncHandle[Out]: ...
    @overload
    def start(
        self, workflow: PlainWithoutInput[Out], input: None = None, **more: Unpack[StartOptions]
    ) -> SyncHandle[Out]: ...
    @overload
    def start(
        self, workflow: str, input: object = None, **more: Unpack[StartOptions]
    ) -> AnySyncHandle: ...
    def start(self, workflow: AnyWorkflow, input: object = None, **more: Any) -> AnySyncHandle:
        """Start a workflow; when this returns it is on disk, and will come to its end."""
        share = self._open()
        return SyncHandle(share, share.run(share.engine.start(workflow, input, **more)))

    def handle(self, id: str) -> AnySyncHandle:
        """Return the handle of an instance, whether or not there is one."""
        share = self._open()
        return SyncHandle(share, share.engine.handle(id))

    def rerun(self, id: str, from_event: int, **more: Any) -> AnySyncHandle:
        """Start a new instance from an event of a finished one."""
        share = self._open()
        return SyncHandle(share, share.run(share.engine.rerun(id, from_event, **more)))

    def raise_event(self, id: str, name: str, data: object = None) -> None:
        """Give an instance an event; it is on disk when this returns."""
        self.handle(id).raise_event(name, data)

    def terminate(self, id: str, output: object = None, *, recursive: bool = True) -> None:
        """End an instance now, with `output` as its result."""
        self.handle(id).terminate(output, recursive=recursive)

    def suspend(self, id: str, reason: str | None = None) -> None:
        """Let an instance take no new work."""
        self.handle(id).suspend(reason)

    def resume(self, id: str, reason: str | None = None) -> None:
        """Let a suspended instance go on."""
        self.handle(id).resume(reason)

    def purge(self, id: str, *, recursive: bool = True, force: bool = False) -> int:
        """Delete everything about an instance that has ended; how many were deleted."""
        return self.handle(id).purge(recursive=recursive, force=force)

    def get(self, id: str) -> Instance | None:
        """Return what is known of an instance, or None if there is none."""
        return self.handle(id).get()

    def wait(self, id: str, *, timeout: Duration | None = None, started: bool = False) -> Instance:
        """Return an instance once it has ended, or with `started` has begun to run."""
        share = self._open()
        return share.run(share.engine.wait(id, timeout=timeout, started=started))

    def history(self, id: str) -> Sequence[Event]:
        """Return the events of an instance's present generation, in order."""
        return self.handle(id).history()

    def instances(self, **wanted: Any) -> Iterator[Instance]:
        """Yield the instances that are asked for, the youngest first."""
        share = self._open()
        found = share.engine.instances(**wanted)
        while (instance := share.run(_next(found))) is not None:
            yield instance


async def _next(instances: AsyncIterator[Instance]) -> Instance | None:
    return await anext(instances, None)
