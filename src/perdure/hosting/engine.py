"""The engine object: durable workflows in a program's own process, in one file."""

import asyncio
import os
from typing import Final, Self, Unpack

from perdure.app.places import shown
from perdure.authoring.context import WorkflowContext
from perdure.authoring.registry import Registry
from perdure.base.errors import ShuttingDown
from perdure.components.port import WorkflowComponent
from perdure.hosting.asking import Asking
from perdure.hosting.forks import Birthplace, left_to_parent
from perdure.hosting.house import House
from perdure.hosting.registering import Registering
from perdure.hosting.settings import STORE, Bounds, Settings, settings_of
from perdure.hosting.signals import EXIT_CODE, TermSignal
from perdure.hosting.staff import Member

_ELSEWHERE: Final = (
    "an engine is asked on the loop that opened it: elsewhere use a SyncEngine, or "
    "`asyncio.run_coroutine_threadsafe` with that loop; in a workflow, ask it in an activity"
)
_OPEN: Final = "the engine is open already: one `async with` is enough"
_LEFT_OPEN: Final = (
    "the loop on which the engine was opened has ended, and the engine was left open: close it "
    "there, as `async with` does. Until this process ends, it has the store"
)


class Engine(Registering, Asking):
    """An engine on one store, opened by `async with`, on the loop that it is used on.

    - Its workflows and activities are those of `registry`, registered by its decorators before or
      while it is open.
    - What is started is on disk before `start` returns, and goes on in the next process if this
      one dies. Activities run at least once: one that was under way at a death runs again.
    - One process at a time has a file; another one is told so by StoreLocked. A database is shared
      by as many as there are.
    - With `http=3500` or `grpc=50001` it has doors: curl, the command line, and workers in other
      languages see the same workflows.
    - Leaving the block, Ctrl-C and SIGTERM let running activities come to their end for
      `stop_timeout` seconds; what takes longer is cut off and runs again in the next process.
    """

    def __init__(
        self,
        store: str | os.PathLike[str] = STORE,
        *,
        registry: Registry | None = None,
        **settings: Unpack[Settings],
    ) -> None:
        """Take the settings; nothing is opened yet.

        `store` is a file, made if there is none, `postgres://host/database`, or `:memory:`. Raises
        ConfigurationError for a setting that cannot be.
        """
        self.registry = Registry() if registry is None else registry
        self.settings = settings_of(store, **settings)
        self._house: House | None = None
        self._signal = TermSignal()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing: asyncio.Task[None] | None = None
        self._birthplace: Birthplace | None = None

    def __repr__(self) -> str:
        """Return it as people see it in a shell."""
        state = "closed" if self._house is None else "open"
        return f"<Engine {shown(self.settings.store)} ({state})>"

    # ---- its life

    async def __aenter__(self) -> Self:
        """Open it, and have SIGTERM end the block as Ctrl-C does, where nobody else has it."""
        await self.open()
        self._signal.listen()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Close it. After a SIGTERM the process is ended, with exit code 143."""
        self._signal.leave()
        await self.close()
        if self._signal.came and kind is not None and issubclass(kind, asyncio.CancelledError):
            raise SystemExit(EXIT_CODE)

    async def open(self) -> None:
        """Open the file and the doors, and begin to work; once it is closed it may be opened again.

        Raises StoreLocked if another process has the file, StoreBroken or StoreFailed if it cannot
        be used, ConfigurationError if a port is in use. Nothing is held then. RuntimeError if it is
        open.
        """
        self._leave_to_parent()
        if self._house is not None:
            raise RuntimeError(_LEFT_OPEN if self._is_stranded() else _OPEN)
        house = House(self.settings)
        await house.open()
        self._house, self._loop = house, asyncio.get_running_loop()
        self._birthplace = Birthplace(shown(self.settings.store))
        self.attach(self.registry)
        house.employ()

    async def close(self) -> None:
        """Let what runs come to its end within `stop_timeout`, and let go of everything.

        May be called by several at once, and again. In a process that was forked meanwhile there
        is nothing to close.
        """
        self._leave_to_parent()
        house = self._house
        if house is None:
            return
        closing = self._closing
        if closing is None:
            closing = asyncio.ensure_future(house.close(self.settings.stop_timeout_us))
            self._closing = closing
        try:
            await asyncio.shield(closing)
        finally:
            if closing.done() and self._closing is closing:
                self._house = self._closing = None

    def attach(
        self,
        registry: Registry,
        context_type: type[WorkflowContext] = WorkflowContext,
        bounds: Bounds = Bounds(),  # noqa: B008 - it is frozen
    ) -> Member:
        """Have the work of a further registry done here, too, within its bounds."""
        return self._opened().staff.attach(registry, context_type, bounds)

    def detach(self, member: Member) -> None:
        """Have the work of a registry done here no more."""
        self._opened().staff.detach(member)

    async def release(self, member: Member) -> None:
        """The same, once what runs has come to its end, for `stop_timeout` at most."""
        await self._opened().staff.release(member, self.settings.stop_timeout_us)

    # ---- what it is

    @property
    def component(self) -> WorkflowComponent:
        """What answers. Raises ShuttingDown while it is not open."""
        house = self._opened()
        house.begin()  # something may have been registered since
        return house.component

    @property
    def asked(self) -> WorkflowComponent:
        """The same, for who is on the loop that opened it; raises RuntimeError elsewhere."""
        component = self.component
        if asyncio.get_running_loop() is not self._loop:
            raise RuntimeError(_ELSEWHERE)
        return component

    @property
    def app_id(self) -> str:
        """The app that its workflows belong to."""
        return self.settings.app_id

    @property
    def http_port(self) -> int | None:
        """The port of its HTTP door, while it has one."""
        return None if self._house is None else self._house.http_port

    @property
    def grpc_port(self) -> int | None:
        """The port of its gRPC door, while it has one."""
        return None if self._house is None else self._house.grpc_port

    def _leave_to_parent(self) -> None:
        """In a fork, be as if it had never been opened."""
        if self._birthplace is not None and not self._birthplace.is_here:
            left_to_parent(self._house, self._loop, self._closing)
            self._house = self._loop = self._closing = self._birthplace = None

    def _is_stranded(self) -> bool:
        return self._loop is not None and self._loop.is_closed()

    def _opened(self) -> House:
        if self._house is None:
            raise ShuttingDown("the engine is not open: use it within `async with Engine(...)`")
        assert self._birthplace is not None, "it is open"
        self._birthplace.check()
        return self._house
