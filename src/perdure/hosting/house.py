"""An engine with all that belongs to it, opened in order, and closed so that nothing is lost.

Closing goes as a server's does: nobody new by HTTP, nothing more handed out, a stated time for what
runs, then the streams end, then what still runs is cut off, then all that was handed in lands, and
the store is let go of last.
"""

import os
from typing import Final, Protocol

from perdure.app.clock import SystemClock
from perdure.app.places import open_place
from perdure.authoring.context import WorkflowContext
from perdure.base.errors import StoreLocked
from perdure.base.observer import Observer, fan_out
from perdure.base.time import SECOND_US
from perdure.components.embedded import EmbeddedComponent
from perdure.engine.service import Engine
from perdure.engine.settings import EngineSettings, Sharing
from perdure.hosting.journal import HostJournal
from perdure.hosting.settings import Bounds, HostSettings
from perdure.hosting.staff import Staff
from perdure.store.port import Store

# Kept back from the time for stopping, for what has to land and to leave.
_GRACE_US: Final = SECOND_US // 2


class OpenDoors(Protocol):
    """Doors as `hosting.doors` makes them; that room loads much, and only where there are any."""

    @property
    def metrics(self) -> Observer: ...
    @property
    def http_port(self) -> int | None: ...
    @property
    def grpc_port(self) -> int | None: ...
    async def open(
        self, engine: Engine, component: EmbeddedComponent, store: Store, observer: Observer
    ) -> None: ...
    def begin_to_close(self) -> None: ...
    async def close(self, engine: Engine | None, grace_us: int) -> None: ...


class House:
    """Opened by `open`, on the loop that it runs on; closed by `close`."""

    def __init__(self, settings: HostSettings) -> None:
        """Open nothing yet."""
        self.settings = settings
        self._doors: OpenDoors | None = None
        self._store: Store | None = None
        self._engine: Engine | None = None
        self._component: EmbeddedComponent | None = None
        self._staffs: dict[str, Staff] = {}  # by app

    @property
    def component(self) -> EmbeddedComponent:
        """What is asked for everything. Only while it is open."""
        assert self._component is not None, "it is open"
        return self._component

    @property
    def http_port(self) -> int | None:
        """The port of the HTTP door, if there is one."""
        return None if self._doors is None else self._doors.http_port

    @property
    def grpc_port(self) -> int | None:
        """The port of the gRPC door, if there is one."""
        return None if self._doors is None else self._doors.grpc_port

    async def open(self) -> None:
        """Open everything; raises ConfigurationError or StoreError, and then holds nothing."""
        try:
            await self._open()
        except BaseException:
            await self.close(0)
            raise

    async def _open(self) -> None:
        settings = self.settings
        observer: Observer = HostJournal()
        if settings.has_doors:
            from perdure.hosting.doors import Doors  # noqa: PLC0415 - it loads the servers

            doors = Doors(settings)
            self._doors = doors
            observer = fan_out([doors.metrics, observer])
        self._store, sharing = _opened(settings)
        clock = SystemClock()
        self._engine = engine = Engine(
            EngineSettings(app_id=settings.app_id, retention_us=settings.retention_us),
            self._store,
            clock,
            observer,
            sharing=sharing,
        )
        self._component = EmbeddedComponent(engine, clock, observer)
        for app_id in (settings.app_id, *settings.apps):
            self._staffs[app_id] = Staff(engine, settings, app_id)
        await engine.start()
        if self._doors is not None:
            await self._doors.open(engine, self._component, self._store, observer)

    @property
    def staff(self) -> Staff:
        """Who does the work of the engine's own app in this process. Only while it is open."""
        return self._staffs[self.settings.app_id]

    def employ(self) -> None:
        """Have the work of the further apps done in this process, too."""
        for app_id, registry in self.settings.apps.items():
            self._staffs[app_id].attach(registry, WorkflowContext, Bounds())

    def begin(self) -> None:
        """Take the work of the apps that have something registered by now."""
        for staff in self._staffs.values():
            staff.begin()

    async def close(self, timeout_us: int) -> None:
        """Close everything: what runs has so long to come to its end, and no longer."""
        if self._doors is not None:
            self._doors.begin_to_close()
        try:
            if self._engine is not None:
                await self._close_engine(self._engine, timeout_us)
            elif self._doors is not None:
                await self._doors.close(None, 0)
        finally:
            # Whatever became of the rest, the file is somebody else's now.
            if self._store is not None:
                self._store.close()
            self._engine = self._store = self._doors = None

    async def _close_engine(self, engine: Engine, timeout_us: int) -> None:
        await engine.rest(max(timeout_us - _GRACE_US, 0) / SECOND_US)
        if self._doors is not None:
            await self._doors.close(engine, min(timeout_us, _GRACE_US))
        for staff in self._staffs.values():
            staff.cut()
        engine.stop_handing_out()
        for staff in self._staffs.values():
            staff.leave()
        await engine.stop()
        for staff in self._staffs.values():
            staff.let_go()


def _opened(settings: HostSettings) -> tuple[Store, Sharing | None]:
    try:
        return open_place(settings.store)
    except StoreLocked as locked:
        if f"process {os.getpid()}:" in str(locked):
            raise StoreLocked(
                f"{settings.store} is open in this process already: use that engine, or "
                "SyncEngine, of which all in a process share one"
            ) from None
        what_to_do = _WHAT_TO_DO.format(store=settings.store)
        raise StoreLocked(f"{locked}. {what_to_do}") from None


_WHAT_TO_DO: Final = (
    "An engine has its file to itself, and a web server with several workers is several processes. "
    "For all of them to work with the same workflows, let one open a door, "
    "Engine({store!r}, grpc=50001), and the others ask it: with `import perdure.workflow` and "
    "DAPR_GRPC_ENDPOINT=localhost:50001, with any Dapr Workflow SDK, or with `perdure workflow "
    "list`. Several processes can share a database: Engine('postgres://...')"
)
